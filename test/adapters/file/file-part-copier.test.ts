import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { GetObjectCommand, ListMultipartUploadsCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { BufferPool } from '../../../adapters/file/buffer-pool.ts';
import { createBufferPool, FilePartCopier } from '../../../adapters/file/file-part-copier.ts';
import { RANGE_SIZE_BYTES } from '../../../adapters/file/part-ranges.ts';
import { S3ObjectStore } from '../../../adapters/s3/s3-object-store.ts';
import { crc32Checksum } from '../../../core/checksum.ts';
import { PartChanged, PartMissing, SourceUnreadable, StoreUnavailable } from '../../../core/errors.ts';
import type { LivePart } from '../../../core/part.ts';
import type { CopyTask } from '../../../core/ports/part-copier.ts';
import { rewrittenPartKey } from '../../../core/vault-layout.ts';
import { variedBytes } from '../../support/byte-streams.ts';
import { useLocalS3 } from '../../support/s3-fixture.ts';
import { asNobody, partAt, rootAt, sourceAt, until, useDirectories, writeTree } from './file-fixture.ts';

const directories = useDirectories();
const fixture = useLocalS3();
const SNAPSHOT = 'snapshot.2026-01-31.23-59-59';
const MIB = 1024 * 1024;

interface Setup {
  readonly directory: string;
  readonly copier: FilePartCopier;
  readonly pool: BufferPool;
  readonly vault: string;
  readonly work: S3ObjectStore;
}

async function setUp(options: { readonly pool?: BufferPool; readonly objectLock?: boolean } = {}): Promise<Setup> {
  const directory = directories.newDirectory();
  const vault = await fixture.newBucket({ versioned: true, objectLock: options.objectLock === true });
  const work = new S3ObjectStore({ client: fixture.client, bucket: await fixture.newBucket() });
  const pool = options.pool ?? createBufferPool();
  const lock = { mode: 'GOVERNANCE', retainUntil: '2030-01-01T00:00:00.000Z' } as const;
  const copier = new FilePartCopier({
    root: rootAt(directory),
    vault: { client: fixture.client, bucket: vault, ...(options.objectLock === true ? { objectLock: lock } : {}) },
    work,
    pool,
  });
  return { directory, copier, pool, vault, work };
}

function taskOf(part: LivePart, overrides: Partial<CopyTask> = {}): CopyTask {
  return {
    backup: 'prod',
    snapshot: SNAPSHOT,
    rank: 0,
    part,
    uploadKey: 'runs/Snapshot/x/uploads/1.json',
    shouldStop: () => false,
    ...overrides,
  };
}

/** Says no so many times, then yes. */
function stopAfter(times: number): () => boolean {
  let asked = 0;
  return () => {
    asked += 1;
    return asked > times;
  };
}

async function list(directory: string, path: string): Promise<LivePart> {
  return await partAt(sourceAt(directory), 0, path);
}

async function vaulted(bucket: string, key: string, versionId: string) {
  const answer = await fixture.client.send(
    new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId, ChecksumMode: 'ENABLED' }),
  );
  return { ...answer, bytes: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
}

async function uploadsOf(bucket: string): Promise<number> {
  const answer = await fixture.client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  return answer.Uploads?.length ?? 0;
}

async function versionsOf(bucket: string): Promise<number> {
  const answer = await fixture.client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
  return answer.Versions?.length ?? 0;
}

