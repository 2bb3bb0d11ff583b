import {
  AbortMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyInRoot, type S3RootLocation } from '../../../adapters/roots/s3-root-location.ts';
import { S3ObjectStore } from '../../../adapters/s3/s3-object-store.ts';
import { S3PartCopier } from '../../../adapters/s3/s3-part-copier.ts';
import type { CopyTask } from '../../../core/ports/part-copier.ts';
import { s3Token } from '../../../core/source-token.ts';
import { partKey } from '../../../core/vault-layout.ts';
import type { FaultKind } from '../../../local/s3/control/faults.ts';
import { variedBytes } from '../../support/byte-streams.ts';
import { checksumOfBytes } from '../../support/checksum-of-bytes.ts';
import { putS3, s3Bytes } from '../../support/s3-bytes.ts';
import { localClient, useLocalS3 } from '../../support/s3-fixture.ts';
import { s3Roots } from '../../support/s3-roots.ts';

const MIB = 1024 ** 2;
const BACKUP = 'nightly';
const SNAPSHOT = 'snapshot.2026-11-23.02-00-00';
const UPLOAD_KEY = 'runs/Snapshot/e/uploads/rank-1/00001.json';
const fixture = useLocalS3();

let root: S3RootLocation;
let vault: string;
let work: S3ObjectStore;

beforeEach(async () => {
  const { client } = fixture;
  const [only] = s3Roots(client, await fixture.newBucket(), [
    { name: 'main', pattern: 'rank-{rank}/tom-{tom}', exclude: [] },
  ]);
  if (only === undefined) {
    throw new Error('There is one root.');
  }
  root = only;
  vault = await fixture.newBucket({ versioned: true });
  work = new S3ObjectStore({ client, bucket: await fixture.newBucket() });
  fixture.s3.counters.reset();
});

afterEach(() => {
  fixture.s3.faults.clear();
});

/** A new copier each time, as each Lambda has its own. */
function copier(): S3PartCopier {
  return new S3PartCopier({
    vault: { client: fixture.client, bucket: vault },
    work,
    roots: [root],
    multipartAboveBytes: 6 * MIB,
    rangeSizeBytes: 5 * MIB,
  });
}

async function taskFor(path: string, bytes: Uint8Array, shouldStop = () => false): Promise<CopyTask> {
  const { etag } = await putS3(fixture.client, { bucket: root.bucket, key: keyInRoot(root, 1, path) }, bytes);
  const part = {
    kind: 'part',
    path,
    root: 'main',
    sizeBytes: bytes.byteLength,
    token: s3Token(etag, undefined),
    racy: false,
  } as const;
  return { backup: BACKUP, snapshot: SNAPSHOT, rank: 1, part, uploadKey: UPLOAD_KEY, shouldStop };
}

function requests(operation: string): number {
  return fixture.s3.counters.snapshot().byOperation[operation]?.requests ?? 0;
}

async function uploadsUnderWay(): Promise<number> {
  const output = await fixture.client.send(new ListMultipartUploadsCommand({ Bucket: vault }));
  return (output.Uploads ?? []).length;
}

describe('copying a part when S3 makes trouble', () => {
  it.each<[FaultKind, string]>([
    ['slowDown', 'before anything is done'],
    ['internalError', 'before anything is done'],
    ['reset', 'before anything is done'],
    ['errorInBody', 'with a 200'],
    ['loseResponse', 'after the copy was made'],
    ['conflict', 'as if another writer were at it'],
  ])('gets over one %s %s', async (fault) => {
    const task = await taskFor('x', Buffer.from('bytes'));
    const injected = fixture.s3.faults.inject({ fault, where: { operation: 'CopyObject' }, times: 1 });
    const receipt = await copier().copy(task);
    expect(injected.struck).toBe(1);
    expect(receipt?.key).toBeUndefined();
    const at = { bucket: vault, key: partKey(BACKUP, SNAPSHOT, 1, 'x'), versionId: receipt?.versionId ?? '' };
    expect(Buffer.from((await s3Bytes(fixture.client, at)) ?? []).toString()).toBe('bytes');
    expect(receipt?.checksum).toBe(await checksumOfBytes('CRC64NVME', Buffer.from('bytes')));
  });

  it.each<[FaultKind, string]>([
    ['slowDown', 'StoreUnavailable'],
    ['errorInBody', 'StoreUnavailable'],
    ['conflict', 'StoreUnavailable'],
    ['accessDenied', 'S3AccessDenied'],
  ])('gives up on lasting %s as %s', async (fault, name) => {
    const task = await taskFor('x', Buffer.from('bytes'));
    fixture.s3.faults.inject({ fault, where: { operation: 'CopyObject' } });
    await expect(copier().copy(task)).rejects.toMatchObject({ name });
  });

  it('is not lost when the look after a refusal is denied', async () => {
    const task = await taskFor('x', Buffer.from('bytes'));
    await copier().copy(task);
    fixture.s3.faults.inject({ fault: 'accessDenied', where: { operation: 'HeadObject', bucket: vault } });
    await expect(copier().copy(task)).rejects.toMatchObject({ name: 'S3AccessDenied' });
  });

  it('loses nothing when the response to the completion of a large part is lost', async () => {
    const bytes = variedBytes(11 * MIB);
    const task = await taskFor('large', bytes);
    const injected = fixture.s3.faults.inject({
      fault: 'loseResponse',
      where: { operation: 'CompleteMultipartUpload' },
      times: 1,
    });
    const receipt = await copier().copy(task);
    expect(injected.struck).toBe(1);
    expect(receipt?.key).toBeUndefined();
    expect(receipt?.checksum).toBe(await checksumOfBytes('CRC64NVME', bytes));
  });
});

