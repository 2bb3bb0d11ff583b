import { HeadObjectCommand, ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { S3RestoreTarget } from '../../../adapters/roots/s3-restore-target.ts';
import { keyInRoot, type S3RootLocation } from '../../../adapters/roots/s3-root-location.ts';
import type { PartLine } from '../../../core/manifest.ts';
import type { RestoreMarker, VaultSource } from '../../../core/ports/restore-target.ts';
import { variedBytes } from '../../support/byte-streams.ts';
import { checksumOfBytes } from '../../support/checksum-of-bytes.ts';
import { putS3, s3Bytes } from '../../support/s3-bytes.ts';
import { localClient, useLocalS3 } from '../../support/s3-fixture.ts';
import { s3Roots } from '../../support/s3-roots.ts';

const MIB = 1024 ** 2;
const SNAPSHOT = 'snapshot.2026-11-23.02-00-00';
const fixture = useLocalS3();
const SIZES = { multipartAboveBytes: 6 * MIB, rangeSizeBytes: 5 * MIB };

let root: S3RootLocation;
let vault: string;

beforeEach(async () => {
  const [only] = s3Roots(fixture.client, await fixture.newBucket(), [
    { name: 'main', pattern: 'rank-{rank}/tom-{tom}', exclude: [] },
  ]);
  if (only === undefined) {
    throw new Error('There is one root.');
  }
  root = only;
  vault = await fixture.newBucket({ versioned: true });
  fixture.s3.counters.reset();
});
afterEach(() => {
  fixture.s3.faults.clear();
});

async function stored(path: string, bytes: Uint8Array): Promise<{ line: PartLine; source: VaultSource }> {
  const key = `nightly/${SNAPSHOT}/rank-1/${path}`;
  const put = await fixture.client.send(
    new PutObjectCommand({ Bucket: vault, Key: key, Body: bytes, ChecksumAlgorithm: 'CRC64NVME' }),
  );
  const versionId = put.VersionId ?? '';
  const line = {
    path,
    root: 'main',
    sizeBytes: bytes.byteLength,
    token: 's3:x',
    checksum: await checksumOfBytes('CRC64NVME', bytes),
    in: SNAPSHOT,
    etag: put.ETag ?? '',
    versionId,
  };
  return { line, source: { bucket: vault, key, versionId } };
}

async function textAt(key: string): Promise<string | undefined> {
  const bytes = await s3Bytes(fixture.client, { bucket: root.bucket, key });
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

function requests(operation: string): number {
  return fixture.s3.counters.snapshot().byOperation[operation]?.requests ?? 0;
}

async function uploadsUnderWay(): Promise<number> {
  return ((await fixture.client.send(new ListMultipartUploadsCommand({ Bucket: root.bucket }))).Uploads ?? []).length;
}

describe('placing a large part on S3', () => {
  const bytes = variedBytes(28 * MIB + 5);

  async function killedAfterThreeRanges(line: PartLine, source: VaultSource): Promise<void> {
    const hold = fixture.s3.faults.hold({ where: { operation: 'UploadPartCopy' }, when: { from: 4 } });
    const client = localClient(fixture.s3.endpoint, 1);
    const killed = new S3RestoreTarget({ ...root, client }, SIZES).placePart(1, line, source);
    await hold.reached;
    await untilRecorded(3);
    fixture.s3.faults.inject({
      fault: 'accessDenied',
      where: { operation: ['UploadPartCopy', 'AbortMultipartUpload'] },
    });
    client.destroy();
    hold.release();
    await Promise.allSettled([killed]);
    await untilRecorded(6);
    fixture.s3.faults.clear();
  }

  async function untilRecorded(ranges: number): Promise<void> {
    while (requests('UploadPartCopy') < ranges) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  it('goes on with the ranges that a killed try has finished', async () => {
    const { line, source } = await stored('large', bytes);
    await killedAfterThreeRanges(line, source);
    const before = requests('UploadPartCopy');
    await new S3RestoreTarget(root, SIZES).placePart(1, line, source);
    expect(requests('UploadPartCopy') - before).toBeLessThanOrEqual(3);
    expect(requests('CreateMultipartUpload')).toBe(1);
    const placed = await s3Bytes(fixture.client, { bucket: root.bucket, key: keyInRoot(root, 1, 'large') });
    expect(Buffer.compare(placed ?? new Uint8Array(), bytes)).toBe(0);
    expect(await uploadsUnderWay()).toBe(0);
  });

  it('does not mix the ranges of two snapshots', async () => {
    const other = await stored('large', variedBytes(bytes.byteLength, 99));
    await killedAfterThreeRanges(other.line, other.source);
    const { line, source } = await stored('large', bytes);
    await new S3RestoreTarget(root, SIZES).placePart(1, line, source);
    const placed = await s3Bytes(fixture.client, { bucket: root.bucket, key: keyInRoot(root, 1, 'large') });
    expect(Buffer.compare(placed ?? new Uint8Array(), bytes)).toBe(0);
    expect(await uploadsUnderWay()).toBe(0);
  });

  it('leaves nothing under way when the vault does not hold the recorded bytes', async () => {
    const { line, source } = await stored('large', bytes);
    const checksum = await checksumOfBytes('CRC64NVME', Buffer.from('other'));
    const placing = new S3RestoreTarget(root, SIZES).placePart(1, { ...line, checksum }, source);
    await expect(placing).rejects.toMatchObject({ name: 'ChecksumMismatch' });
    expect(await uploadsUnderWay()).toBe(0);
  });
});

describe('placing a part on S3', () => {
  it('gets over a 200 with an error in it', async () => {
    const { line, source } = await stored('x', Buffer.from('restored'));
    const injected = fixture.s3.faults.inject({ fault: 'errorInBody', where: { operation: 'CopyObject' }, times: 1 });
    await new S3RestoreTarget(root).placePart(1, line, source);
    expect(injected.struck).toBe(1);
    expect(await textAt(keyInRoot(root, 1, 'x'))).toBe('restored');
  });

  it('fails as transient when these do not end, and as denied when it is denied', async () => {
    const { line, source } = await stored('x', Buffer.from('restored'));
    fixture.s3.faults.inject({ fault: 'errorInBody', where: { operation: 'CopyObject' } });
    await expect(new S3RestoreTarget(root).placePart(1, line, source)).rejects.toMatchObject({
      name: 'StoreUnavailable',
    });
    fixture.s3.faults.clear();
    fixture.s3.faults.inject({ fault: 'accessDenied', where: { operation: 'CopyObject' } });
    await expect(new S3RestoreTarget(root).placePart(1, line, source)).rejects.toMatchObject({
      name: 'S3AccessDenied',
    });
  });

  it('has no checksum of objects that were made without one', async () => {
    const key = keyInRoot(root, 1, 'x');
    await putS3(fixture.client, { bucket: root.bucket, key }, 'x');
    const target = new S3RestoreTarget(root);
    expect(await target.checksumOf(1, 'x', 'CRC32')).toBeUndefined();
    fixture.s3.faults.inject({ fault: 'accessDenied', where: { operation: 'HeadObject' } });
    await expect(target.checksumOf(1, 'x', 'CRC32')).rejects.toMatchObject({ name: 'S3AccessDenied' });
  });
});

describe('moving objects aside', () => {
  const ASIDE = '.rankvault-aside/l/rank-1/x';

  it('keeps what their readers are told', async () => {
    const key = keyInRoot(root, 1, 'x');
    const described = { ContentType: 'application/x-seg', Metadata: { theirs: '1' }, Tagging: 'team=db' };
    await fixture.client.send(new PutObjectCommand({ Bucket: root.bucket, Key: key, Body: 'old', ...described }));
    await new S3RestoreTarget(root).moveAside(1, 'x', 'l');
    const head = await fixture.client.send(
      new HeadObjectCommand({ Bucket: root.bucket, Key: `${root.prefix}${ASIDE}` }),
    );
    expect(head).toMatchObject({ ContentType: 'application/x-seg', Metadata: { theirs: '1' }, TagCount: 1 });
  });

  it('makes up for a deletion that a crash prevented', async () => {
    const key = keyInRoot(root, 1, 'x');
    await putS3(fixture.client, { bucket: root.bucket, key }, 'old');
    fixture.s3.faults.inject({ fault: 'accessDenied', where: { operation: 'DeleteObject' }, times: 1 });
    await expect(new S3RestoreTarget(root).moveAside(1, 'x', 'l')).rejects.toMatchObject({ name: 'S3AccessDenied' });
    expect(await textAt(key)).toBe('old');
    await new S3RestoreTarget(root).moveAside(1, 'x', 'l');
    expect(await textAt(key)).toBeUndefined();
    expect(await textAt(`${root.prefix}${ASIDE}`)).toBe('old');
  });

  it('leaves alone what was placed since, and what lies aside, when a ghost comes late', async () => {
    const key = keyInRoot(root, 1, 'x');
    const target = new S3RestoreTarget(root);
    // The same bytes: only the version tells the restored part from the old one.
    const { line, source } = await stored('x', Buffer.from('same'));
    await putS3(fixture.client, { bucket: root.bucket, key }, 'same');
    const aside = target.moveAside(1, 'x', 'l');
    await aside;
    await target.placePart(1, line, source);
    await target.moveAside(1, 'x', 'l');
    expect(await textAt(key)).toBe('same');
    expect(await textAt(`${root.prefix}${ASIDE}`)).toBe('same');
  });

  it('refuses an object that something else writes at the same time', async () => {
    const key = keyInRoot(root, 1, 'x');
    await putS3(fixture.client, { bucket: root.bucket, key }, 'old');
    const hold = fixture.s3.faults.hold({ where: { operation: 'CopyObject' } });
    const moving = new S3RestoreTarget(root).moveAside(1, 'x', 'l');
    moving.catch(() => undefined);
    await hold.reached;
    await putS3(fixture.client, { bucket: root.bucket, key }, 'new');
    hold.release();
    await expect(moving).rejects.toMatchObject({ name: 'PartChanged' });
    expect(await textAt(key)).toBe('new');
  });
});

describe('the marker of an S3 root', () => {
  const marker: RestoreMarker = {
    formatVersion: 1,
    execution: 'restore-1',
    backup: 'nightly',
    snapshot: SNAPSHOT,
    startedAt: '2026-11-23T03:00:00.000Z',
    phase: 'moving',
    label: 'l',
  };

  it('is written by one of two restores that start at the same moment', async () => {
    const hold = fixture.s3.faults.hold({ where: { operation: 'PutObject', bucket: root.bucket } });
    const writing = ['restore-1', 'restore-2'].map(async (execution) =>
      new S3RestoreTarget(root).writeMarker({ ...marker, execution }),
    );
    await hold.reached;
    while (hold.waiting < 2) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    hold.release();
    const outcomes = await Promise.allSettled(writing);
    const lost = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(lost).toHaveLength(1);
    expect(lost[0]).toMatchObject({ name: 'RestoreInProgress', family: 'conflict' });
  });

  it('is fine when the same execution writes it twice at the same moment', async () => {
    const target = new S3RestoreTarget(root);
    await Promise.all([target.writeMarker(marker), target.writeMarker(marker), target.writeMarker(marker)]);
    expect(await target.readMarker()).toEqual(marker);
  });

  it('is written though the response to the write is lost', async () => {
    const target = new S3RestoreTarget(root);
    fixture.s3.faults.inject({
      fault: 'loseResponse',
      where: { operation: 'PutObject', bucket: root.bucket },
      times: 1,
    });
    await target.writeMarker(marker);
    fixture.s3.faults.inject({
      fault: 'loseResponse',
      where: { operation: 'PutObject', bucket: root.bucket },
      times: 1,
    });
    await target.writeMarker({ ...marker, phase: 'placing' });
    expect((await target.readMarker())?.phase).toBe('placing');
  });
});