describe('copying a part of a file root', () => {
  const LONG = `${`${'d'.repeat(200)}/`.repeat(4)}${'g'.repeat(46)}`;
  it.each([
    ['of zero bytes', 'empty', 0],
    ['of a few bytes', 'tom-1/t42/000017.seg', 17],
    ['with an odd name', 'a b+c%20d/naïve ü 表 😀 ?.seg', 1_000],
    ['with a path of 850 bytes', LONG, 10],
    ['of exactly one request', 'one', RANGE_SIZE_BYTES],
    ['of one byte more', 'two', RANGE_SIZE_BYTES + 1],
  ])('stores one %s byte for byte, with its CRC32 over the whole', async (_, path, sizeBytes) => {
    const { directory, copier, vault, pool } = await setUp();
    const content = Buffer.from(variedBytes(sizeBytes));
    writeTree(directory, { [`rank-0/${path}`]: content });
    const part = await list(directory, path);

    const receipt = await copier.copy(taskOf(part));
    expect(receipt).toEqual({
      path,
      token: part.token,
      sizeBytes,
      checksum: crc32Checksum(crc32(content)),
      in: SNAPSHOT,
      etag: expect.stringMatching(/^".+"$/),
      versionId: expect.any(String),
    });
    const stored = await vaulted(vault, `prod/${SNAPSHOT}/rank-0/${path}`, receipt?.versionId ?? '');
    expect(stored.bytes.equals(content)).toBe(true);
    expect(stored.ChecksumType).toBe('FULL_OBJECT');
    expect(`CRC32:${stored.ChecksumCRC32}`).toBe(receipt?.checksum);
    expect(pool.lentBytes).toBe(0);
  });

  it('reads the holes of a sparse file as zeros', async () => {
    const { directory, copier, vault } = await setUp();
    writeTree(directory, { 'rank-0/sparse': 'head' });
    truncateSync(join(directory, 'rank-0/sparse'), 3 * MIB);

    const receipt = await copier.copy(taskOf(await list(directory, 'sparse')));
    const stored = await vaulted(vault, `prod/${SNAPSHOT}/rank-0/sparse`, receipt?.versionId ?? '');
    expect(stored.bytes.equals(Buffer.concat([Buffer.from('head'), Buffer.alloc(3 * MIB - 4)]))).toBe(true);
  });

  it('gives the same receipt for the second copy and writes nothing', async () => {
    const { directory, copier, vault } = await setUp();
    writeTree(directory, { 'rank-0/small': 'x', 'rank-0/large': variedBytes(9 * MIB) });
    for (const path of ['small', 'large']) {
      const task = taskOf(await list(directory, path));
      expect(await copier.copy(task)).toEqual(await copier.copy(task));
    }
    expect(await versionsOf(vault)).toBe(2);
    expect(await uploadsOf(vault)).toBe(0);
  });

  it('puts another version of the part under its rewritten key', async () => {
    const { directory, copier, vault } = await setUp();
    for (const sizeBytes of [5, 9 * MIB]) {
      const path = `part-${sizeBytes}`;
      writeTree(directory, { [`rank-0/${path}`]: variedBytes(sizeBytes, 1) });
      const first = await copier.copy(taskOf(await list(directory, path)));
      writeTree(directory, { [`rank-0/${path}`]: variedBytes(sizeBytes, 2) });
      const changed = await list(directory, path);
      const second = await copier.copy(taskOf(changed));

      const place = { backup: 'prod', snapshot: SNAPSHOT, rank: 0, path };
      expect(second?.key).toBe(rewrittenPartKey(place, changed.token));
      expect(second?.checksum).not.toBe(first?.checksum);
      expect(
        (await vaulted(vault, second?.key ?? '', second?.versionId ?? '')).bytes.equals(variedBytes(sizeBytes, 2)),
      ).toBe(true);
    }
  });

  it('keeps what it stores under Object Lock, small and large', async () => {
    const { directory, copier, vault } = await setUp({ objectLock: true });
    writeTree(directory, { 'rank-0/small': 'x', 'rank-0/large': variedBytes(9 * MIB) });
    for (const path of ['small', 'large']) {
      const receipt = await copier.copy(taskOf(await list(directory, path)));
      const stored = await vaulted(vault, `prod/${SNAPSHOT}/rank-0/${path}`, receipt?.versionId ?? '');
      expect(stored.ObjectLockMode).toBe('GOVERNANCE');
      expect(stored.ObjectLockRetainUntilDate?.toISOString()).toBe('2030-01-01T00:00:00.000Z');
    }
  });

  it('finds its own bytes when the answer to a write was lost', async () => {
    const { directory, copier, vault } = await setUp();
    writeTree(directory, { 'rank-0/small': 'x', 'rank-0/large': variedBytes(9 * MIB) });
    for (const [path, operation] of [
      ['small', 'PutObject'],
      ['large', 'CompleteMultipartUpload'],
    ] as const) {
      const fault = fixture.s3.faults.inject({ fault: 'loseResponse', where: { bucket: vault, operation }, times: 1 });
      const task = taskOf(await list(directory, path));
      const receipt = await copier.copy(task).catch(async (error: unknown) => {
        expect(error).toBeInstanceOf(StoreUnavailable);
        return await copier.copy(task);
      });
      expect(receipt?.key).toBeUndefined();
      expect(fault.struck).toBe(1);
    }
    expect(await versionsOf(vault)).toBe(2);
  });
});