describe('a small part', () => {
  it('costs one request when nothing is in the way', async () => {
    const task = await taskFor('x', Buffer.from('bytes'));
    fixture.s3.counters.reset();
    await copier().copy(task);
    expect(fixture.s3.counters.snapshot().total.requests).toBe(1);
  });

  it("leaves the source's tags and metadata behind", async () => {
    const key = keyInRoot(root, 1, 'x');
    const put = await fixture.client.send(
      new PutObjectCommand({
        Bucket: root.bucket,
        Key: key,
        Body: 'x',
        Tagging: 'secret=1',
        Metadata: { theirs: '1' },
      }),
    );
    const task = await taskFor('unused', Buffer.from('x'));
    const part = { ...task.part, path: 'x', token: s3Token(put.ETag ?? '', undefined) };
    await copier().copy({ ...task, part });
    const head = await fixture.client.send(
      new HeadObjectCommand({ Bucket: vault, Key: partKey(BACKUP, SNAPSHOT, 1, 'x') }),
    );
    expect(head.Metadata).toEqual({ 'rankvault-token': part.token });
    expect(head.TagCount ?? 0).toBe(0);
  });

  it('is refused by name when it is archived', async () => {
    const key = keyInRoot(root, 1, 'x');
    const put = await fixture.client.send(
      new PutObjectCommand({ Bucket: root.bucket, Key: key, Body: 'x', StorageClass: 'DEEP_ARCHIVE' }),
    );
    const task = await taskFor('unused', Buffer.from('x'));
    const part = { ...task.part, path: 'x', token: s3Token(put.ETag ?? '', undefined) };
    await expect(copier().copy({ ...task, part })).rejects.toMatchObject({ name: 'SourceUnreadable' });
  });

  it('is known by its checksum also when only a HEAD can tell', async () => {
    const task = await taskFor('x', Buffer.from('bytes'));
    const first = await copier().copy(task);
    fixture.s3.counters.reset();
    expect(await copier().copy(task)).toEqual(first);
    expect(requests('HeadObject')).toBe(1);
  });
});

