import { describe, expect, it } from 'vitest';
import { readDefinition, readSnapshots } from '../../../core/catalog.ts';
import { enumerationSchema } from '../../../core/draft.ts';
import { LockLost, RecordMissing, SealInvariantBroken, VaultKeyTaken } from '../../../core/errors.ts';
import { jsonBytes } from '../../../core/format.ts';
import { commitSnapshot } from '../../../core/jobs/commit-snapshot.ts';
import { unlockRun } from '../../../core/jobs/end-run.ts';
import { sealRank } from '../../../core/jobs/seal-rank.ts';
import { readManifest, readRanks } from '../../../core/manifest-io.ts';
import type { SnapshotPlan } from '../../../core/run.ts';
import { readJson } from '../../../core/stored-json.ts';
import { manifestKey, ranksKey, recordKey } from '../../../core/vault-layout.ts';
import { backupLockKey } from '../../../core/work-layout.ts';
import { collect } from '../../support/byte-streams.ts';
import { JobWorld } from '../../support/job-world.ts';
import { sampleConfig } from '../../support/sample-config.ts';
import { snapshotRecord } from '../../support/sample-lines.ts';

async function copied(
  world = new JobWorld(),
  type: 'full' | 'incremental' | 'differential' = 'full',
  execution = 'run-1',
) {
  world.clock.advanceMinutes(1);
  const plan = await world.plan({ type, execution });
  await world.inspect(plan);
  await world.enumerateAll(plan, 'final');
  await world.copyAll(plan, 'final');
  return { world, plan };
}

async function sealed(world?: JobWorld, execution?: string) {
  const scene = await copied(world, 'full', execution);
  for (const rank of await scene.world.ranks(scene.plan)) {
    await sealRank(scene.world.of(scene.plan), scene.plan, rank);
  }
  return scene;
}

const LOCKED = sampleConfig({ vault: { objectLock: { mode: 'COMPLIANCE', retainDays: 10, chainDays: 3 } } });

const commit = (world: JobWorld, plan: SnapshotPlan) => commitSnapshot(world.of(plan), plan);

describe('sealing a rank', () => {
  it('writes every part with where its bytes lie, and says its digest', async () => {
    const { world, plan } = await copied();
    const line = await sealRank(world.of(plan), plan, 1);
    const place = { backup: 'prod', snapshot: plan.run.snapshot, rank: 1 };
    const lines = await collect(readManifest(world.vault, place));
    expect(lines.map(({ path }) => path)).toEqual(['tom-0/a.seg', 'tom-1/b.seg']);
    expect(line).toMatchObject({
      rank: 1,
      totals: { parts: 2, storedParts: 2 },
      in: [{ snapshot: plan.run.snapshot, parts: 2 }],
    });
  });

  it('finds the same object on a second try', async () => {
    const { world, plan } = await copied();
    expect(await sealRank(world.of(plan), plan, 1)).toEqual(await sealRank(world.of(plan), plan, 1));
  });

  it('refuses a manifest of other lines at its key', async () => {
    const { world, plan } = await copied();
    await world.vault.put(manifestKey('prod', plan.run.snapshot, 1), Buffer.from('other'));
    await expect(sealRank(world.of(plan), plan, 1)).rejects.toThrow(VaultKeyTaken);
  });

  it('refuses bytes of a snapshot that is not in the chain, and writes nothing then', async () => {
    const world = new JobWorld();
    await world.snapshot({ type: 'full', execution: 'run-0' });
    const { plan } = await copied(world, 'incremental');
    const forbidden = { ...plan, allowedIn: [] };
    await expect(sealRank(world.of(plan), forbidden, 1)).rejects.toThrow(SealInvariantBroken);
    await expect(sealRank(world.of(plan), forbidden, 1)).rejects.toThrow(
      'of this incremental names bytes of snapshot.',
    );
    expect(await world.vault.head(manifestKey('prod', plan.run.snapshot, 1))).toBeUndefined();
    expect(await sealRank(world.of(plan), plan, 1)).toMatchObject({ totals: { parts: 2, storedParts: 0 } });
  });

  it('lets a differential name its full and itself, and nothing between', async () => {
    const world = new JobWorld();
    const full = await world.snapshot({ type: 'full', execution: 'run-0' });
    world.tree.write('main', 'rank-1/tom-0/a.seg', Buffer.from('second'));
    await world.snapshot({ type: 'incremental', execution: 'run-1' });
    world.tree.write('main', 'rank-1/tom-2/new.seg', Buffer.from('third'));
    const record = await world.snapshot({ type: 'differential', execution: 'run-2' });
    expect(record.chain).toEqual([full.snapshot, record.snapshot]);
    expect(record.totals).toMatchObject({ parts: 6, storedParts: 2 });
  });

  it('refuses an enumeration whose lines are not all there, or not in order', async () => {
    const { world, plan } = await copied();
    const key = world.keys('run-1').enumeration('final', 1);
    const stored = (await readJson(world.work, key, enumerationSchema))?.value;
    await world.work.put(key, jsonBytes({ ...stored, totals: { ...stored?.totals, parts: 3 } }));
    await expect(sealRank(world.of(plan), plan, 1)).rejects.toThrow(
      'has 2 parts and 0 directories; listed were 3 and 0',
    );
    await world.work.put(key, jsonBytes({ ...stored, pieces: [...(stored?.pieces ?? []), ...(stored?.pieces ?? [])] }));
    await expect(sealRank(world.of(plan), plan, 1)).rejects.toThrow('comes after tom-1/b.seg');
  });
});