describe('a part that is not what was listed', () => {
  it('is missing when it is gone, or a link has its name', async () => {
    const { directory, copier } = await setUp();
    writeTree(directory, { 'rank-0/a': 'x', 'rank-0/b': 'x' });
    const [gone, linked] = [await list(directory, 'a'), await list(directory, 'b')];
    rmSync(join(directory, 'rank-0/a'));
    renameSync(join(directory, 'rank-0/b'), join(directory, 'b'));
    symlinkSync('../b', join(directory, 'rank-0/b'));

    await expect(copier.copy(taskOf(gone))).rejects.toThrow(PartMissing);
    await expect(copier.copy(taskOf(linked))).rejects.toThrow(PartMissing);
  });

  it('is refused when it was rewritten with the same size and its mtime put back, racy or not', async () => {
    const { directory, copier, vault } = await setUp();
    writeTree(directory, { 'rank-0/a': 'before' });
    utimesSync(join(directory, 'rank-0/a'), 1_700_000_000, 1_700_000_000);
    const part = await list(directory, 'a');
    writeFileSync(join(directory, 'rank-0/a'), 'after!');
    utimesSync(join(directory, 'rank-0/a'), 1_700_000_000, 1_700_000_000);

    await expect(copier.copy(taskOf(part))).rejects.toThrow(PartChanged);
    await expect(copier.copy(taskOf({ ...part, racy: true }))).rejects.toThrow(PartChanged);
    expect(await versionsOf(vault)).toBe(0);
  });

  it.each([
    ['appended to', (file: string) => appendFileSync(file, '!')],
    ['cut short', (file: string) => truncateSync(file, 1)],
    ['rewritten', (file: string) => writeFileSync(file, 'after!')],
    ['removed', (file: string) => rmSync(file)],
    [
      'replaced',
      (file: string) => {
        writeFileSync(`${file}.new`, 'before');
        renameSync(`${file}.new`, file);
      },
    ],
    [
      'replaced together with its directory',
      (file: string) => {
        renameSync(dirname(file), `${dirname(file)}.old`);
        mkdirSync(dirname(file));
        writeFileSync(file, 'before');
      },
    ],
    [
      'replaced by a directory',
      (file: string) => {
        rmSync(file);
        mkdirSync(file);
      },
    ],
  ])('is noticed when a small one is %s between its opening and the end of its reading', async (_, change) => {
    const pool = new BufferPool(1, 1);
    const { directory, copier, vault } = await setUp({ pool });
    writeTree(directory, { 'rank-0/a': 'before' });
    const part = await list(directory, 'a');
    const gate = await pool.borrow(1);
    const copying = expect(copier.copy(taskOf(part))).rejects.toThrow(PartChanged);
    await until(() => pool.waitingCount === 1);
    change(join(directory, 'rank-0/a'));
    gate.giveBack();

    await copying;
    expect(await versionsOf(vault)).toBe(0);
    expect(pool.lentBytes).toBe(0);
  });

  it.each([
    ['appended to', (file: string) => appendFileSync(file, '!')],
    ['cut short', (file: string) => truncateSync(file, MIB)],
    [
      'replaced',
      (file: string) => {
        writeFileSync(`${file}.new`, variedBytes(50 * MIB));
        renameSync(`${file}.new`, file);
      },
    ],
  ])('is noticed when a large one is %s while its ranges are being sent', async (_, change) => {
    const { directory, copier, vault, work, pool } = await setUp();
    writeTree(directory, { 'rank-0/a': variedBytes(50 * MIB) });
    const part = await list(directory, 'a');
    const hold = fixture.s3.faults.hold({ where: { bucket: vault, operation: 'UploadPart' } });
    const copying = expect(copier.copy(taskOf(part))).rejects.toThrow(PartChanged);
    await hold.reached;
    change(join(directory, 'rank-0/a'));
    hold.release();

    await copying;
    expect(await versionsOf(vault)).toBe(0);
    expect(await uploadsOf(vault)).toBe(0);
    expect(await work.head(taskOf(part).uploadKey)).toBeUndefined();
    expect(pool.lentBytes).toBe(0);
  });

  it('is named when it may not be read', async () => {
    const { directory, copier } = await setUp();
    writeTree(directory, { 'rank-0/a': 'x' });
    chmodSync(join(directory, 'rank-0/a'), 0o600);
    const part = await list(directory, 'a');
    if (process.getuid?.() !== 0) {
      chmodSync(join(directory, 'rank-0/a'), 0);
    }

    await asNobody(directory, async () => {
      await expect(copier.copy(taskOf(part))).rejects.toThrow(SourceUnreadable);
    });
  });
});

