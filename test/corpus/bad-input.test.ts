import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { findSnapshot, readSnapshots } from '../../core/catalog.ts';
import { parseConfig } from '../../core/config/validate.ts';
import { RankvaultError } from '../../core/errors.ts';
import { parseInput, releaseInputSchema, restoreInputSchema, snapshotInputSchema } from '../../core/execution-input.ts';
import { assertName } from '../../core/ids.ts';
import { readManifest, readRanks } from '../../core/manifest-io.ts';
import { assertPartPath } from '../../core/part-path.ts';
import { canonicalPath, compileRootPattern } from '../../core/root-pattern.ts';
import { manifestKey, ranksKey, recordKey } from '../../core/vault-layout.ts';
import { InMemoryObjectStore } from '../support/in-memory-object-store.ts';

/** What a person or a broken disk may hand to Rankvault, and the one named error that each must give. */
interface Case {
  readonly what: string;
  readonly error: string;
  readonly attempt: () => unknown;
}

const bad = (what: string, error: string, attempt: () => unknown): Case => ({ what, error, attempt });

const CLUSTER = { control: { kind: 'none' }, roots: [{ name: 'persist', url: 's3://bucket-a/prod' }] };
const CONFIG = {
  clusters: { prod: CLUSTER },
  backups: { prod_system: { kind: 'system', cluster: 'prod' } },
};

const configCases: readonly Case[] = [
  ['a number', 7],
  ['a list', []],
  ['null', null],
  ['no backups', { clusters: CONFIG.clusters }],
  ['a misspelt setting', { ...CONFIG, bakups: {} }],
  ['an unknown cluster', { ...CONFIG, backups: { b: { kind: 'system', cluster: 'prdo' } } }],
  ['an unknown kind of backup', { ...CONFIG, backups: { b: { kind: 'tape', cluster: 'prod' } } }],
  ['a backup name with a slash', { ...CONFIG, backups: { 'a/b': { kind: 'system', cluster: 'prod' } } }],
  ['a backup name that begins with a digit', { ...CONFIG, backups: { '1st': { kind: 'system', cluster: 'prod' } } }],
  ['an empty backup name', { ...CONFIG, backups: { '': { kind: 'system', cluster: 'prod' } } }],
  ['a cluster without roots', { ...CONFIG, clusters: { prod: { control: { kind: 'none' } } } }],
  ['a cluster without control', { ...CONFIG, clusters: { prod: { roots: CLUSTER.roots } } }],
  ['an unknown control', { ...CONFIG, clusters: { prod: { ...CLUSTER, control: { kind: 'telnet' } } } }],
  ['a root on ftp', { ...CONFIG, clusters: { prod: { ...CLUSTER, roots: [{ name: 'r', url: 'ftp://x/y' }] } } }],
  ['a root without a name', { ...CONFIG, clusters: { prod: { ...CLUSTER, roots: [{ url: 's3://bucket-a/prod' }] } } }],
  [
    'a pattern without a rank',
    { ...CONFIG, clusters: { prod: { ...CLUSTER, roots: [{ name: 'r', url: 's3://bucket-a/x', pattern: 'data' }] } } },
  ],
  [
    'a schedule that is no expression',
    {
      ...CONFIG,
      backups: {
        b: { kind: 'system', cluster: 'prod', schedules: [{ name: 's', type: 'full', expression: 'every night' }] },
      },
    },
  ],
  [
    'a schedule type that there is not',
    {
      ...CONFIG,
      backups: {
        b: { kind: 'system', cluster: 'prod', schedules: [{ name: 's', type: 'half', expression: 'rate(1 day)' }] },
      },
    },
  ],
  [
    'a time zone that there is not',
    {
      ...CONFIG,
      backups: {
        b: {
          kind: 'system',
          cluster: 'prod',
          schedules: [{ name: 's', type: 'full', expression: 'rate(1 day)', timeZone: 'Mars/Olympus' }],
        },
      },
    },
  ],
  [
    'a transition to an archive',
    { ...CONFIG, vault: { transitions: [{ storageClass: 'DEEP_ARCHIVE', afterDays: 1 }] } },
  ],
  ['a lock of no days', { ...CONFIG, vault: { objectLock: { mode: 'GOVERNANCE', retainDays: 0 } } }],
].map(([what, config]) => bad(`configuration: ${String(what)}`, 'ConfigInvalid', () => parseConfig(config)));

