import { randomBytes } from 'node:crypto';
import { closeSync, openSync, statSync, utimesSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DeleteObjectCommand, ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import { digestOfTree } from '../../local/samples/compare-trees.ts';
import { SegmentCluster } from '../../local/samples/segment-cluster.ts';
import { expectFailure, planned } from './support/outcomes.ts';
import type { FilePlace, Place, S3Place } from './support/places.ts';
import { journey } from './support/shared-journey.ts';
import { expectSameBytes, expectSameTree, filesOf } from './support/trees.ts';

/** Two clusters with one snapshot each that all tests restore; nobody changes them. */
let inFiles: FilePlace;
let onS3: S3Place;

const SMALL = { workers: 2, tomsPerRank: 1, tables: 1, segmentsPerTable: 3, segmentBytes: { medianBytes: 2_000 } };

beforeAll(async () => {
  inFiles = journey.takeFiles();
  onS3 = journey.takeS3();
  for (const place of [inFiles, onS3]) {
    await new SegmentCluster({ seed: 'policies', ...SMALL }, place.tree).create();
    await journey.snapshot(place, 'full');
  }
});

/** A target of either kind with other files of the same ranks. */
async function foreignTarget(kind: 'files' | 's3'): Promise<{ source: Place; target: Place }> {
  const [source, target] = kind === 'files' ? [inFiles, journey.takeFiles()] : [onS3, journey.takeS3()];
  await new SegmentCluster({ seed: 'foreign', ...SMALL, tables: 2 }, target.tree).create();
  return { source, target };
}

describe.each(['files', 's3'] as const)('into %s', (kind) => {
  test('policy "none" fills an empty cluster and refuses one that holds files', async () => {
    const { source, target } = await foreignTarget(kind);
    const before = await target.read();
    expectFailure(await journey.tryRestore(source, target), {
      error: 'TargetNotEmpty',
      problem: /holds .*policy "none" restores into empty ranks only/,
      hint: /Use policy "replace" to overwrite, "rename" to keep the old files aside/,
    });
    expectSameTree(before, await target.read());
    expect(await target.readOwn()).toEqual([]);
    await target.wipe();
    await journey.restore(source, target);
    expectSameTree(await source.read(), await target.read());
  });

  test('policy "rename" keeps the old cluster aside, whole and under its own paths', async () => {
    const { source, target } = await foreignTarget(kind);
    const before = await target.read();
    const report = await journey.restore(source, target, { policy: 'rename' });
    expectSameTree(await source.read(), await target.read());
    expect(report.aside).toMatch(/^\.rankvault-aside\/.+\/$/);
    expectSameBytes(before, await target.readAside((report.aside ?? '').split('/')[1] ?? ''));
    expect(report.movedAside).toBe(filesOf(before).length);
  });

  test('policy "replace" removes what the snapshot lacks and leaves nothing aside', async () => {
    const { source, target } = await foreignTarget(kind);
    const report = await journey.restore(source, target, { policy: 'replace' });
    expectSameTree(await source.read(), await target.read());
    expect(await target.readOwn()).toEqual([]);
    expect(report.removed).toBeGreaterThan(0);
    expect(report.aside).toBeUndefined();
  });

  test('a dry run changes nothing and tells what a restore would do and cost', async () => {
    const { source, target } = await foreignTarget(kind);
    const before = digestOfTree(await target.read());
    const dryRun = planned(await journey.tryRestore(source, target, { policy: 'replace', dryRun: true }));
    expect(digestOfTree(await target.read())).toBe(before);
    expect(await target.readOwn()).toEqual([]);
    const parts = filesOf(await source.read()).length;
    const bytes = (await source.read()).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect(dryRun.estimate).toMatchObject({ parts, bytes });
    expect(dryRun.estimate.requests).toBeGreaterThan(parts);
    expect(dryRun.estimate.minutes).toBeGreaterThan(0);
    expect(dryRun.estimate.dollars).toBeGreaterThan(0);
    expect(dryRun.todo.place + dryRun.todo.check).toBe(parts);
    const report = await journey.restore(source, target, { policy: 'replace' });
    expect(report.placed + report.kept).toBe(parts);
    expect(report.removed).toBe(dryRun.todo.remove);
    expect(report.movedAside).toBe(dryRun.todo.moveAside);
  });

  test('only parts that differ by checksum are copied', async () => {
    const { source, target } = await foreignTarget(kind);
    await target.wipe();
    await journey.restore(source, target);
    await target.tree.write('rank-1/tom-0/t1/000002.seg', [Buffer.from('something else')]);
    await target.tree.remove('rank-2/tom-0/t1/000001.seg');
    journey.laptop.s3.counters.reset();
    const report = await journey.restore(source, target, { policy: 'replace' });
    expectSameTree(await source.read(), await target.read());
    // Everything that lets a server start is placed anew; of the data only these two.
    const activation = filesOf(await source.read()).filter((path) => !/^rank-[12]\/tom-/.test(path)).length;
    expect(report).toMatchObject({
      placed: activation + 2,
      kept: filesOf(await source.read()).length - activation - 2,
    });
    const { byCaller } = journey.laptop.s3.counters.snapshot();
    const restoreParts = Object.entries(byCaller).find(([caller]) => caller.includes('RestoreParts'))?.[1];
    // Moving aside copies too. The other requests for objects read what is to be done.
    const transfers = restoreParts?.byOperation[kind === 's3' ? 'CopyObject' : 'GetObject']?.requests ?? 0;
    expect(transfers).toBeGreaterThanOrEqual(report.placed);
    expect(kind === 's3' ? transfers - report.movedAside : report.placed).toBe(report.placed);
  });

  test('what lets a server start comes last, after all data', async () => {
    const { source, target } = await foreignTarget(kind);
    const placed: string[] = [];
    const stop = journey.laptop.s3.observe({
      after: ({ operation, bucket, key, caller, status }) => {
        const fromVault = kind === 'files' && operation === 'GetObject' && bucket === journey.laptop.vaultBucket;
        const intoTarget = operation === 'CopyObject' && !key.includes('.rankvault-aside');
        if (caller.includes('RestoreParts') && status < 300 && (fromVault || intoTarget)) {
          placed.push(key);
        }
      },
    });
    await journey.restore(source, target, { policy: 'replace' });
    stop();
    const isData = (key: string) => /rank-[12]\/tom-/.test(key);
    expect(placed.filter(isData).length).toBeGreaterThan(0);
    expect(placed.filter((key) => !isData(key)).length).toBeGreaterThan(0);
    expect(placed.findLastIndex(isData)).toBeLessThan(placed.findIndex((key) => !isData(key)));
  });

  test('the next snapshot of a restored cluster is a full, and says why', async () => {
    const { source, target } = await foreignTarget(kind);
    await journey.snapshot(target, 'full');
    await journey.restore(source, target, { policy: 'replace' });
    const next = await journey.snapshot(target, 'incremental');
    expect(next).toMatchObject({
      type: 'full',
      reason: expect.stringMatching(/the cluster was restored at .*, after snapshot\./),
    });
    expect(await journey.snapshot(target, 'incremental')).toMatchObject({ type: 'incremental', base: next.snapshot });
    expect(digestOfTree(await target.read())).toBe(digestOfTree(await source.read()));
  });

  test('bytes that are gone from the vault are named, and a later write over a part’s key does no harm', async () => {
    const source = kind === 'files' ? journey.takeFiles() : journey.takeS3();
    const target = kind === 'files' ? journey.takeFiles() : journey.takeS3();
    await new SegmentCluster({ seed: 'gone', ...SMALL }, source.tree).create();
    const { snapshot } = await journey.snapshot(source, 'full');
    const Bucket = journey.laptop.vaultBucket;
    const [overwritten, deleted] = [1, 2].map((n) => `${source.backup}/${snapshot}/rank-1/tom-0/t1/00000${n}.seg`);
    const client = journey.laptop.s3Client;
    await client.send(new PutObjectCommand({ Bucket, Key: overwritten, Body: 'a ghost writes late' }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: deleted }));
    await journey.restore(source, target);
    expectSameTree(await source.read(), await target.read());
    const versions = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: deleted }));
    for (const { VersionId } of versions.Versions ?? []) {
      await client.send(new DeleteObjectCommand({ Bucket, Key: deleted, VersionId }));
    }
    await target.wipe();
    expectFailure(await journey.tryRestore(source, target), {
      error: 'VaultPartMissing',
      problem: /000002\.seg/,
      hint: /another (one|snapshot)/,
    });
    expect(await target.readOwn()).toEqual(['.rankvault-restoring.json']);
  });
});