describe('the upload of a large part', () => {
  it('stops when asked to and goes on with the ranges that are missing', async () => {
    const { directory, copier, vault, work } = await setUp();
    const content = Buffer.from(variedBytes(60 * MIB + 5));
    writeTree(directory, { 'rank-0/a': content });
    const part = await list(directory, 'a');
    const stopped = await copier.copy(taskOf(part, { shouldStop: stopAfter(3) }));
    expect(stopped).toBeUndefined();
    expect(await uploadsOf(vault)).toBe(1);
    const sent: number[] = [];
    const stopObserving = fixture.s3.observe({
      before: ({ operation, bucket }) => {
        if (operation === 'UploadPart' && bucket === vault) {
          sent.push(1);
        }
      },
    });
    const receipt = await copier.copy(taskOf(part));
    stopObserving();

    expect(sent).toHaveLength(8 - 2);
    expect(receipt?.checksum).toBe(crc32Checksum(crc32(content)));
    expect((await vaulted(vault, `prod/${SNAPSHOT}/rank-0/a`, receipt?.versionId ?? '')).bytes.equals(content)).toBe(
      true,
    );
    expect(await work.head(taskOf(part).uploadKey)).toBeUndefined();
    expect(await uploadsOf(vault)).toBe(0);
  });

  it('does nothing when it is to stop at once', async () => {
    const { directory, copier, vault } = await setUp();
    writeTree(directory, { 'rank-0/a': 'x' });
    expect(await copier.copy(taskOf(await list(directory, 'a'), { shouldStop: () => true }))).toBeUndefined();
    expect(await versionsOf(vault)).toBe(0);
  });

  it('goes on after a try that died between ranges', async () => {
    const { directory, copier, vault } = await setUp();
    const content = Buffer.from(variedBytes(40 * MIB));
    writeTree(directory, { 'rank-0/a': content });
    const part = await list(directory, 'a');
    const fault = fixture.s3.faults.inject({
      fault: 'accessDenied',
      where: { bucket: vault, operation: 'UploadPart' },
      when: { from: 3 },
    });
    await expect(copier.copy(taskOf(part))).rejects.toThrow('AccessDenied');
    fault.remove();
    expect(await uploadsOf(vault)).toBe(1);

    const receipt = await copier.copy(taskOf(part));
    expect(receipt?.checksum).toBe(crc32Checksum(crc32(content)));
    expect(await uploadsOf(vault)).toBe(0);
  });

  it('begins anew when the recorded upload was aborted by somebody', async () => {
    const { directory, copier, vault, work } = await setUp();
    writeTree(directory, { 'rank-0/a': variedBytes(9 * MIB) });
    const part = await list(directory, 'a');
    const record = {
      formatVersion: 1,
      key: `prod/${SNAPSHOT}/rank-0/a`,
      uploadId: 'no-such-upload',
      token: part.token,
    };
    await work.put(taskOf(part).uploadKey, Buffer.from(JSON.stringify(record)));

    expect((await copier.copy(taskOf(part)))?.checksum).toBe(crc32Checksum(crc32(variedBytes(9 * MIB))));
    expect(await uploadsOf(vault)).toBe(0);
  });

  it('drops the upload of an earlier version of the part', async () => {
    const { directory, copier, vault } = await setUp();
    writeTree(directory, { 'rank-0/a': variedBytes(20 * MIB, 1) });
    await copier.copy(taskOf(await list(directory, 'a'), { shouldStop: stopAfter(2) }));
    writeTree(directory, { 'rank-0/a': variedBytes(20 * MIB, 2) });

    const receipt = await copier.copy(taskOf(await list(directory, 'a')));
    expect(receipt?.checksum).toBe(crc32Checksum(crc32(variedBytes(20 * MIB, 2))));
    expect(await uploadsOf(vault)).toBe(0);
  });

  it('ends the same when two tries run at a time', async () => {
    const { directory, copier, vault } = await setUp();
    const content = variedBytes(30 * MIB);
    writeTree(directory, { 'rank-0/a': content });
    const task = taskOf(await list(directory, 'a'));
    const settled = await Promise.allSettled([copier.copy(task), copier.copy(task)]);
    for (const outcome of settled) {
      if (outcome.status === 'rejected') {
        expect(outcome.reason).toBeInstanceOf(StoreUnavailable);
      }
    }

    const receipt = await copier.copy(task);
    expect(receipt?.key).toBeUndefined();
    expect(await versionsOf(vault)).toBe(1);
    expect((await vaulted(vault, `prod/${SNAPSHOT}/rank-0/a`, receipt?.versionId ?? '')).bytes.equals(content)).toBe(
      true,
    );
  });

  it('never holds more than the pool, for a sparse file of 300 MB', async () => {
    const pool = new BufferPool(3 * RANGE_SIZE_BYTES, RANGE_SIZE_BYTES);
    const { directory, copier, vault } = await setUp({ pool });
    writeTree(directory, { 'rank-0/sparse': '' });
    truncateSync(join(directory, 'rank-0/sparse'), 300 * MIB);
    let mostLentBytes = 0;
    const stopObserving = fixture.s3.observe({
      before: () => {
        mostLentBytes = Math.max(mostLentBytes, pool.lentBytes);
      },
    });
    const receipt = await copier.copy(taskOf(await list(directory, 'sparse')));
    stopObserving();

    expect(receipt?.sizeBytes).toBe(300 * MIB);
    expect((await vaulted(vault, `prod/${SNAPSHOT}/rank-0/sparse`, receipt?.versionId ?? '')).ContentLength).toBe(
      300 * MIB,
    );
    expect(mostLentBytes).toBeGreaterThan(0);
    expect(mostLentBytes).toBeLessThanOrEqual(3 * RANGE_SIZE_BYTES);
  });
});
