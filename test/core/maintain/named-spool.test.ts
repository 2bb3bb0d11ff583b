import { describe, expect, it } from 'vitest';
import { CatalogCorrupt } from '../../../core/errors.ts';
import { FOLDED_AT_ONCE } from '../../../core/maintain/named-spool.ts';
import { maintainRunSchema } from '../../../core/run.ts';
import { manifestKey } from '../../../core/vault-layout.ts';
import { always } from '../../support/job-world.ts';
import { impatient, MaintainHistory } from '../../support/maintain-history.ts';

const DIFFERENTIALS = 2 * FOLDED_AT_ONCE + 3;

/** A full that many differentials name, each of them all but one of its parts; purged for good. */
async function many() {
  const history = new MaintainHistory();
  const paths = Array.from(
    { length: DIFFERENTIALS + 2 },
    (_, index) => `rank-1/tom-0/${String(index).padStart(2, '0')}`,
  );
  const { snapshot } = await history.take(
    'full',
    paths.map((path) => ({ path, content: 'one' })),
  );
  const named: string[] = [];
  for (const path of paths.slice(0, DIFFERENTIALS)) {
    // The first and the last path no differential names.
    const changed = [path, paths.at(-1) ?? ''].map((each) => ({ path: each, content: `changed ${path}` }));
    named.push((await history.take('differential', changed)).snapshot);
  }
  return { history, snapshot, named };
}

describe('a directory that many snapshots name', () => {
  it('is surveyed alike however often it stops, or is called', async () => {
    const reports = [];
    const ways = [{}, { shouldStop: always }, { shouldStop: impatient(), invoked: 'beside its ghost' as const }];
    for (const way of ways) {
      const { history, snapshot } = await many();
      reports.push(await history.maintain({ action: 'purge', snapshot, immediately: true }, way));
      await history.assertNothingIsMissing();
    }
    expect(reports[0]).toMatchObject({ frees: { parts: 2, bytes: 6 }, residue: { parts: DIFFERENTIALS + 2 } });
    expect(reports.slice(1)).toEqual([reports[0], reports[0]]);
  });

  it('is read manifest by manifest: a later invocation reads none of them again', async () => {
    const { history, snapshot, named } = await many();
    const { world } = history;
    const read: string[] = [];
    for (const each of named) {
      for (let time = 0; time < 3; time += 1) {
        world.vault.before('get', manifestKey('prod', each, 1), async () => read.push(each));
      }
    }
    const answer = await world.planMaintenance({ action: 'purge', snapshot, immediately: true });
    const run = maintainRunSchema.parse(answer.outcome === 'planned' ? answer.run : undefined);
    const item = (await world.units(run)).find(({ unit }) => unit.part === 'rank-1');
    expect(item?.unit.referrers).toHaveLength(DIFFERENTIALS);
    const invocations = item === undefined ? 0 : await world.survey(run, item, { shouldStop: always });
    expect(invocations).toBeGreaterThan(DIFFERENTIALS / FOLDED_AT_ONCE);
    // Once for the digest, once for the lines.
    expect(read.toSorted()).toEqual(named.flatMap((each) => [each, each]).toSorted());
  });

  it('frees nothing when one of the manifests is not the one that was committed', async () => {
    const { history, snapshot, named } = await many();
    const { vault } = history.world;
    const name = vault.currentVersion(manifestKey('prod', named.at(-1) ?? '', 1));
    vault.damage(name, { body: Buffer.from('forged') });
    const purging = history.world.maintain({ action: 'purge', snapshot, immediately: true });
    await expect(purging).rejects.toThrow(CatalogCorrupt);
    expect(await history.world.partsOf(snapshot)).toHaveLength(DIFFERENTIALS + 4);
  });
});