describe('committing a snapshot', () => {
  it('writes the record last, and only then the snapshot is visible', async () => {
    const { world, plan } = await sealed();
    expect(await readSnapshots(world.vault, 'prod')).toEqual([]);
    let visible: readonly unknown[] = ['unknown'];
    const key = recordKey('prod', plan.run.snapshot);
    world.vault.before('create', key, async () => {
      visible = [
        await readSnapshots(world.vault, 'prod'),
        (await collect(readRanks(world.vault, 'prod', plan.run.snapshot))).length,
      ];
    });
    const record = await commit(world, plan);
    expect(visible).toEqual([[], 4]);
    expect(await readSnapshots(world.vault, 'prod')).toEqual([record]);
  });

  it('records what was taken, when, and of what', async () => {
    const { world, plan } = await sealed();
    world.clock.advanceMinutes(7);
    expect(await commit(world, plan)).toMatchObject({
      type: 'full',
      full: plan.run.snapshot,
      chain: [plan.run.snapshot],
      takenAt: '2026-01-31T22:01:00.000Z',
      committedAt: '2026-01-31T22:08:00.000Z',
      source: { kind: 'files', quiesced: false },
      definition: { number: 1 },
      topology: { from: 'roots', ranks: [{ rank: 0 }, { rank: 1 }, { rank: 2 }] },
      totals: { parts: 5, storedParts: 5, directories: 0 },
    });
  });

  it('names the snapshots whose bytes it needs, and no others', async () => {
    const world = new JobWorld();
    const full = await world.snapshot({ type: 'full', execution: 'run-0' });
    for (const [number, path] of ['rank-1/tom-0/a.seg', 'rank-1/tom-0/a.seg'].entries()) {
      world.tree.write('main', path, Buffer.from(`change ${number}`));
      const record = await world.snapshot({ type: 'incremental', execution: `run-${number + 1}` });
      expect(record.chain).toEqual([full.snapshot, record.snapshot]);
      expect(record.totals).toMatchObject({ parts: 5, storedParts: 1 });
    }
  });

  it('answers the same record on a second try, also much later', async () => {
    const { world, plan } = await sealed();
    const record = await commit(world, plan);
    world.clock.advanceMinutes(60);
    expect(await commit(world, plan)).toEqual(record);
  });

  it('answers the record of its ghost when that was faster', async () => {
    const { world, plan } = await sealed();
    let ghost: unknown;
    world.vault.before('create', recordKey('prod', plan.run.snapshot), async () => {
      ghost = await commit(world, plan);
      world.clock.advanceMinutes(1);
    });
    expect(await commit(world, plan)).toEqual(ghost);
  });

  it('refuses a record of another execution in its directory', async () => {
    const { world, plan } = await sealed();
    await world.vault.put(
      recordKey('prod', plan.run.snapshot),
      jsonBytes(snapshotRecord({ snapshot: plan.run.snapshot })),
    );
    await expect(commit(world, plan)).rejects.toThrow(VaultKeyTaken);
  });

  it('refuses ranks.jsonl.gz of other ranks', async () => {
    const { world, plan } = await sealed();
    await world.vault.put(ranksKey('prod', plan.run.snapshot), Buffer.from('other'));
    await expect(commit(world, plan)).rejects.toThrow(VaultKeyTaken);
  });

  it('commits nothing when the lock is somebody else’s by now', async () => {
    const { world, plan } = await sealed();
    const lock = {
      formatVersion: 1,
      execution: 'thief',
      executionArn: 'arn:thief',
      nonce: 'thief',
      acquiredAt: '2026-01-31T23:00:00.000Z',
    };
    await world.work.put(backupLockKey('prod'), jsonBytes(lock));
    await expect(commit(world, plan)).rejects.toThrow(LockLost);
    expect(await readSnapshots(world.vault, 'prod')).toEqual([]);
  });

  it('commits nothing when a rank is not sealed, or the inspection is gone', async () => {
    const { world, plan } = await sealed();
    const keys = world.keys('run-1');
    const seal = await world.work.get(keys.seal(2));
    await world.work.delete(keys.seal(2));
    await expect(commit(world, plan)).rejects.toThrow('Rank 2 of');
    await world.work.putStream(keys.seal(2), seal?.body ?? (async function* () {})());
    await world.work.delete(keys.inspection());
    await expect(commit(world, plan)).rejects.toThrow(RecordMissing);
    expect(await readSnapshots(world.vault, 'prod')).toEqual([]);
  });

  it('records no lock where there is no Object Lock', async () => {
    expect(await new JobWorld().snapshot({ type: 'full', execution: 'run-1' })).not.toHaveProperty('lock');
  });

  it('records what is locked until when, and the least of the chain', async () => {
    const world = new JobWorld({ config: LOCKED });
    const { plan } = await copied(world);
    for (const rank of await world.ranks(plan)) {
      await sealRank(world.of(plan), plan, rank);
    }
    world.clock.advanceMinutes(90);
    const full = await commit(world, plan);
    await unlockRun(world.work, plan.run);
    expect(full.lock).toEqual({
      mode: 'COMPLIANCE',
      promisedUntil: '2026-02-10T22:01:00.000Z',
      earliest: '2026-02-13T22:01:00.000Z',
      latest: '2026-02-14T00:31:00.000Z',
      chainUntil: '2026-02-13T22:01:00.000Z',
    });
    world.clock.advanceMinutes(24 * 60);
    const first = await world.snapshot({ type: 'incremental', execution: 'run-2' });
    const second = await world.snapshot({ type: 'incremental', execution: 'run-3' });
    expect([first.lock?.earliest, first.lock?.chainUntil]).toEqual(['2026-02-14T23:32:00.000Z', full.lock?.chainUntil]);
    expect(second.lock).toMatchObject({ earliest: '2026-02-14T23:33:00.000Z', chainUntil: full.lock?.chainUntil });
  });

  it('promises nothing of a base of which the plan does not say how long it is locked', async () => {
    const world = new JobWorld({ config: LOCKED });
    await world.snapshot({ type: 'full', execution: 'run-0' });
    const { plan } = await copied(world, 'incremental');
    const { baseLockedUntil, ...older } = plan;
    expect(baseLockedUntil).toBeDefined();
    const record = await world.finish(older);
    expect(record.lock).toMatchObject({ chainUntil: plan.startedAt });
  });

  it('numbers a definition only when what is covered has changed', async () => {
    const world = new JobWorld();
    const first = await world.snapshot({ type: 'full', execution: 'run-1' });
    const second = await world.snapshot({ type: 'incremental', execution: 'run-2' });
    expect([first.definition.number, second.definition.number]).toEqual([1, 1]);
    const { plan } = await sealed(world, 'run-3');
    const roots = plan.cluster.roots.map((root) => ({ ...root, exclude: ['tmp/**'] }));
    const third = await commit(world, { ...plan, cluster: { ...plan.cluster, roots } });
    expect(third.definition.number).toBe(2);
    expect(await readDefinition(world.vault, 'prod')).toEqual(expect.objectContaining(third.definition));
  });
});
