import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createS3Client } from '../../../adapters/s3/s3-client.ts';
import { S3ObjectStore } from '../../../adapters/s3/s3-object-store.ts';
import { bytesOf, collect, streamOf, variedBytes } from '../../support/byte-streams.ts';
import { useLocalS3 } from '../../support/s3-fixture.ts';
import { storeBytes } from '../../support/store-bytes.ts';

const MIB = 1024 ** 2;
const fixture = useLocalS3();
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

let store: S3ObjectStore;
let bucket: string;
beforeEach(async () => {
  bucket = await fixture.newBucket();
  store = new S3ObjectStore({ client: fixture.client, bucket });
});
afterEach(() => {
  fixture.s3.faults.clear();
});

async function read(key: string): Promise<string> {
  return Buffer.from(await storeBytes(store, key)).toString();
}

async function uploadsUnderWay(): Promise<number> {
  return ((await fixture.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? []).length;
}

describe('the S3 object store when a response is lost', () => {
  it('has replaced what it replaced', async () => {
    await store.create('lock', text('old'));
    const etag = (await store.head('lock'))?.etag ?? '';
    fixture.s3.faults.inject({ fault: 'loseResponse', where: { operation: 'PutObject' }, times: 1 });
    expect(await store.replace('lock', text('nonce-1'), etag)).toBe('replaced');
    expect(await store.replace('lock', text('nonce-2'), etag)).toBe('lost');
    expect(await read('lock')).toBe('nonce-1');
  });

  it('has not replaced what another replaced in between', async () => {
    await store.create('lock', text('old'));
    const etag = (await store.head('lock'))?.etag ?? '';
    await store.put('lock', text('another'));
    fixture.s3.faults.inject({ fault: 'reset', where: { operation: 'PutObject' }, times: 1 });
    expect(await store.replace('lock', text('ours'), etag)).toBe('lost');
    expect(await read('lock')).toBe('another');
  });

  it('has deleted what it deleted', async () => {
    await store.create('lock', text('old'));
    const etag = (await store.head('lock'))?.etag ?? '';
    fixture.s3.faults.inject({ fault: 'loseResponse', where: { operation: 'DeleteObject' }, times: 1 });
    expect(await store.deleteIfMatch('lock', etag)).toBe('deleted');
  });

  it('says that the key exists, so that the writer reads back', async () => {
    fixture.s3.faults.inject({ fault: 'loseResponse', where: { operation: 'PutObject' }, times: 1 });
    expect(await store.create('k', text('ours'))).toBe('exists');
    expect(await read('k')).toBe('ours');
    const bytes = variedBytes(9 * MIB);
    fixture.s3.faults.inject({ fault: 'loseResponse', where: { operation: 'CompleteMultipartUpload' }, times: 1 });
    const made = await store.createStream('big', streamOf(bytes, 500_000));
    expect(made.sizeBytes).toBe(bytes.byteLength);
    expect(Buffer.compare(await storeBytes(store, 'big'), bytes)).toBe(0);
    expect(await uploadsUnderWay()).toBe(0);
  });
});

describe('the S3 object store when S3 makes trouble', () => {
  it('tries again after conflicts of simultaneous creators, and reads back who won', async () => {
    await store.create('k', text('winner'));
    fixture.s3.faults.inject({ fault: 'conflict', where: { operation: 'PutObject' }, times: 1 });
    expect(await store.create('k', text('loser'))).toBe('exists');
    fixture.s3.faults.inject({ fault: 'conflict', where: { operation: 'PutObject' } });
    await expect(store.create('other', text('x'))).rejects.toMatchObject({ name: 'StoreUnavailable' });
  });

  it('aborts the upload of a stream that it cannot store', async () => {
    fixture.s3.faults.inject({ fault: 'accessDenied', where: { operation: 'UploadPart' }, when: { nth: 2 } });
    await expect(store.putStream('big', streamOf(variedBytes(20 * MIB), MIB))).rejects.toMatchObject({
      name: 'S3AccessDenied',
    });
    expect(await uploadsUnderWay()).toBe(0);
    expect(await store.head('big')).toBeUndefined();
  });

  it.each(['get', 'head', 'delete'] as const)('throws when %s is denied or S3 stays busy', async (method) => {
    await store.put('k', text('x'));
    const operation = ({ get: 'GetObject', head: 'HeadObject', delete: 'DeleteObject' } as const)[method];
    const denied = fixture.s3.faults.inject({ fault: 'accessDenied', where: { operation } });
    await expect(store[method]('k')).rejects.toMatchObject({ name: 'S3AccessDenied' });
    denied.remove();
    fixture.s3.faults.inject({ fault: 'slowDown', where: { operation } });
    await expect(store[method]('k')).rejects.toMatchObject({ name: 'StoreUnavailable', family: 'transient' });
  });

  it('names a bucket that does not exist', async () => {
    const lost = new S3ObjectStore({ client: fixture.client, bucket: 'no-such-bucket' });
    await expect(lost.get('k')).rejects.toMatchObject({ name: 'S3BucketMissing' });
    await expect(lost.create('k', text('x'))).rejects.toMatchObject({ name: 'S3BucketMissing' });
    await expect(collect(lost.list(''))).rejects.toMatchObject({ name: 'S3BucketMissing' });
  });

  it('lets go of a body that is not read to its end', async () => {
    await store.put('k', variedBytes(3 * MIB));
    for (let round = 0; round < 3; round += 1) {
      const stored = await store.get('k');
      for await (const chunk of stored?.body ?? []) {
        expect(chunk.byteLength).toBeGreaterThan(0);
        break;
      }
    }
    expect((await storeBytes(store, 'k')).byteLength).toBe(3 * MIB);
  });
});

describe('the S3 client', () => {
  it('tells S3 who calls, and speaks path style to an endpoint', async () => {
    fixture.s3.counters.reset();
    const client = createS3Client({
      caller: 'copy-parts',
      endpoint: fixture.s3.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    const stored = new S3ObjectStore({ client, bucket });
    await stored.put('k', text('x'));
    expect(Buffer.from(await bytesOf((await stored.get('k'))?.body ?? streamOf(''))).toString()).toBe('x');
    expect(fixture.s3.counters.snapshot().byCaller['copy-parts']?.requests).toBe(2);
    expect(await client.config.maxAttempts()).toBe(10);
    expect(await client.config.requestChecksumCalculation()).toBe('WHEN_REQUIRED');
    client.destroy();
  });
});