describe('a large part', () => {
  const bytes = variedBytes(28 * MIB + 5);

  it('goes on after a stop with the ranges that are missing', async () => {
    let asked = 0;
    // The first question is the copier's own, before it begins; then one before each range.
    const task = await taskFor('large', bytes, () => {
      asked += 1;
      return asked > 3;
    });
    expect(await copier().copy(task)).toBeUndefined();
    expect(requests('UploadPartCopy')).toBe(2);
    const receipt = await copier().copy({ ...task, shouldStop: () => false });
    expect(requests('UploadPartCopy')).toBe(6);
    expect(requests('CreateMultipartUpload')).toBe(1);
    expect(receipt?.checksum).toBe(await checksumOfBytes('CRC64NVME', bytes));
    const stored = await s3Bytes(fixture.client, { bucket: vault, key: partKey(BACKUP, SNAPSHOT, 1, 'large') });
    expect(Buffer.compare(stored ?? new Uint8Array(), bytes)).toBe(0);
    expect(await work.head(UPLOAD_KEY)).toBeUndefined();
    expect(await uploadsUnderWay()).toBe(0);
  });

  it('goes on after a kill in the middle of its ranges', async () => {
    const task = await taskFor('large', bytes);
    const hold = fixture.s3.faults.hold({ where: { operation: 'UploadPartCopy' }, when: { from: 4 } });
    const killedClient = localClient(fixture.s3.endpoint, 1);
    const killed = new S3PartCopier({
      vault: { client: killedClient, bucket: vault },
      work,
      roots: [root],
      multipartAboveBytes: 6 * MIB,
      rangeSizeBytes: 5 * MIB,
    }).copy(task);
    await hold.reached;
    killedClient.destroy();
    hold.release();
    await Promise.allSettled([killed]);
    const receipt = await copier().copy(task);
    expect(receipt?.checksum).toBe(await checksumOfBytes('CRC64NVME', bytes));
    expect(receipt?.key).toBeUndefined();
    expect(await uploadsUnderWay()).toBe(0);
  });

  it('is done when a try after the completion finds it in place', async () => {
    const task = await taskFor('large', bytes);
    const first = await copier().copy(task);
    fixture.s3.counters.reset();
    expect(await copier().copy(task)).toEqual(first);
    expect(requests('CreateMultipartUpload')).toBe(0);
    expect(fixture.s3.counters.snapshot().total.requests).toBe(1);
  });

  it('begins again when its upload was aborted', async () => {
    let asked = 0;
    const task = await taskFor('large', bytes, () => {
      asked += 1;
      return asked > 3;
    });
    await copier().copy(task);
    const { Uploads: uploads } = await fixture.client.send(new ListMultipartUploadsCommand({ Bucket: vault }));
    for (const { Key, UploadId } of uploads ?? []) {
      await fixture.client.send(new AbortMultipartUploadCommand({ Bucket: vault, Key, UploadId }));
    }
    const receipt = await copier().copy({ ...task, shouldStop: () => false });
    expect(receipt?.checksum).toBe(await checksumOfBytes('CRC64NVME', bytes));
    expect(requests('CreateMultipartUpload')).toBe(2);
  });

  it('does not go on with the upload of an earlier version of the part', async () => {
    let asked = 0;
    const task = await taskFor('large', bytes, () => {
      asked += 1;
      return asked > 3;
    });
    await copier().copy(task);
    const newer = variedBytes(bytes.byteLength, 77);
    const receipt = await copier().copy(await taskFor('large', newer));
    expect(receipt?.checksum).toBe(await checksumOfBytes('CRC64NVME', newer));
    expect(receipt?.key).toBeUndefined();
  });

  it('begins again when its record is damaged', async () => {
    await work.put(UPLOAD_KEY, Buffer.from('{"formatVersion":1,'));
    const receipt = await copier().copy(await taskFor('large', bytes));
    expect(receipt?.checksum).toBe(await checksumOfBytes('CRC64NVME', bytes));
  });

  it('is refused when the source changes between two ranges', async () => {
    const task = await taskFor('large', bytes);
    const hold = fixture.s3.faults.hold({ where: { operation: 'UploadPartCopy' }, when: { nth: 6 } });
    const copying = copier().copy(task);
    copying.catch(() => undefined);
    await hold.reached;
    await taskFor('large', variedBytes(bytes.byteLength, 78));
    hold.release();
    await expect(copying).rejects.toMatchObject({ name: 'PartChanged' });
    expect(
      await s3Bytes(fixture.client, { bucket: vault, key: partKey(BACKUP, SNAPSHOT, 1, 'large') }),
    ).toBeUndefined();
  });

  it('that a ghost completes first is one object, and nothing is left over', async () => {
    const task = await taskFor('large', bytes);
    const receipts = await Promise.all([
      copier().copy(task),
      copier().copy({ ...task, uploadKey: `${UPLOAD_KEY}-ghost` }),
    ]);
    expect(receipts[0]?.versionId).toBe(receipts[1]?.versionId);
    expect(receipts[0]?.checksum).toBe(await checksumOfBytes('CRC64NVME', bytes));
    expect(receipts.map((receipt) => receipt?.key)).toEqual([undefined, undefined]);
    expect(await uploadsUnderWay()).toBe(0);
  });

  it('keeps its finished ranges when only the completion fails', async () => {
    const task = await taskFor('large', bytes);
    const injected = fixture.s3.faults.inject({
      fault: 'accessDenied',
      where: { operation: 'CompleteMultipartUpload' },
      times: 1,
    });
    await expect(copier().copy(task)).rejects.toMatchObject({ name: 'S3AccessDenied' });
    expect(injected.struck).toBe(1);
    const before = requests('UploadPartCopy');
    await copier().copy(task);
    expect(requests('UploadPartCopy')).toBe(before);
  });
});
