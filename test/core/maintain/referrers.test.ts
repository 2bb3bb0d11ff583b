import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NamedKeys } from '../../../core/maintain/named-keys.ts';
import { assertManifests, namedNaturalKeys } from '../../../core/maintain/named-lines.ts';
import { decisive, indexNamings, type NamingIndex } from '../../../core/maintain/referrers.ts';
import { rankOfPart } from '../../../core/maintain/units.ts';
import type { SnapshotRecord } from '../../../core/records.ts';
import { collect } from '../../support/byte-streams.ts';
import { never } from '../../support/job-world.ts';
import { type Edit, MaintainHistory, namedBy } from '../../support/maintain-history.ts';

const PATHS = ['rank-0/meta.mdb', 'rank-0/tom-0/a', 'rank-0/tom-0/b', 'rank-1/tom-0/a', 'rank-1/tom-1/😀', 'conf'];

const edits = fc.array(
  fc.record({
    path: fc.constantFrom(...PATHS),
    content: fc.option(fc.string({ maxLength: 5 }), { nil: undefined, freq: 4 }),
  }),
  { maxLength: 3 },
);
const taken = fc.record({
  type: fc.constantFrom(...(['full', 'incremental', 'incremental', 'differential'] as const)),
  edits,
  meanwhile: edits,
  /** Purged right afterwards: the next ones do not build on it. */
  hidden: fc.boolean(),
});

/** Version ids that the index's decisive manifests name in the directory. */
async function namedByDecisive(history: MaintainHistory, index: NamingIndex, directory: string): Promise<Set<string>> {
  const { world, backup } = history;
  const found = new Set<string>();
  for (const part of ['rank-0', 'rank-1', 'cluster']) {
    const rank = rankOfPart(part) ?? 'cluster';
    const place = { backup, directory, rank, referrers: [...index.ofRank(directory, rank)] };
    await assertManifests(world.vault, place);
    for (const { versionIds } of await collect(namedNaturalKeys(world.vault, place, undefined))) {
      for (const versionId of versionIds) {
        found.add(versionId);
      }
    }
  }
  const referrers = index.ofAllRanks(directory).map((snapshot) => ({ snapshot }));
  const unit = { task: 'free' as const, backup, directory, part: '.rewritten', dead: true, referrers };
  const keyed = new NamedKeys(world, { unit, gathered: undefined, pieceKey: 'piece', shouldStop: never });
  await keyed.gather();
  for (const version of await collect(world.vault.listVersions(`${backup}/${directory}/.rewritten/`))) {
    if (await keyed.has(version)) {
      found.add(version.versionId);
    }
  }
  return found;
}

describe('the decisive manifests', () => {
  it('name everything that all manifests of the kept snapshots name', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('prod' as const, 'held' as const),
        fc.array(taken, { minLength: 2, maxLength: 7 }),
        fc.infiniteStream(fc.boolean()),
        async (backup, steps, coins) => {
          const history = new MaintainHistory(backup);
          const records: SnapshotRecord[] = [];
          for (const each of steps) {
            const record = await history.take(each.type, each.edits as Edit[], each.meanwhile as Edit[]);
            records.push(record);
            if (each.hidden) {
              await history.world.maintain({ action: 'purge', backup, snapshot: record.snapshot });
            }
          }
          const kept = records.filter(() => coins.next().value);
          const directories = new Set(records.map(({ snapshot }) => snapshot));
          const index = await indexNamings(history.world.vault, kept, directories);
          const all = (await Promise.all(kept.map((record) => namedBy(history.world, record)))).flat();
          for (const directory of directories) {
            const expected = new Set(all.filter((each) => each.in === directory).map(({ versionId }) => versionId));
            expect(await namedByDecisive(history, index, directory)).toEqual(expected);
          }
        },
      ),
      { numRuns: 8 },
    );
  });

  it('are those whose base is not kept with the directory', () => {
    const naming = (snapshot: string, base?: string) => ({ snapshot, base, sha256: '' });
    expect(decisive([naming('c', 'b'), naming('b', 'a'), naming('d', 'a')]).map(({ snapshot }) => snapshot)).toEqual([
      'b',
      'd',
    ]);
  });
});
