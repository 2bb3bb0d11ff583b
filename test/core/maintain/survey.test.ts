import { describe, expect, it } from 'vitest';
import { CatalogCorrupt } from '../../../core/errors.ts';
import { planDeletions } from '../../../core/jobs/plan-deletions.ts';
import { deletionItemSchema } from '../../../core/maintain/deletions.ts';
import { MOST_NAMED_KEYS, NamedKeys } from '../../../core/maintain/named-keys.ts';
import { readPlainLines } from '../../../core/maintain/plain-lines.ts';
import { readSurveyed, surveyedKey } from '../../../core/maintain/survey.ts';
import { rankOfPart, type UnitItem } from '../../../core/maintain/units.ts';
import { manifestBytes, ranksBytes } from '../../../core/manifest-io.ts';
import { type MaintainRun, maintainRunSchema } from '../../../core/run.ts';
import { manifestKey, ranksKey } from '../../../core/vault-layout.ts';
import { collect } from '../../support/byte-streams.ts';
import { InMemoryObjectStore } from '../../support/in-memory-object-store.ts';
import { always, never } from '../../support/job-world.ts';
import { MaintainHistory } from '../../support/maintain-history.ts';
import { partLine } from '../../support/sample-lines.ts';

/** A full with many parts, an incremental that carries all but some; the full is purged, and planned to be swept. */
async function planned(backup: 'prod' | 'held', parts: number) {
  const history = new MaintainHistory(backup);
  const paths = Array.from({ length: parts }, (_, index) => `rank-1/tom-0/${String(index).padStart(4, '0')}`);
  const edits = (content: string, every: number) =>
    paths.filter((_, index) => index % every === 0).map((path) => ({ path, content }));
  const { snapshot } = await history.take('full', edits('one', 1), edits('two', 4));
  await history.take('incremental', edits('three', 3));
  const answer = await history.world.planMaintenance({ action: 'purge', backup, snapshot, immediately: true });
  const run = maintainRunSchema.parse(answer.outcome === 'planned' ? answer.run : undefined);
  return { history, run, units: await history.world.units(run) };
}

async function totalsOf(history: MaintainHistory, run: MaintainRun, item: UnitItem) {
  const { keys, work } = history.world.stepsOf(run);
  return (await readSurveyed(work, surveyedKey(keys, item.unit)))?.totals;
}

async function batchLines(history: MaintainHistory, run: MaintainRun): Promise<readonly string[]> {
  await planDeletions(history.world.stepsOf(run), run);
  const items = await collect(readPlainLines(history.world.work, run.deletionsKey, deletionItemSchema));
  return items.map(({ batch }) => batch);
}