const inputCases: readonly Case[] = [
  ...(
    [
      ['nothing', undefined],
      ['a text', 'prod_system'],
      ['a list', ['prod_system']],
      ['an empty object', {}],
      ['no type', { backup: 'prod_system' }],
      ['no backup', { type: 'full' }],
      ['an unknown type', { backup: 'prod_system', type: 'delta' }],
      ['a type in capitals', { backup: 'prod_system', type: 'FULL' }],
      ['a backup with a wildcard', { backup: 'prod*', type: 'full' }],
      ['a backup that climbs', { backup: '../prod', type: 'full' }],
      ['an empty backup', { backup: '', type: 'full' }],
      ['a misspelt setting', { backup: 'prod_system', type: 'full', option: {} }],
      ['an unknown option', { backup: 'prod_system', type: 'full', options: { fast: true } }],
      ['a concurrency of 0', { backup: 'prod_system', type: 'full', options: { copyConcurrency: 0 } }],
      ['a concurrency of 1,001', { backup: 'prod_system', type: 'full', options: { copyConcurrency: 1001 } }],
      ['a concurrency as text', { backup: 'prod_system', type: 'full', options: { rankConcurrency: '40' } }],
      ['half a minute', { backup: 'prod_system', type: 'full', options: { maxQuiesceMinutes: 0.5 } }],
    ] as const
  ).map(([what, input]) =>
    bad(`input of Snapshot: ${what}`, 'InputInvalid', () =>
      parseInput(snapshotInputSchema, input, 'Snapshot', '{"backup":"prod_system","type":"full"}'),
    ),
  ),
  ...(
    [
      ['nothing', null],
      ['no cluster', { backup: 'prod_system' }],
      ['no backup', { cluster: 'dr' }],
      ['a snapshot by date', { backup: 'prod_system', cluster: 'dr', snapshot: '2026-01-31' }],
      ['a snapshot id of 12 digits', { backup: 'prod_system', cluster: 'dr', snapshot: '123456789012' }],
      ['a snapshot as a number', { backup: 'prod_system', cluster: 'dr', snapshot: 1_767_225_600_123 }],
      ['an empty snapshot', { backup: 'prod_system', cluster: 'dr', snapshot: '' }],
      ['an unknown policy', { backup: 'prod_system', cluster: 'dr', options: { policy: 'merge' } }],
      ['objects, which only databases have', { backup: 'prod_system', cluster: 'dr', objects: { table: 'a.b' } }],
      ['a declaration as text', { backup: 'prod_system', cluster: 'dr', options: { targetIsStopped: 'yes' } }],
      ['a cluster with a slash', { backup: 'prod_system', cluster: 'dr/1' }],
    ] as const
  ).map(([what, input]) =>
    bad(`input of Restore: ${what}`, 'InputInvalid', () =>
      parseInput(restoreInputSchema, input, 'Restore', '{"backup":"prod_system","cluster":"dr"}'),
    ),
  ),
  ...(
    [
      ['nothing', undefined],
      ['no nonce', { cluster: 'prod' }],
      ['no cluster', { nonce: 'abc' }],
      ['a nonce as a number', { cluster: 'prod', nonce: 7 }],
    ] as const
  ).map(([what, input]) =>
    bad(`input of Release: ${what}`, 'InputInvalid', () =>
      parseInput(releaseInputSchema, input, 'Release', '{"cluster":"prod","nonce":"..."}'),
    ),
  ),
];

