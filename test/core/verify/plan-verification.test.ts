import { describe, expect, it } from 'vitest';
import {
  BackupInProgress,
  BackupNotFound,
  CatalogCorrupt,
  InputInvalid,
  LockLost,
  NotAScratchCluster,
  RecordMissing,
  SnapshotNotFound,
} from '../../../core/errors.ts';
import { planVerification } from '../../../core/jobs/plan-verification.ts';
import { recordKey, verificationsPrefix } from '../../../core/vault-layout.ts';
import { openVerification } from '../../../core/verify/verify-plan.ts';
import { HOLDS_PREFIX, holdKey, verifyLockKey } from '../../../core/work-layout.ts';
import { VerifyWorld } from '../../support/verify-world.ts';

async function taken() {
  const world = new VerifyWorld();
  const full = await world.snapshot({ type: 'full', execution: 's1' });
  const next = await world.snapshot({ type: 'incremental', execution: 's2' });
  return { world, full, next };
}

const PRESENT = { level: 'present' };
const plan = (world: VerifyWorld, input: Readonly<Record<string, unknown>> = PRESENT, execution = 'v1') =>
  world.planVerification({ execution, input });
const held = (world: VerifyWorld) => world.work.keys().filter((key) => key.startsWith(HOLDS_PREFIX));

