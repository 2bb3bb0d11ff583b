import { GetObjectRetentionCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VaultBucket } from '../../../adapters/s3/s3-bucket.ts';
import { creationHeaders, type PartWrite, writeOnce } from '../../../adapters/s3/write-once.ts';
import { type Checksum, checksumOf } from '../../../core/checksum.ts';
import { PartChanged } from '../../../core/errors.ts';
import { partKey, rewrittenPartKey } from '../../../core/vault-layout.ts';
import { checksumOfBytes } from '../../support/checksum-of-bytes.ts';
import { s3Bytes } from '../../support/s3-bytes.ts';
import { useLocalS3 } from '../../support/s3-fixture.ts';

const fixture = useLocalS3();
const PLACE = { backup: 'nightly', snapshot: 'snapshot.2026-11-23.02-00-00', rank: 1, path: 'tom-0/x' } as const;
const NATURAL = partKey(PLACE.backup, PLACE.snapshot, PLACE.rank, PLACE.path);
const OTHER_CHECKSUM = checksumOf('CRC32', 'AAAAAA==');

let vault: VaultBucket;
beforeEach(async () => {
  vault = { client: fixture.client, bucket: await fixture.newBucket({ versioned: true }) };
});
afterEach(() => {
  fixture.s3.faults.clear();
});

/** A streamed write, as the file copier makes it. */
function streamed(text: string, token: string, more: Partial<PartWrite> = {}): PartWrite {
  return {
    place: PLACE,
    token,
    sizeBytes: Buffer.byteLength(text),
    write: async (key) => {
      const output = await vault.client.send(
        new PutObjectCommand({
          ...creationHeaders(vault, token),
          Key: key,
          Body: text,
          IfNoneMatch: '*',
          ChecksumAlgorithm: 'CRC32',
        }),
      );
      const checksum = checksumOf('CRC32', output.ChecksumCRC32 ?? '');
      return { etag: output.ETag ?? '', versionId: output.VersionId, checksum };
    },
    ...more,
  };
}

async function stored(key: string): Promise<string | undefined> {
  const bytes = await s3Bytes(fixture.client, { bucket: vault.bucket, key });
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

describe('writing part bytes once', () => {
  it('takes the natural key, then the rewritten one for another version, and nothing else', async () => {
    const first = await writeOnce(vault, streamed('one', 'file:1'));
    const second = await writeOnce(vault, streamed('two', 'file:2'));
    const rewritten = rewrittenPartKey(PLACE, 'file:2');
    expect(first?.key).toBeUndefined();
    expect(second?.key).toBe(rewritten);
    expect([await stored(NATURAL), await stored(rewritten)]).toEqual(['one', 'two']);
  });

  it('finds its own object by token, size and checksum', async () => {
    const known = async (): Promise<Checksum> => checksumOfBytes('CRC32', Buffer.from('one'));
    const checksum = await known();
    const first = await writeOnce(vault, streamed('one', 'file:1'));
    const again = await writeOnce(vault, streamed('one', 'file:1', { knownChecksum: () => checksum }));
    expect(again).toEqual(first);
  });

  it('does not compare checksums of different algorithms', async () => {
    const first = await writeOnce(vault, streamed('one', 'file:1'));
    const crc64 = checksumOf('CRC64NVME', 'AAAAAAAAAAA=');
    expect(await writeOnce(vault, streamed('one', 'file:1', { knownChecksum: () => crc64 }))).toEqual(first);
  });

  it('refuses other bytes under the same token', async () => {
    await writeOnce(vault, streamed('one', 'file:1'));
    const changed = writeOnce(vault, streamed('eno', 'file:1', { knownChecksum: () => OTHER_CHECKSUM }));
    await expect(changed).rejects.toMatchObject({
      name: 'ChecksumMismatch',
      hint: expect.stringMatching(/nothing writes/),
    });
    expect(await stored(NATURAL)).toBe('one');
  });

  it('takes an object of the same token and another size for another version', async () => {
    await writeOnce(vault, streamed('one', 'file:1'));
    const second = await writeOnce(vault, streamed('longer', 'file:1'));
    expect(second?.key).toBe(rewrittenPartKey(PLACE, 'file:1'));
  });

  it('refuses a rewritten key that something else has', async () => {
    await writeOnce(vault, streamed('one', 'file:1'));
    const key = rewrittenPartKey(PLACE, 'file:2');
    await vault.client.send(new PutObjectCommand({ Bucket: vault.bucket, Key: key, Body: 'two' }));
    await expect(writeOnce(vault, streamed('two', 'file:2'))).rejects.toMatchObject({ name: 'VaultKeyTaken' });
    expect(await stored(key)).toBe('two');
  });

  it('looks before it writes when a write is dear', async () => {
    const first = await writeOnce(vault, streamed('one', 'file:1'));
    const write = (): never => {
      throw new Error('not to be called');
    };
    expect(await writeOnce(vault, streamed('one', 'file:1', { lookFirst: true, write }))).toEqual(first);
  });

  it('writes again after a conflict that left nothing behind', async () => {
    fixture.s3.faults.inject({ fault: 'conflict', where: { operation: 'PutObject', bucket: vault.bucket }, times: 2 });
    const receipt = await writeOnce(vault, streamed('one', 'file:1'));
    expect(receipt?.key).toBeUndefined();
    expect(await stored(NATURAL)).toBe('one');
  });

  it('gives up as transient when conflicts do not end', async () => {
    fixture.s3.faults.inject({ fault: 'conflict', where: { operation: 'PutObject', bucket: vault.bucket } });
    await expect(writeOnce(vault, streamed('one', 'file:1'))).rejects.toMatchObject({ name: 'StoreUnavailable' });
  });

  it('finds its own object when the response to the write was lost', async () => {
    const injected = fixture.s3.faults.inject({ fault: 'loseResponse', where: { operation: 'PutObject' }, times: 1 });
    const receipt = await writeOnce(vault, streamed('one', 'file:1'));
    expect(injected.struck).toBe(1);
    expect(receipt?.key).toBeUndefined();
    expect(receipt?.versionId).not.toBe('');
  });

  it('asks whether the source was the reason when a refused key is free', async () => {
    fixture.s3.faults.inject({ fault: 'conflict', where: { operation: 'PutObject', bucket: vault.bucket }, times: 1 });
    const gone = new PartChanged('changed.', { hint: 'Again.' });
    const write = streamed('one', 'file:1', { assertSourceUnchanged: async () => Promise.reject(gone) });
    await expect(writeOnce(vault, write)).rejects.toBe(gone);
    expect(await stored(NATURAL)).toBeUndefined();
  });

  it('stops when the write stops', async () => {
    expect(await writeOnce(vault, streamed('one', 'file:1', { write: async () => undefined }))).toBeUndefined();
  });

  it('locks what it writes, when asked to', async () => {
    const bucket = await fixture.newBucket({ objectLock: true });
    vault = { ...vault, bucket, objectLock: { mode: 'COMPLIANCE', retainUntil: '2099-01-01T00:00:00.000Z' } };
    const receipt = await writeOnce(vault, streamed('one', 'file:1'));
    const retention = await vault.client.send(
      new GetObjectRetentionCommand({ Bucket: bucket, Key: NATURAL, VersionId: receipt?.versionId }),
    );
    expect(retention.Retention).toEqual({ Mode: 'COMPLIANCE', RetainUntilDate: new Date('2099-01-01T00:00:00.000Z') });
  });
});
