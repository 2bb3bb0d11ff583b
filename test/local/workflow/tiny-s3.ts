import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';

/** The three requests that Distributed Maps make, over HTTP: get, put, list. Pages have two objects. */
export interface TinyS3 {
  readonly client: S3Client;
  readonly objects: Map<string, string>;
  close(): Promise<void>;
}

const PAGE_OBJECTS = 2;

export async function startTinyS3(): Promise<TinyS3> {
  const objects = new Map<string, string>();
  const server = createServer((request, response) => void answer(objects, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = addressOf(server.address());
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    maxAttempts: 1,
  });
  return {
    client,
    objects,
    close: async () => {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(objects: Map<string, string>, request: IncomingMessage, response: ServerResponse) {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const path = decodeURIComponent(url.pathname).slice(1);
  if (request.method === 'PUT') {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    objects.set(path, Buffer.concat(chunks).toString());
    response.setHeader('etag', '"written"').end();
    return;
  }
  if (url.searchParams.has('list-type')) {
    response.end(listing(objects, path.replace(/\/$/, ''), url.searchParams));
    return;
  }
  const body = objects.get(path);
  if (body !== undefined) {
    response.setHeader('etag', 'stored').end(body);
    return;
  }
  response.statusCode = 404;
  response.end('<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>');
}

function listing(objects: Map<string, string>, bucket: string, query: URLSearchParams): string {
  const start = `${bucket}/${query.get('prefix') ?? ''}`;
  const after = query.get('continuation-token') ?? '';
  const found = [...objects.keys()].filter((path) => path.startsWith(start) && path > after).sort();
  const page = found.slice(0, PAGE_OBJECTS);
  const contents = page.map(
    (path) =>
      `<Contents><Key>${path.slice(bucket.length + 1)}</Key><Size>${objects.get(path)?.length}</Size><ETag>"e"</ETag>` +
      '<LastModified>2026-01-02T03:04:05.000Z</LastModified><StorageClass>STANDARD</StorageClass></Contents>',
  );
  const isTruncated = found.length > PAGE_OBJECTS;
  const token = isTruncated ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
  return `<ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${token}${contents.join('')}</ListBucketResult>`;
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address;
}