test.each(['files', 's3'] as const)(
  'bytes from %s that are damaged in the vault are not restored, and the target stays marked',
  async (kind) => {
    // On S3 a copy has no temporary name: it is seen to be wrong when it is there already. So the target is a directory.
    const [source, target] = [kind === 'files' ? journey.takeFiles() : journey.takeS3(), journey.takeFiles()];
    await new SegmentCluster({ seed: 'damaged', ...SMALL }, source.tree).create();
    await source.tree.write('rank-1/tom-0/t1/big.seg', [randomBytes(40_000)]);
    const { snapshot } = await journey.snapshot(source, 'full');
    const key = `${source.backup}/${snapshot}/rank-1/tom-0/t1/big.seg`;
    await journey.laptop.s3.damage.rot({ bucket: journey.laptop.vaultBucket, key });
    expectFailure(await journey.tryRestore(source, target), {
      error: 'ChecksumMismatch',
      problem: /big\.seg/,
      hint: /another (one|snapshot)/,
    });
    expect(await target.readOwn()).toEqual(['.rankvault-restoring.json']);
    expect(filesOf(await target.read()).filter((path) => /^rank-0\/|big/.test(path))).toEqual([]);
    expectFailure(await journey.trySnapshot(target, 'full'), {
      error: 'RestoreInProgress',
      problem: /A restore into cluster .* has begun and not finished/,
      hint: /Run the restore again until it finishes/,
    });
  },
);