const pathCases: readonly Case[] = [
  ...(
    [
      ['empty', ''],
      ['only a slash', '/'],
      ['absolute', '/etc/passwd'],
      ['climbing', '../x'],
      ['climbing in the middle', 'tom-0/../../x'],
      ['a dot segment', 'tom-0/./x'],
      ['an empty segment', 'tom-0//x'],
      ['a line feed', 'tom-0/a\nb'],
      ['a NUL', 'tom-0/a\u0000b'],
      ['a DEL', 'tom-0/a\u007fb'],
      ['half a surrogate pair', 'tom-0/\ud800'],
      ['851 bytes', 'x'.repeat(851)],
      ['851 bytes in few characters', `${'€'.repeat(283)}xx`],
    ] as const
  ).map(([what, path]) => bad(`path: ${what}`, 'PartPathInvalid', () => assertPartPath(path, 'root persist'))),
  ...(
    [
      ['empty', ''],
      ['no rank', 'data/tom-{tom}'],
      ['two ranks', 'r{rank}/r{rank}'],
      ['tom above rank', 't{tom}/r{rank}'],
      ['something below tom', 'r{rank}/t{tom}/data'],
      ['an unknown placeholder', 'r{rank}/n{node}'],
      ['an empty segment', 'r{rank}//t{tom}'],
      ['a climbing segment', '../r{rank}'],
      ['two toms', 'r{rank}/t{tom}-{tom}'],
      ['a width of 0', 'r{rank:0}'],
    ] as const
  ).map(([what, pattern]) => bad(`pattern: ${what}`, 'RootPatternInvalid', () => compileRootPattern(pattern))),
  bad('pattern: a rank in a root of one rank', 'RootPatternInvalid', () => compileRootPattern('r{rank}', 3)),
  bad('path: named like a TOM that it is not', 'PathCollision', () =>
    canonicalPath(compileRootPattern('r{rank}/t{tom}'), 'tom-1/x'),
  ),
  ...['', '*', 'a b', 'a-b', 'a.b', '1a', '_a', 'ä', 'a'.repeat(64)].map((name) =>
    bad(`name: ${JSON.stringify(name)}`, 'NameInvalid', () => assertName('backup', name)),
  ),
];

const SNAPSHOT = 'snapshot.2026-01-31.23-59-59';
const text = (value: string) => Buffer.from(value, 'utf8');

async function vaultWith(key: string, body: Uint8Array): Promise<InMemoryObjectStore> {
  const vault = new InMemoryObjectStore();
  await vault.put(key, body);
  return vault;
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _item of items) {
    // Reading is the test.
  }
}

const PLACE = { backup: 'b', snapshot: SNAPSHOT, rank: 1 } as const;
const HEADER = `${JSON.stringify({ formatVersion: 1, backup: 'b', snapshot: SNAPSHOT, rank: 'rank-1' })}\n`;