describe('a survey', () => {
  it.each(['prod', 'held'] as const)('finds the same however often it stops, or is called (%s)', async (backup) => {
    const outcomes = [];
    for (const options of [
      {},
      { shouldStop: always },
      { invoked: 'twice' as const },
      { invoked: 'beside its ghost' as const },
    ]) {
      const { history, run, units } = await planned(backup, 24);
      const totals = [];
      let invocations = 0;
      for (const item of units) {
        invocations += await history.world.survey(run, item, options);
        totals.push(await totalsOf(history, run, item));
      }
      expect(invocations > units.length).toBe(options.shouldStop !== undefined);
      outcomes.push(totals);
      await history.world.carryOut(run, options);
      await history.assertNothingIsMissing();
      await history.assertRestores();
    }
    expect(outcomes.slice(1)).toEqual([outcomes[0], outcomes[0], outcomes[0]]);
  });

  it('counts what is free and what stays', async () => {
    const { history, run, units } = await planned('prod', 24);
    const rank = units.find(({ unit }) => unit.part === 'rank-1');
    expect(rank?.unit).toMatchObject({
      dead: true,
      referrers: [{ snapshot: expect.any(String), sha256: expect.any(String) }],
    });
    for (const item of units) {
      await history.world.survey(run, item);
    }
    expect(rank === undefined ? undefined : await totalsOf(history, run, rank)).toMatchObject({
      listed: 25,
      freeParts: 8,
      freeBytes: 24,
      namedParts: 17,
      manifests: 1,
    });
  });

  it('writes batches of 10,000 versions at most', async () => {
    const { history, run, units } = await planned('prod', 3);
    const [item] = units.filter(({ unit }) => unit.part === 'rank-1');
    const { vault } = history.world;
    for (let index = 0; index < 10_001; index += 1) {
      await vault.create(`prod/${item?.unit.directory}/rank-1/z${index}`, new Uint8Array(1));
    }
    for (const each of units) {
      await history.world.survey(run, each);
    }
    const batches = await batchLines(history, run);
    expect(batches.filter((batch) => batch.includes('/rank-1/'))).toHaveLength(2);
    await history.world.deleteAll(run);
    expect((await history.world.partsOf(item?.unit.directory ?? '')).filter((key) => key.includes('/z'))).toEqual([]);
    await history.assertRestores();
  });

  it('looks at a key whole before it stops', async () => {
    const { history, run, units } = await planned('prod', 3);
    const [item] = units.filter(({ unit }) => unit.part === 'rank-1');
    const { vault } = history.world;
    const key = `prod/${item?.unit.directory}/rank-1/many`;
    for (let version = 0; version < 5; version += 1) {
      await vault.put(key, new Uint8Array(1));
      await vault.delete(key);
    }
    const report = await history.world.carryOut(run, { shouldStop: always });
    expect(report).toMatchObject({ frees: { parts: 6 }, markers: 5 });
    expect((await history.world.partsOf(item?.unit.directory ?? '')).includes(key)).toBe(false);
    await history.assertRestores();
  });

  it.each(['cut short', 'forged'] as const)('frees nothing when a manifest that decides is %s', async (how) => {
    const { history, run, units } = await planned('prod', 3);
    const { vault } = history.world;
    const [item] = units.filter(({ unit }) => unit.part === 'rank-1');
    const snapshot = item?.unit.referrers[0]?.snapshot ?? '';
    const name = vault.currentVersion(manifestKey('prod', snapshot, 1));
    const whole = vault.version(name)?.body ?? new Uint8Array();
    const header = { formatVersion: 1, backup: 'prod', snapshot, rank: 'rank-1' };
    const forged = Buffer.concat(await collect(manifestBytes(header, nothing())));
    vault.damage(name, { body: how === 'forged' ? forged : whole.subarray(0, whole.byteLength - 20) });
    const before = await history.world.partsOf(item?.unit.directory ?? '');
    await expect(history.world.carryOut(run)).rejects.toThrow(CatalogCorrupt);
    expect(await history.world.partsOf(item?.unit.directory ?? '')).toEqual(before);
  });

  it('does not decide upon ranks that are not those that were committed', async () => {
    const history = new MaintainHistory();
    const full = await history.take('full', [{ path: 'conf', content: 'x' }]);
    const second = await history.take('incremental');
    const { vault } = history.world;
    const header = { formatVersion: 1 as const, backup: 'prod', snapshot: second.snapshot };
    const forged = Buffer.concat(await collect(ranksBytes(header, nothing())));
    vault.damage(vault.currentVersion(ranksKey('prod', second.snapshot)), { body: forged });
    const purging = history.world.maintain({ action: 'purge', snapshot: full.snapshot, immediately: true });
    await expect(purging).rejects.toThrow(CatalogCorrupt);
    expect(await history.world.partsOf(full.snapshot)).toHaveLength(3);
  });

  it('holds a bounded number of keys that are not natural, and leaves all of them when there are more', async () => {
    const store = new InMemoryObjectStore();
    const snapshot = 'snapshot.2026-01-31.22-00-00';
    const prefix = `prod/${snapshot}/.rewritten/`;
    async function* lines() {
      for (let index = 0; index <= MOST_NAMED_KEYS; index += 1) {
        const path = String(index).padStart(6, '0');
        yield partLine(path, { in: snapshot, key: `${prefix}${path}` });
      }
    }
    const header = { formatVersion: 1, backup: 'prod', snapshot };
    const manifest = await store.createStream(
      manifestKey('prod', snapshot, 1),
      manifestBytes({ ...header, rank: 'rank-1' }, lines()),
    );
    const line = {
      rank: 1,
      sha256: manifest.sha256,
      sizeBytes: manifest.sizeBytes,
      totals: { parts: 0, bytes: 0, storedParts: 0, storedBytes: 0, directories: 0 },
      in: [{ snapshot, parts: 1, bytes: 1 }],
    };
    await store.createStream(ranksKey('prod', snapshot), ranksBytes({ ...header, formatVersion: 1 }, one(line)));
    const unit = {
      task: 'free' as const,
      backup: 'prod',
      directory: snapshot,
      part: '.rewritten',
      dead: true,
      referrers: [{ snapshot }],
    };
    const deps = { vault: store, work: store };
    const named = new NamedKeys(deps, { unit, gathered: undefined, pieceKey: 'piece', shouldStop: never });
    expect(await named.gather()).toBe(true);
    expect(await named.has({ key: `${prefix}nobody`, versionId: 'names me' })).toBe(true);
    const again = new NamedKeys(deps, { unit, gathered: await named.save(), pieceKey: 'piece-2', shouldStop: never });
    expect(await again.gather()).toBe(true);
    expect(await again.has({ key: `${prefix}nobody`, versionId: 'names me' })).toBe(true);
  });
});

describe('the part of a directory', () => {
  it.each([
    ['rank-0', 0],
    ['rank-12', 12],
    ['cluster', 'cluster'],
    ['rank-01', undefined],
    ['rank--1', undefined],
    ['.rewritten', undefined],
    ['rank-1x', undefined],
  ])('%s is of rank %s', (part, rank) => {
    expect(rankOfPart(part)).toBe(rank);
  });
});

async function* nothing(): AsyncGenerator<never> {
  // No ranks at all.
}

async function* one<T>(item: T): AsyncGenerator<T> {
  yield item;
}
