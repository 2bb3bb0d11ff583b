import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';

export interface S3ClientOptions {
  /** Who calls, as logs of S3 and request ledgers show it: `copy-parts`. */
  readonly caller: string;
  /** @default - AWS */
  readonly endpoint?: string;
  /** @default - the SDK's own rules: AWS_REGION, then the shared configuration */
  readonly region?: string;
  /**
   * `WHEN_SUPPORTED` lets the SDK add a checksum to every request that takes one.
   * @default 'WHEN_REQUIRED' - the adapters ask for checksums where they want them
   */
  readonly requestChecksumCalculation?: 'WHEN_REQUIRED' | 'WHEN_SUPPORTED';
  /**
   * `WHEN_REQUIRED` gives the bytes of an object as they are: for a reader that checksums them itself and judges a difference.
   * @default 'WHEN_SUPPORTED' - bytes that do not have the checksum that S3 keeps for them are an error
   */
  readonly responseChecksumValidation?: 'WHEN_REQUIRED' | 'WHEN_SUPPORTED';
  /** @default - the SDK's own chain: the function's role */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Tries of one request, the first included. @default 10 */
  readonly maxAttempts?: number;
}

/** Above the copies that one Lambda keeps under way (64 and a few listings), so that none waits for a socket. */
const MAX_SOCKETS = 128;
const CONNECTION_TIMEOUT_MILLIS = 5_000;
/** Silence on a connection. Larger than what the largest single CopyObject takes (see `MULTIPART_COPY_ABOVE_BYTES`). */
const SOCKET_TIMEOUT_MILLIS = 120_000;
/** The first and nine more: S3 answers SlowDown for minutes while it splits a new prefix. */
const MAX_ATTEMPTS = 10;

/** The S3 client of all adapters. Adaptive retries slow a caller down that S3 throttles, instead of failing it. */
export function createS3Client(options: S3ClientOptions): S3Client {
  const sockets = { keepAlive: true, maxSockets: MAX_SOCKETS };
  const config: S3ClientConfig = {
    retryMode: 'adaptive',
    maxAttempts: options.maxAttempts ?? MAX_ATTEMPTS,
    customUserAgent: [['rankvault', options.caller]],
    requestChecksumCalculation: options.requestChecksumCalculation ?? 'WHEN_REQUIRED',
    responseChecksumValidation: options.responseChecksumValidation ?? 'WHEN_SUPPORTED',
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECTION_TIMEOUT_MILLIS,
      socketTimeout: SOCKET_TIMEOUT_MILLIS,
      httpAgent: sockets,
      httpsAgent: sockets,
    }),
  };
  return new S3Client({
    ...config,
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint, forcePathStyle: true }),
  });
}
