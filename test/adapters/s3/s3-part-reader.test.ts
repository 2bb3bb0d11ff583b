import { createServer, type ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { S3PartReader } from '../../../adapters/s3/s3-part-reader.ts';
import { localClient, readingClient, useLocalS3 } from '../../support/s3-fixture.ts';
import { putS3Version } from '../../support/s3-vault.ts';

const fixture = useLocalS3();
const VERSION = { key: 'k', versionId: 'v1' };

/** A reader of an endpoint that answers as it is told. */
async function readerOf(answer: (response: ServerResponse) => void): Promise<S3PartReader> {
  const server = createServer((_request, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address === null || typeof address === 'string' ? 0 : address.port;
  const client = readingClient(`http://127.0.0.1:${port}`);
  onTestFinished(() => {
    client.destroy();
    server.close();
    server.closeAllConnections();
  });
  return new S3PartReader({ client, bucket: 'vault' });
}

describe('reading a part when the connection makes trouble', () => {
  it('is transient when it breaks in the middle of the bytes', async () => {
    const reader = await readerOf((response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write(Buffer.alloc(100), () => response.destroy());
    });
    await expect(reader.read(VERSION, 'CRC32')).rejects.toMatchObject({
      name: 'StoreUnavailable',
      family: 'transient',
    });
  });

  it('is transient when the bytes end before the length that was promised', async () => {
    const reader = await readerOf((response) => response.writeHead(200).end(Buffer.alloc(100)));
    await expect(reader.read(VERSION, 'CRC32')).rejects.toMatchObject({
      name: 'StoreUnavailable',
      message: /after 100 of/,
    });
  });

  it('gets over a refusal that passes', async () => {
    const { client, s3 } = fixture;
    const bucket = await fixture.newBucket({ versioned: true });
    const version = await putS3Version(client, { bucket, key: 'k' }, Buffer.from('x'));
    const injected = s3.faults.inject({ fault: 'slowDown', where: { operation: 'GetObject' }, times: 1 });
    const reading = readingClient(s3.endpoint);
    onTestFinished(() => reading.destroy());
    const read = await new S3PartReader({ client: reading, bucket }).read(version, 'CRC32');
    expect(injected.struck).toBe(1);
    expect(read?.sizeBytes).toBe(1);
  });
});

it('names damage also with a client that compares the bytes itself', async () => {
  const { client, s3 } = fixture;
  const bucket = await fixture.newBucket({ versioned: true });
  const version = await putS3Version(client, { bucket, key: 'k' }, Buffer.from('bytes'));
  await s3.damage.rot({ bucket, ...version });
  const comparing = localClient(s3.endpoint);
  onTestFinished(() => comparing.destroy());
  const read = new S3PartReader({ client: comparing, bucket }).read(version, 'CRC32');
  await expect(read).rejects.toMatchObject({ name: 'ChecksumMismatch' });
});