describe('a file that has rotted with its size and times intact', () => {
  function rot(target: FilePlace, path: string): void {
    const file = join(target.directory, path);
    const { atimeNs, mtimeNs } = statSync(file, { bigint: true });
    const handle = openSync(file, 'r+');
    writeSync(handle, 'ROT', 0);
    closeSync(handle);
    utimesSync(file, Number(atimeNs) / 1e9, Number(mtimeNs) / 1e9);
  }

  test('is found and repaired, unless times are trusted', async () => {
    const target = journey.takeFiles();
    await journey.restore(inFiles, target);
    rot(target, 'rank-1/tom-0/t1/000001.seg');
    const trusting = await journey.restore(inFiles, target, { policy: 'replace', trustTimes: true });
    expect(trusting.kept).toBe(0);
    expect(digestOfTree(await target.read())).not.toBe(digestOfTree(await inFiles.read()));
    const reading = await journey.restore(inFiles, target, { policy: 'replace' });
    expect(reading.kept).toBeGreaterThan(0);
    expectSameTree(await inFiles.read(), await target.read());
  });
});

describe('into a cluster of another shape', () => {
  test.each(['files', 's3'] as const)('ranks on %s that do not match are named on both sides', async (kind) => {
    const [source, target] = kind === 'files' ? [inFiles, journey.takeFiles()] : [onS3, journey.takeS3()];
    await new SegmentCluster({ seed: 'larger', ...SMALL, workers: 3 }, target.tree).create();
    const before = await target.read();
    expectFailure(await journey.tryRestore(source, target, { policy: 'replace' }), {
      error: 'TopologyMismatch',
      problem: /The snapshot has ranks 0, 1, 2; cluster '\w+' has ranks 0, 1, 2, 3\./,
      hint: /restore into a cluster with the same ranks and TOMs/,
    });
    expectSameTree(before, await target.read());
    expect(await target.readOwn()).toEqual([]);
  });

  test('TOMs that do not match are named on both sides', async () => {
    const [source, target] = [journey.filePlace('one_tom'), journey.filePlace('two_toms')];
    await new SegmentCluster({ seed: 'shaped', ...SMALL }, source.tree).create();
    await journey.snapshot(source, 'full');
    expectFailure(await journey.tryRestore(source, target), {
      error: 'TopologyMismatch',
      problem: /has ranks 0, 1 \(TOMs 0\), 2 \(TOMs 0\); cluster 'two_toms' has ranks 0, 1 \(TOMs 0, 1\)/,
      hint: /restore into a cluster with the same ranks and TOMs/,
    });
    expect([...(await target.read()), ...(await target.readOwn())]).toEqual([]);
  });
});

test('a snapshot that does not exist is named together with those that do', async () => {
  const target = journey.takeFiles();
  expectFailure(await journey.tryRestore(inFiles, target, { snapshot: '1500000000000' }), {
    error: 'SnapshotNotFound',
    problem: /has no snapshot "1500000000000"/,
    hint: /Its newest are snapshot\./,
  });
  expect([...(await target.read()), ...(await target.readOwn())]).toEqual([]);
});
