import { describe, expect, it } from 'vitest';
import { readTombstones } from '../../../core/catalog.ts';
import { streamOf } from '../../../core/draft-writer.ts';
import { CatalogCorrupt, ChecksumMismatch, RecordMissing, VaultPartMissing } from '../../../core/errors.ts';
import { FORMAT_VERSION, jsonBytes } from '../../../core/format.ts';
import { ranksBytes, readRanks } from '../../../core/manifest-io.ts';
import type { RankLine } from '../../../core/records.ts';
import { manifestKey, partKey, ranksKey, recordKey } from '../../../core/vault-layout.ts';
import { collect } from '../../support/byte-streams.ts';
import { MaintainWorld } from '../../support/maintain-world.ts';
import { planOfMerge, takeChain } from '../../support/merge-world.ts';
import { storeBytes } from '../../support/store-bytes.ts';

describe('a merge of a damaged snapshot', () => {
  type Chain = Awaited<ReturnType<typeof takeChain>>;
  type Damage = (world: MaintainWorld, chain: Chain) => unknown;

  const partOf = (world: MaintainWorld, { full }: Chain) =>
    world.vault.currentVersion(partKey('prod', full.snapshot, 0, 'meta.mdb'));

  /** A good object of another snapshot lies where this one's should. */
  const mistake = (keyOf: (snapshot: string) => string): Damage => {
    return async ({ vault }, { full, third }) =>
      vault.put(keyOf(third.snapshot), await storeBytes(vault, keyOf(full.snapshot)));
  };

  /** Record and ranks agree, and both are wrong. */
  const lie =
    (change: (lines: readonly RankLine[]) => readonly RankLine[]): Damage =>
    async ({ vault }, { third }) => {
      const { backup, snapshot } = third;
      const changed = change(await collect(readRanks(vault, backup, snapshot)));
      await vault.hide(ranksKey(backup, snapshot));
      const header = { formatVersion: FORMAT_VERSION, backup, snapshot } as const;
      const { sha256 } = await vault.createStream(ranksKey(backup, snapshot), ranksBytes(header, streamOf(changed)));
      await vault.put(recordKey(backup, snapshot), jsonBytes({ ...third, ranksSha256: sha256 }));
    };

  it.each<[string, Damage, new (...args: never[]) => Error, string]>([
    ['a part is gone', (world, of) => world.vault.lose(partOf(world, of)), VaultPartMissing, 'meta.mdb'],
    [
      'a part has other bytes',
      (world, of) => world.vault.damage(partOf(world, of), { body: Buffer.from('rot') }),
      ChecksumMismatch,
      'meta.mdb',
    ],
    [
      'a manifest is another',
      mistake((snapshot) => manifestKey('prod', snapshot, 1)),
      CatalogCorrupt,
      'rank-1.jsonl.gz has digest',
    ],
    [
      'a manifest is gone',
      (world, { third }) => world.vault.hide(manifestKey('prod', third.snapshot, 1)),
      CatalogCorrupt,
      'no such object',
    ],
    [
      'its ranks are others',
      mistake((snapshot) => ranksKey('prod', snapshot)),
      CatalogCorrupt,
      '/ranks.jsonl.gz has digest',
    ],
    ['its ranks lack one', lie((lines) => lines.slice(1)), CatalogCorrupt, 'has no rank 0'],
    [
      'its manifest holds something else than recorded',
      lie((lines) => lines.map((line) => ({ ...line, totals: { ...line.totals, bytes: line.totals.bytes + 1 } }))),
      CatalogCorrupt,
      'recorded were',
    ],
    [
      'its record is gone',
      (world, { third }) => world.vault.hide(recordKey('prod', third.snapshot)),
      RecordMissing,
      'is missing from the vault',
    ],
  ])('fails when %s, commits nothing and hides nothing', async (_what, damage, error, message) => {
    const world = new MaintainWorld();
    const of = await takeChain(world);
    const merge = await planOfMerge(world, { execution: 'merge-1' });
    await damage(world, of);
    const merging = merge.upToCommit();
    await expect(merging).rejects.toThrow(error);
    await expect(merging).rejects.toThrow(message);
    expect(await world.vault.head(recordKey('prod', merge.plan.merge.snapshot))).toBeUndefined();
    expect(await readTombstones(world.vault, 'prod')).toEqual([]);
  });
});
