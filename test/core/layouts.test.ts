import { describe, expect, it } from 'vitest';
import { NameInvalid } from '../../core/errors.ts';
import { MAX_PART_PATH_BYTES } from '../../core/part-path.ts';
import {
  attemptKey,
  catalogPrefix,
  definitionKey,
  manifestKey,
  nameOfCatalogKey,
  partKey,
  ranksKey,
  recordKey,
  restoredKey,
  rewrittenPartKey,
  snapshotPrefix,
  tombstoneKey,
} from '../../core/vault-layout.ts';
import { backupLockKey, clusterLockKey, holdKey, quiesceKey, RunKeys } from '../../core/work-layout.ts';

const SNAPSHOT = 'snapshot.2026-01-31.22-00-00';
/** The most that S3 takes (S3 user guide, object key names). */
const MAX_KEY_BYTES = 1024;

describe('keys of the vault', () => {
  it('keep the path of a part as it is', () => {
    expect(partKey('prod', SNAPSHOT, 3, 'tom-1/a b+ü%2F')).toBe(`prod/${SNAPSHOT}/rank-3/tom-1/a b+ü%2F`);
    expect(partKey('prod', SNAPSHOT, 'cluster', 'x')).toBe(`prod/${SNAPSHOT}/cluster/x`);
    expect(partKey('prod', SNAPSHOT, 3, 'x').startsWith(snapshotPrefix('prod', SNAPSHOT))).toBe(true);
  });

  it('are S3 keys also for the longest of everything', () => {
    const place = {
      backup: 'b'.repeat(63),
      snapshot: SNAPSHOT,
      rank: 999_999,
      path: 'ü'.repeat(MAX_PART_PATH_BYTES / 2),
    };
    const keys = [rewrittenPartKey(place, 'file:1:2:3:4'), partKey(place.backup, SNAPSHOT, place.rank, place.path)];
    for (const key of keys) {
      expect(Buffer.byteLength(key)).toBeLessThan(MAX_KEY_BYTES);
    }
  });

  it('of a rewritten part depend on the version that was read, and are never natural keys', () => {
    const place = { backup: 'prod', snapshot: SNAPSHOT, rank: 1, path: 'x' };
    expect(rewrittenPartKey(place, 's3:a')).toBe(rewrittenPartKey(place, 's3:a'));
    expect(rewrittenPartKey(place, 's3:a')).not.toBe(rewrittenPartKey(place, 's3:b'));
    expect(rewrittenPartKey(place, 's3:a')).toMatch(/\/\.rewritten\/[0-9a-f]{12}\/rank-1\/x$/);
  });

  it('of the catalog are those of docs/FORMAT.md', () => {
    const catalog = '.rankvault/catalog/prod/';
    expect([
      attemptKey('prod', SNAPSHOT),
      recordKey('prod', SNAPSHOT),
      tombstoneKey('prod', SNAPSHOT),
      definitionKey('prod', 7),
      manifestKey('prod', SNAPSHOT, 0),
      manifestKey('prod', SNAPSHOT, 'cluster'),
      ranksKey('prod', SNAPSHOT),
    ]).toEqual([
      `${catalog}attempts/${SNAPSHOT}.json`,
      `${catalog}snapshots/${SNAPSHOT}.json`,
      `${catalog}tombstones/${SNAPSHOT}.json`,
      `${catalog}definitions/000007.json`,
      `${catalog}manifests/${SNAPSHOT}/rank-0.jsonl.gz`,
      `${catalog}manifests/${SNAPSHOT}/cluster.jsonl.gz`,
      `${catalog}manifests/${SNAPSHOT}/ranks.jsonl.gz`,
    ]);
    expect(restoredKey('dr', 1_769_896_800_000, 'run-1')).toBe('.rankvault/restored/dr/1769896800000-run-1.json');
  });

  it('give back the name of what they hold', () => {
    expect(nameOfCatalogKey(recordKey('prod', SNAPSHOT))).toBe(SNAPSHOT);
    expect(Number(nameOfCatalogKey(definitionKey('prod', 7)))).toBe(7);
  });

  it('are never made of a name that would lead elsewhere', () => {
    expect(() => catalogPrefix('../other')).toThrow(NameInvalid);
    expect(() => restoredKey('a/b', 0, 'x')).toThrow(NameInvalid);
  });
});

describe('keys of the work bucket', () => {
  it('are never made of a name that would lead elsewhere', () => {
    for (const make of [backupLockKey, clusterLockKey, quiesceKey]) {
      expect(() => make('a/b')).toThrow(NameInvalid);
    }
  });

  it('of a run lie below its prefix and never meet', () => {
    const keys = new RunKeys('Snapshot', 'e'.repeat(80));
    const made = [
      keys.plan(),
      keys.ranks(),
      keys.inspection(),
      keys.target(),
      keys.report(),
      keys.failure('x'),
      keys.seal(1),
      keys.comparison(1),
      keys.batchList('final'),
      ...['warm', 'final'].flatMap((pass) => [
        keys.enumeration(pass, 1),
        keys.segment(pass, 1, 'i-0'),
        keys.batch(pass, 1, 'i-0'),
        keys.receipts(pass, 1, 'i-0', 0),
        keys.upload(pass, 1, 'i-0'),
      ]),
      keys.actions('data', 1, 'i-0'),
      keys.doneWindow('data', 1, 'i-0', 0),
    ];
    expect(new Set(made).size).toBe(made.length);
    expect(made.filter((key) => !key.startsWith(keys.prefix))).toEqual([]);
    expect(made.filter((key) => Buffer.byteLength(key) >= MAX_KEY_BYTES)).toEqual([]);
  });

  it('of windows sort in the order of their numbers', () => {
    const keys = new RunKeys('Snapshot', 'run-1');
    expect(keys.receipts('final', 1, 'i-0', 9) < keys.receipts('final', 1, 'i-0', 10)).toBe(true);
    expect(keys.doneWindow('data', 1, 'i-0', 99) < keys.doneWindow('data', 1, 'i-0', 100)).toBe(true);
  });

  it('of a hold differ for executions of two machines that have the same name', () => {
    const keys = ['Restore', 'Verify'].map((machine) => holdKey('prod', SNAPSHOT, `arn:${machine}:monday`));
    expect(new Set(keys).size).toBe(2);
    expect(keys.every((key) => key.startsWith(`holds/prod/${SNAPSHOT}/`))).toBe(true);
  });
});
