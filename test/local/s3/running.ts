import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { onTestFinished } from 'vitest';
import { type LocalS3, type LocalS3Options, startLocalS3 } from '../../../local/s3/local-s3.ts';

interface Running {
  readonly s3: LocalS3;
  /** Does not retry, so that every fault is seen. */
  readonly client: S3Client;
  readonly directory: string;
}

/** A directory for one test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'rankvault-s3-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A local S3 with the bucket `bkt`, until the test is finished. */
export async function running(options: Partial<LocalS3Options> = {}): Promise<Running> {
  const directory = options.directory ?? temporaryDirectory();
  const s3 = await startLocalS3({ ...options, directory });
  const client = clientOf(s3);
  onTestFinished(async () => {
    client.destroy();
    await s3.close();
  });
  await client.send(new CreateBucketCommand({ Bucket: 'bkt' })).catch((error: unknown) => {
    if (!(error instanceof Error && error.name === 'BucketAlreadyOwnedByYou')) throw error;
  });
  return { s3, client, directory };
}

export function clientOf(s3: LocalS3, customUserAgent = 'rankvault/test'): S3Client {
  return new S3Client({
    endpoint: s3.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
    customUserAgent,
  });
}

/** Names of the blob files of a store. */
export function blobFiles(directory: string): string[] {
  return readdirSync(join(directory, 'blobs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
}

interface RawAnswer {
  readonly status: number;
  readonly code: string | undefined;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** One request exactly as written, without an SDK in between. */
export function raw(
  s3: LocalS3,
  line: string,
  headers: Readonly<Record<string, string>> = {},
  body: string | Buffer = '',
): Promise<RawAnswer> {
  const [method = 'GET', path = '/'] = line.split(' ');
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(s3.endpoint);
    const length = 'transfer-encoding' in headers ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    // The path is given apart: as part of a URL it would be normalized.
    const outgoing = request(
      { hostname, port, path, method, agent: false, headers: { ...length, ...headers } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const code = /<Code>([^<]*)/.exec(text)?.[1];
          resolve({ status: answer.statusCode ?? 0, code, text, headers: answer.headers });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
