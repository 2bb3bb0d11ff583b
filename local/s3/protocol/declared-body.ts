import {
  type ChecksumAlgorithm,
  checksumAlgorithms,
  checksumHeader,
  digestSizeBytes,
  parseChecksumAlgorithm,
} from './checksums.ts';
import { headerOf, type S3Request } from './exchange.ts';
import { notImplemented, S3Error } from './s3-error.ts';

/** What the headers say about the body, before a byte of it has arrived. */
export interface DeclaredBody {
  /** Bytes of data, without aws-chunked framing. */
  readonly lengthBytes: number;
  readonly awsChunked: boolean;
  /** The checksum that was or will be sent; `value` is undefined when it follows as a trailer. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string | undefined } | undefined;
  /** base64 */
  readonly contentMd5: string | undefined;
  /** hex, of a signed payload */
  readonly payloadSha256: string | undefined;
}

/** Throws what S3 answers to contradictory or malformed headers. */
export function declareBody(request: S3Request): DeclaredBody {
  return { ...declareWithoutChecksum(request), checksum: declaredChecksum(request, isAwsChunked(request)) };
}

/** The same for CompleteMultipartUpload, whose checksum headers are about the object and not about the body. */
export function declareWithoutChecksum(request: S3Request): DeclaredBody {
  const contentSha256 = headerOf(request, 'x-amz-content-sha256');
  const contentMd5 = headerOf(request, 'content-md5');
  if (contentMd5 !== undefined && Buffer.from(contentMd5, 'base64').length !== 16) {
    throw new S3Error('InvalidDigest', 'The Content-MD5 you specified was invalid.');
  }
  const awsChunked = isAwsChunked(request);
  return {
    lengthBytes: declaredLength(request, awsChunked),
    awsChunked,
    checksum: undefined,
    contentMd5,
    payloadSha256: contentSha256 !== undefined && /^[0-9a-f]{64}$/.test(contentSha256) ? contentSha256 : undefined,
  };
}

function isAwsChunked(request: S3Request): boolean {
  return headerOf(request, 'x-amz-content-sha256')?.startsWith('STREAMING-') ?? false;
}

function declaredLength(request: S3Request, awsChunked: boolean): number {
  const text = headerOf(request, awsChunked ? 'x-amz-decoded-content-length' : 'content-length');
  if (text === undefined || !/^\d+$/.test(text)) {
    throw new S3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.');
  }
  return Number(text);
}

function declaredChecksum(request: S3Request, awsChunked: boolean): DeclaredBody['checksum'] {
  const sent = checksumAlgorithms.filter((algorithm) => request.headers[checksumHeader(algorithm)] !== undefined);
  const trailer = awsChunked ? trailerAlgorithm(headerOf(request, 'x-amz-trailer')) : undefined;
  if (sent.length + (trailer === undefined ? 0 : 1) > 1) {
    throw new S3Error(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  const [algorithm] = sent;
  requirePromised(headerOf(request, 'x-amz-sdk-checksum-algorithm'), algorithm ?? trailer);
  if (algorithm !== undefined) {
    const value = headerOf(request, checksumHeader(algorithm)) ?? '';
    requireWellFormed(algorithm, value);
    return { algorithm, value };
  }
  return trailer === undefined ? undefined : { algorithm: trailer, value: undefined };
}

function trailerAlgorithm(header: string | undefined): ChecksumAlgorithm | undefined {
  if (header === undefined) return undefined;
  const algorithm = parseChecksumAlgorithm(header.trim().replace(/^x-amz-checksum-/i, ''));
  if (algorithm === undefined) throw notImplemented(`The trailer '${header}'`);
  return algorithm;
}

function requirePromised(promised: string | undefined, sent: ChecksumAlgorithm | undefined): void {
  if (promised === undefined) return;
  const algorithm = parseChecksumAlgorithm(promised);
  if (algorithm === undefined) throw new S3Error('InvalidRequest', 'Checksum algorithm provided is unsupported.');
  if (sent === undefined) {
    throw new S3Error(
      'InvalidRequest',
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
  if (sent !== algorithm) {
    throw new S3Error('InvalidRequest', 'Value for x-amz-sdk-checksum-algorithm header is invalid.');
  }
}

/** Throws InvalidRequest unless the value is base64 of the algorithm's length. */
export function requireWellFormed(algorithm: ChecksumAlgorithm, value: string): void {
  const wellFormed = /^[A-Za-z0-9+/]+={0,2}$/.test(value);
  if (!wellFormed || Buffer.from(value, 'base64').length !== digestSizeBytes[algorithm]) {
    throw new S3Error('InvalidRequest', `Value for ${checksumHeader(algorithm)} header is invalid.`);
  }
}
