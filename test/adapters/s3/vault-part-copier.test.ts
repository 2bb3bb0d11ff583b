import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { S3ObjectStore } from '../../../adapters/s3/s3-object-store.ts';
import { VaultPartCopier } from '../../../adapters/s3/vault-part-copier.ts';
import type { CopyTask } from '../../../core/ports/part-copier.ts';
import { partKey } from '../../../core/vault-layout.ts';
import { variedBytes } from '../../support/byte-streams.ts';
import { checksumOfBytes } from '../../support/checksum-of-bytes.ts';
import { s3Bytes } from '../../support/s3-bytes.ts';
import { useLocalS3 } from '../../support/s3-fixture.ts';
import { hideS3, putS3Version } from '../../support/s3-vault.ts';

const MIB = 1024 ** 2;
const SOURCE = 'snapshot.2026-11-23.02-00-00';
const MERGED = 'snapshot.2026-11-30.02-00-00';
const fixture = useLocalS3();

let bucket: string;
let work: S3ObjectStore;

beforeEach(async () => {
  bucket = await fixture.newBucket({ versioned: true });
  work = new S3ObjectStore({ client: fixture.client, bucket: await fixture.newBucket() });
  fixture.s3.counters.reset();
});

afterEach(() => {
  fixture.s3.faults.clear();
});

/** A new copier each time, as each Lambda has its own. */
function copier(): VaultPartCopier {
  const vault = { client: fixture.client, bucket };
  return new VaultPartCopier({ vault, work, multipartAboveBytes: 6 * MIB, rangeSizeBytes: 5 * MIB });
}

async function taskFor(bytes: Uint8Array, storageClass = 'STANDARD'): Promise<CopyTask> {
  const at = { bucket, key: partKey('nightly', SOURCE, 1, 'x') };
  const { versionId } = await putS3Version(fixture.client, at, bytes, { storageClass });
  const sizeBytes = bytes.byteLength;
  const checksum = await checksumOfBytes('CRC32', bytes);
  return {
    backup: 'nightly',
    snapshot: MERGED,
    rank: 1,
    part: { kind: 'part', path: 'x', root: 'main', sizeBytes, token: 's3:listed', racy: false },
    stored: { sizeBytes, checksum, in: SOURCE, etag: '"any"', versionId },
    uploadKey: 'uploads/x.json',
    shouldStop: () => false,
  };
}

async function uploadsUnderWay(): Promise<number> {
  const output = await fixture.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  return (output.Uploads ?? []).length;
}

const requests = (operation: string): number => fixture.s3.counters.snapshot().byOperation[operation]?.requests ?? 0;

describe('copying a stored part', () => {
  it('goes on after a stop with the ranges that are missing', async () => {
    const bytes = variedBytes(16 * MIB);
    const task = await taskFor(bytes);
    let asked = 0;
    // The first question is the copier's own, before it begins; then one before each range.
    const shouldStop = (): boolean => {
      asked += 1;
      return asked > 3;
    };
    expect(await copier().copy({ ...task, shouldStop })).toBeUndefined();
    expect(requests('UploadPartCopy')).toBe(2);
    const receipt = await copier().copy(task);
    expect(requests('UploadPartCopy')).toBe(4);
    expect(requests('CreateMultipartUpload')).toBe(1);
    expect(receipt?.checksum).toBe(task.stored?.checksum);
    const copied = await s3Bytes(fixture.client, { bucket, key: partKey('nightly', MERGED, 1, 'x') });
    expect(Buffer.compare(copied ?? new Uint8Array(), bytes)).toBe(0);
    expect(await uploadsUnderWay()).toBe(0);
    expect(await work.head(task.uploadKey)).toBeUndefined();
  });

  it('leaves no upload behind when the bytes are not those recorded', async () => {
    const task = await taskFor(variedBytes(16 * MIB));
    await fixture.s3.damage.rot({ bucket, key: partKey('nightly', SOURCE, 1, 'x') });
    await expect(copier().copy(task)).rejects.toMatchObject({ name: 'ChecksumMismatch' });
    expect(await uploadsUnderWay()).toBe(0);
  });

  it('gets over an answer that is lost after the copy was made', async () => {
    const task = await taskFor(Buffer.from('bytes'));
    const injected = fixture.s3.faults.inject({
      fault: 'loseResponse',
      where: { operation: 'CopyObject' },
      times: 1,
    });
    const receipt = await copier().copy(task);
    expect(injected.struck).toBe(1);
    expect(receipt?.checksum).toBe(task.stored?.checksum);
    expect(receipt?.key).toBeUndefined();
  });

  it('costs one request when nothing is in the way', async () => {
    const task = await taskFor(Buffer.from('bytes'));
    fixture.s3.counters.reset();
    await copier().copy(task);
    expect(fixture.s3.counters.snapshot().total.requests).toBe(1);
  });

  it.each([1, 7 * MIB])('refuses an archived version of %i bytes by name', async (sizeBytes) => {
    const task = await taskFor(variedBytes(sizeBytes), 'GLACIER');
    await expect(copier().copy(task)).rejects.toMatchObject({ name: 'SourceUnreadable' });
  });

  it.each([1, 7 * MIB])('takes a delete marker in place of %i bytes for what it is: nothing', async (sizeBytes) => {
    const task = await taskFor(variedBytes(sizeBytes));
    const { versionId } = await hideS3(fixture.client, { bucket, key: partKey('nightly', SOURCE, 1, 'x') });
    const stored = task.stored === undefined ? undefined : { ...task.stored, versionId };
    const copied = copier().copy({ ...task, ...(stored === undefined ? {} : { stored }) });
    await expect(copied).rejects.toMatchObject({ name: 'VaultPartMissing' });
  });
});