describe('planning a verification', () => {
  it('takes its turn, holds every snapshot, and gives both back in the end', async () => {
    const { world, full, next } = await taken();
    const run = await world.planned({ execution: 'v1', input: PRESENT });
    expect(run).toMatchObject({ machine: 'Verify', level: 'present', backup: 'prod', units: 8, rankConcurrency: 40 });
    expect(held(world)).toEqual([full, next].map(({ snapshot }) => holdKey('prod', snapshot, 'arn:v1')));
    expect(await world.work.head(verifyLockKey('prod'))).toBeDefined();
    await world.lookAtAll(run);
    await world.conclude(run);
    expect(held(world)).toEqual([]);
    expect(await world.work.head(verifyLockKey('prod'))).toBeUndefined();
  });

  it('holds only the one that was asked for', async () => {
    const { world, full, next } = await taken();
    await plan(world, { ...PRESENT, snapshot: 'latest' });
    expect(held(world)).toEqual([holdKey('prod', next.snapshot, 'arn:v1')]);
    expect(full.snapshot).not.toBe(next.snapshot);
  });

  it('gives back its own holds, and not those of others', async () => {
    const { world, full } = await taken();
    const foreign = holdKey('prod', full.snapshot, 'restore-1');
    await world.work.put(foreign, Buffer.from('{"executionArn":"arn:restore-1"}'));
    const namesake = holdKey('prod', 'snapshot.2020-01-01.00-00-00', 'v1');
    await world.work.put(namesake, Buffer.from('{"executionArn":"arn:other-machine:v1"}'));
    await world.verify({ execution: 'v1', input: PRESENT });
    expect(held(world)).toEqual([namesake, foreign]);
  });

  it('answers the same plan when it is tried again, whatever happened meanwhile', async () => {
    const { world } = await taken();
    const order = { execution: 'v1', input: PRESENT };
    const start = world.start(order.execution, { backup: 'prod', ...order.input });
    const first = await planVerification(world.verifying, start);
    await world.snapshot({ type: 'full', execution: 's3' });
    expect(await planVerification(world.verifying, start)).toEqual(first);
  });

  it('answers what its ghost has frozen when that was faster', async () => {
    const { world } = await taken();
    const start = world.start('v1', { backup: 'prod', level: 'present', snapshot: 'latest' });
    let ghost: unknown;
    world.work.before('create', 'Verify/v1/plan.json', async () => {
      await world.snapshot({ type: 'full', execution: 's3' });
      ghost = await planVerification(world.verifying, start);
    });
    const answer = await planVerification(world.verifying, start);
    expect(answer).toEqual(ghost);
    const run = answer.outcome === 'planned' ? answer.run : undefined;
    expect(run === undefined ? undefined : (await world.unitItems(run)).length).toBe(run?.units);
  });

  it('lets a person know that another one runs, and a schedule wait', async () => {
    const { world } = await taken();
    await plan(world);
    world.executions.states.set('arn:v1', { status: 'running' });
    await expect(plan(world, PRESENT, 'v2')).rejects.toThrow(BackupInProgress);
    await expect(plan(world, PRESENT, 'v2')).rejects.toThrow(
      "The verification of backup 'prod' is held by execution v1",
    );
    expect(await plan(world, { ...PRESENT, wait: true }, 'v3')).toEqual({ outcome: 'wait', waitSeconds: 60 });
    expect(await plan(world, { ...PRESENT, backup: 'second' }, 'v4')).toMatchObject({ outcome: 'finished' });
  });

  it('takes the turn of one that died, which then writes nothing any more', async () => {
    const { world } = await taken();
    const dead = await world.planned({ execution: 'v1', input: PRESENT });
    await world.lookAtAll(dead);
    world.executions.states.set('arn:v1', { status: 'ended', stoppedAtEpochMillis: world.clock.nowEpochMillis() });
    world.clock.advanceMinutes(17);
    await plan(world, PRESENT, 'v2');
    await expect(openVerification(world.work, dead)).rejects.toThrow(LockLost);
    await expect(world.conclude(dead)).rejects.toThrow(LockLost);
    expect(world.vault.keys().filter((key) => key.startsWith(verificationsPrefix('prod')))).toEqual([]);
  });

  it('leaves out a snapshot that is hidden before it is held, and looks at its bytes through the next one', async () => {
    const { world, full, next } = await taken();
    // The catalog is read, then the tombstone comes, then the hold.
    world.vault.before('listVersions', 'catalog/prod/snapshots/', () => world.tombstone(full));
    const run = await world.planned({ execution: 'v1', input: PRESENT });
    // A hold is never taken back before the end: a ghost would take that of the run.
    expect(held(world)).toEqual([full, next].map(({ snapshot }) => holdKey('prod', snapshot, 'arn:v1')));
    expect((await world.unitItems(run)).map(({ unit }) => [unit.snapshot, unit.ins.length])).toEqual(
      [0, 1, 2, 3].map(() => [next.snapshot, 2]),
    );
  });

  it('does not take another one when the one that was asked for is hidden before it is held', async () => {
    const { world, next } = await taken();
    // The records are read, then the tombstone comes, then the hold.
    world.vault.before('get', recordKey('prod', next.snapshot), () => world.tombstone(next));
    await expect(plan(world, { ...PRESENT, snapshot: 'latest' })).rejects.toThrow(SnapshotNotFound);
    // The abort of the run gives it back.
    expect(held(world)).toEqual([expect.stringContaining(`holds/prod/${next.snapshot}/`)]);
  });

  it('says that there is nothing to verify in an empty backup, and gives its turn back', async () => {
    const world = new VerifyWorld();
    for (const input of [PRESENT, { level: 'read', budget: { parts: 1 } }, { level: 'restored', cluster: 'scratch' }]) {
      expect(await plan(world, input, `v-${input.level}`)).toEqual({
        outcome: 'finished',
        result: {
          outcome: 'finished',
          backup: 'prod',
          next: "There is nothing to verify: backup 'prod' has no snapshots yet.",
        },
      });
    }
    expect(world.work.keys().filter((key) => key.startsWith('locks/'))).toEqual([]);
  });

  it('finds the records of an empty backup that are hidden or none', async () => {
    const world = new VerifyWorld();
    const record = await world.snapshot({ type: 'full', execution: 's1' });
    await world.vault.hide(recordKey('prod', record.snapshot));
    const { findings } = await world.verify({ execution: 'v1', input: { ...PRESENT, snapshot: 'latest' } });
    expect(findings).toMatchObject([{ kind: 'HiddenRecord', snapshot: record.snapshot }]);
  });

  it('knows a backup that only the vault has', async () => {
    const { world } = await taken();
    delete world.config.backups['prod'];
    expect((await world.verify({ execution: 'v1', input: PRESENT })).answer.verification.found).toBe('nothing');
  });

  it('does not know one that nobody has', async () => {
    const { world } = await taken();
    await expect(plan(world, { ...PRESENT, backup: 'nobody' })).rejects.toThrow(BackupNotFound);
    await expect(plan(world, { ...PRESENT, backup: 'nobody' })).rejects.toThrow('Configured backups: held, prod');
  });

  it.each([
    [{ level: 'whole' }, InputInvalid, 'Start it again with an input like'],
    [{ level: 'read', snapshot: 'latest', budget: { parts: 1 } }, InputInvalid, 'A budget goes over all snapshots'],
    [{ level: 'present', snapshot: 'snapshot.2020-01-01.00-00-00' }, SnapshotNotFound, 'has no snapshot'],
    [{ level: 'restored', cluster: 'nobody' }, InputInvalid, "There is no cluster 'nobody'"],
    [{ level: 'restored', cluster: 'dr' }, NotAScratchCluster, 'is not declared as scratch'],
  ])('refuses %j by name', async (input, error, message) => {
    const { world } = await taken();
    const refused = plan(world, input);
    await expect(refused).rejects.toThrow(error);
    await expect(refused).rejects.toThrow(message);
  });

  it('does not drill what cannot be read', async () => {
    const { world, full, next } = await taken();
    world.breakObject(recordKey('prod', next.snapshot));
    const drill = { level: 'restored', cluster: 'scratch' };
    await expect(plan(world, { ...drill, snapshot: next.snapshot })).rejects.toThrow(CatalogCorrupt);
    await world.work.delete(verifyLockKey('prod'));
    world.breakObject(recordKey('prod', full.snapshot));
    await expect(plan(world, drill)).rejects.toThrow(CatalogCorrupt);
  });

  it('refuses the records of an earlier execution of its name', async () => {
    const { world } = await taken();
    await plan(world);
    world.clock.advanceMinutes(1);
    await expect(plan(world)).rejects.toThrow('An earlier execution was called v1 too');
  });

  it('needs its plan', async () => {
    const { world } = await taken();
    const run = await world.planned({ execution: 'v1', input: PRESENT });
    await world.work.delete('runs/Verify/v1/plan.json');
    await expect(openVerification(world.work, run)).rejects.toThrow(RecordMissing);
  });
});