const catalogCases: readonly Case[] = [
  ...(
    [
      ['is empty', '', 'CatalogCorrupt'],
      ['is cut off', '{"formatVersion":1,"backup":"b"', 'CatalogCorrupt'],
      ['is a list', '[]', 'CatalogCorrupt'],
      ['is null', 'null', 'CatalogCorrupt'],
      ['lacks everything', '{"formatVersion":1}', 'CatalogCorrupt'],
      ['has no version', '{"backup":"b"}', 'CatalogCorrupt'],
      ['has a version as text', '{"formatVersion":"1"}', 'CatalogCorrupt'],
      ['is of a later version', '{"formatVersion":2}', 'FormatTooNew'],
      ['is of a much later version', '{"formatVersion":99,"anything":[]}', 'FormatTooNew'],
      ['is a page of a proxy', '<html>502</html>', 'CatalogCorrupt'],
    ] as const
  ).map(([what, body, error]) =>
    bad(`record: ${what}`, error, async () =>
      readSnapshots(await vaultWith(recordKey('b', SNAPSHOT), text(body)), 'b'),
    ),
  ),
  ...(
    [
      ['is empty', text(''), 'CatalogCorrupt'],
      ['is not gzip', text('hello'), 'CatalogCorrupt'],
      ['is cut off', gzipSync(HEADER.repeat(50)).subarray(0, 40), 'CatalogCorrupt'],
      ['has a line that is not JSON', gzipSync(`${HEADER}{"path":\n`), 'CatalogCorrupt'],
      ['ends within a line', gzipSync(`${HEADER}{"path":"a"`), 'CatalogCorrupt'],
      ['has a line without a checksum', gzipSync(`${HEADER}{"path":"a","root":"r","sizeBytes":1}\n`), 'CatalogCorrupt'],
      ['has a size below zero', gzipSync(`${HEADER}${line({ sizeBytes: -1 })}`), 'CatalogCorrupt'],
      ['has a checksum of no algorithm', gzipSync(`${HEADER}${line({ checksum: 'MD5:AAAAAAAA' })}`), 'CatalogCorrupt'],
      ['names bytes outside of any snapshot', gzipSync(`${HEADER}${line({ in: '../other' })}`), 'CatalogCorrupt'],
      ['is of a later version', gzipSync('{"formatVersion":2}\n'), 'FormatTooNew'],
    ] as const
  ).map(([what, body, error]) =>
    bad(`manifest: ${what}`, error, async () =>
      drain(readManifest(await vaultWith(manifestKey('b', SNAPSHOT, 1), body), PLACE)),
    ),
  ),
  bad('manifest: is missing', 'CatalogCorrupt', () => drain(readManifest(new InMemoryObjectStore(), PLACE))),
  bad('list of ranks: is missing', 'CatalogCorrupt', () => drain(readRanks(new InMemoryObjectStore(), 'b', SNAPSHOT))),
  bad('list of ranks: has an unknown rank', 'CatalogCorrupt', async () =>
    drain(readRanks(await vaultWith(ranksKey('b', SNAPSHOT), gzipSync(`${HEADER}{"rank":"head"}\n`)), 'b', SNAPSHOT)),
  ),
  bad('snapshot: none at all', 'SnapshotNotFound', () => findSnapshot([], 'b', 'latest')),
  bad('snapshot: an id that is not there', 'SnapshotNotFound', () => findSnapshot([], 'b', '1767225600123')),
];

function line(change: Readonly<Record<string, unknown>>): string {
  const good = {
    path: 'tom-0/a',
    root: 'persist',
    sizeBytes: 1,
    token: 's3:e',
    checksum: 'CRC32:AAAAAA==',
    in: SNAPSHOT,
    etag: '"e"',
    versionId: 'v',
  };
  return `${JSON.stringify({ ...good, ...change })}\n`;
}

const CORPUS = [...configCases, ...inputCases, ...pathCases, ...catalogCases];

describe('Bad input gets a named error that says what is wrong and what to do', () => {
  test('the corpus is no smaller than promised', () => {
    expect(CORPUS.length).toBeGreaterThanOrEqual(100);
    expect(new Set(CORPUS.map((each) => each.what)).size).toBe(CORPUS.length);
  });

  test.each(CORPUS)('$what: $error', async ({ attempt, error }) => {
    const thrown = await caught(attempt);
    expect(thrown).toBeInstanceOf(RankvaultError);
    if (thrown instanceof RankvaultError) {
      expect(thrown.name).toBe(error);
      expect(thrown.problem.length).toBeGreaterThan(10);
      expect(thrown.hint.length).toBeGreaterThan(10);
      expect(thrown.message.endsWith(thrown.hint)).toBe(true);
    }
  });

  test('the good neighbors of the bad inputs pass', () => {
    expect(parseConfig(CONFIG).backups['prod_system']?.cluster).toBe('prod');
    expect(() => assertPartPath('x'.repeat(850), 'root persist')).not.toThrow();
    expect(compileRootPattern('r{rank}/t{tom}').rankPath(3)).toBe('r3/');
  });
});

async function caught(attempt: () => unknown): Promise<unknown> {
  try {
    await attempt();
  } catch (error) {
    return error;
  }
  return undefined;
}
