import { describe, expect, it } from 'vitest';
import { readSnapshots, readTombstones } from '../../../core/catalog.ts';
import { BackupInProgress, ClusterBusy, FormatTooNew, InputInvalid } from '../../../core/errors.ts';
import { jsonBytes } from '../../../core/format.ts';
import { commitSnapshot } from '../../../core/jobs/commit-snapshot.ts';
import { planSnapshot } from '../../../core/jobs/plan-snapshot.ts';
import { sealRank } from '../../../core/jobs/seal-rank.ts';
import { acquireLock, lockSchema, releaseLock } from '../../../core/locks.ts';
import type { SnapshotPlan } from '../../../core/run.ts';
import { readJson } from '../../../core/stored-json.ts';
import {
  attemptKey,
  ranksKey,
  recordKey,
  restoredKey,
  tombstoneKey,
  verificationKey,
} from '../../../core/vault-layout.ts';
import { NOTHING_VERIFIED, type OpenFindings } from '../../../core/verification.ts';
import { backupLockKey } from '../../../core/work-layout.ts';
import { HoldWorld } from '../../support/hold-world.ts';
import { JobWorld } from '../../support/job-world.ts';
import { sampleConfig } from '../../support/sample-config.ts';
import { FIRST_SNAPSHOT, snapshotRecord, verification } from '../../support/sample-lines.ts';

const plan = (world: JobWorld, execution: string, input: unknown) =>
  planSnapshot(world.planning, world.start(execution, input));
const FULL = { backup: 'prod', type: 'full' };

function running(world: JobWorld, ...executions: readonly string[]): void {
  for (const execution of executions) {
    world.executions.states.set(`arn:${execution}`, { status: 'running' });
  }
}

describe('planning a snapshot', () => {
  it('takes both locks, claims a directory of now and freezes the plan', async () => {
    const world = new JobWorld();
    const frozen = await world.plan({ type: 'full', execution: 'run-1' });
    expect(frozen).toMatchObject({
      id: '1769896800000',
      requestedType: 'full',
      full: 'snapshot.2026-01-31.22-00-00',
      allowedIn: [],
      baseRanks: [],
      run: {
        backup: 'prod',
        cluster: 'prod',
        type: 'full',
        snapshot: 'snapshot.2026-01-31.22-00-00',
        quiesce: false,
        warmPass: false,
      },
    });
    expect(world.work.keys()).toEqual([
      'locks/backup/prod.json',
      'locks/cluster/prod.json',
      'runs/Snapshot/run-1/plan.json',
    ]);
    expect(world.vault.keys()).toEqual([attemptKey('prod', frozen.run.snapshot)]);
  });

  it('answers the same plan when it is tried again, whatever the time and the catalog say then', async () => {
    const world = new JobWorld();
    const start = world.start('run-1', FULL);
    const first = await planSnapshot(world.planning, start);
    world.clock.advanceMinutes(5);
    expect(await planSnapshot(world.planning, start)).toEqual(first);
    expect(world.vault.keys()).toHaveLength(1);
  });

  it('refuses a name under which another execution left its plan', async () => {
    const world = new JobWorld();
    const start = world.start('run-1', FULL);
    await planSnapshot(world.planning, start);
    const later = { ...start, startedAt: '2026-06-01T00:00:00.000Z' };
    await expect(planSnapshot(world.planning, later)).rejects.toThrow(InputInvalid);
  });

  it('ends a run of a schedule that another execution has taken already, and gives the locks back', async () => {
    const world = new JobWorld();
    const turn = { schedule: 'nightly', scheduledTime: '2026-01-30T22:00:00Z' };
    await world.vault.create(recordKey('prod', FIRST_SNAPSHOT), jsonBytes(snapshotRecord(turn)));
    const answer = await plan(world, 'run-2', { ...FULL, ...turn });
    expect(answer).toEqual({ outcome: 'finished', result: 'Duplicate', snapshot: FIRST_SNAPSHOT });
    expect(world.work.keys()).toEqual([]);
    const next = await plan(world, 'run-3', { ...FULL, ...turn, scheduledTime: '2026-01-31T22:00:00Z' });
    expect(next.outcome).toBe('planned');
  });

  it('lets a scheduled run wait, and tells a person, while an earlier hold is not released', async () => {
    const hold = new HoldWorld();
    await hold.arm('run-1');
    await hold.world.work.delete('locks/backup/held.json');
    await hold.world.work.delete('locks/cluster/held.json');
    const input = { backup: 'held', type: 'full' };
    expect(await plan(hold.world, 'run-2', { ...input, schedule: 'nightly' })).toMatchObject({ outcome: 'wait' });
    await hold.world.work.delete('locks/backup/held.json');
    await hold.world.work.delete('locks/cluster/held.json');
    await expect(plan(hold.world, 'run-3', input)).rejects.toThrow(ClusterBusy);
  });

  it('adopts its own directory when it died between claim and plan', async () => {
    const world = new JobWorld();
    const start = world.start('run-1', FULL);
    const first = await planSnapshot(world.planning, start);
    await world.work.delete(world.keys('run-1').plan());
    world.clock.advanceMinutes(5);
    expect(await planSnapshot(world.planning, start)).toEqual(first);
    expect(world.vault.keys()).toHaveLength(1);
  });

  it('answers what its ghost has frozen when that was faster', async () => {
    const world = new JobWorld();
    const start = world.start('run-1', FULL);
    world.vault.before('create', '/attempts/', async () => {
      world.clock.advanceMillis(-3000);
      await planSnapshot(world.planning, start);
      world.clock.advanceMillis(3000);
    });
    const answer = await planSnapshot(world.planning, start);
    const frozen = await planSnapshot(world.planning, start);
    expect(answer).toEqual(frozen);
  });

  it('takes the next second when another execution has claimed this one', async () => {
    const world = new JobWorld();
    const first = await world.snapshot({ type: 'full', execution: 'run-1' });
    const second = await world.plan({ type: 'full', execution: 'run-2' });
    expect([first.snapshot, second.run.snapshot]).toEqual([
      'snapshot.2026-01-31.22-01-00',
      'snapshot.2026-01-31.22-01-01',
    ]);
  });

  it('takes a later directory than any attempt, also when the clock has gone back', async () => {
    const world = new JobWorld();
    await world.snapshot({ type: 'full', execution: 'run-1' });
    world.clock.advanceMinutes(-600);
    expect((await world.plan({ type: 'full', execution: 'run-2' })).run.snapshot).toBe('snapshot.2026-01-31.22-01-01');
  });

  it('goes on to the next directory when another claims the same one at the same moment', async () => {
    const world = new JobWorld();
    const taken = 'snapshot.2026-01-31.22-00-00';
    world.vault.before('create', '/attempts/', () =>
      world.vault.put(attemptKey('prod', taken), jsonBytes(attemptOf(taken))),
    );
    expect((await world.plan({ type: 'full', execution: 'run-1' })).run.snapshot).toBe('snapshot.2026-01-31.22-00-01');
  });

  it('builds an incremental on the newest snapshot and its chain, a differential on the newest full', async () => {
    const world = new JobWorld();
    const full = await world.snapshot({ type: 'full', execution: 'run-1' });
    const incremental = await world.snapshot({ type: 'incremental', execution: 'run-2' });
    const next = await world.plan({ type: 'incremental', execution: 'run-3' });
    expect(next).toMatchObject({ base: incremental.snapshot, full: full.snapshot, baseRanks: [0, 1, 2, 'cluster'] });
    expect(next.allowedIn).toEqual([full.snapshot, incremental.snapshot]);
    const other = new JobWorld();
    await other.snapshot({ type: 'full', execution: 'run-1' });
    await other.snapshot({ type: 'incremental', execution: 'run-2' });
    const differential = await other.plan({ type: 'differential', execution: 'run-3' });
    expect(differential).toMatchObject({ base: full.snapshot, allowedIn: [full.snapshot], full: full.snapshot });
  });

  it('makes a full with the reason when nothing can be built upon', async () => {
    const world = new JobWorld();
    const first = await world.plan({ type: 'incremental', execution: 'run-1' });
    expect(first).toMatchObject({ requestedType: 'incremental', run: { type: 'full' } });
    expect(first.reason).toContain('there is no earlier snapshot');
  });

  it('makes a full after a restore of the cluster', async () => {
    const world = new JobWorld();
    const base = await world.snapshot({ type: 'full', execution: 'run-1' });
    world.clock.advanceMinutes(1);
    const now = world.clock.nowEpochMillis();
    const restored = {
      formatVersion: 1,
      cluster: 'prod',
      backup: 'prod',
      snapshot: base.snapshot,
      execution: 'r',
      startedAt: new Date(now).toISOString(),
    };
    await world.vault.create(restoredKey('prod', now, 'r'), jsonBytes(restored));
    const next = await world.plan({ type: 'incremental', execution: 'run-2' });
    expect([next.run.type, next.reason]).toEqual(['full', expect.stringContaining('the cluster was restored')]);
  });

  it('quiesces a cluster with a control endpoint, with a warm pass unless the input says no', async () => {
    const world = new JobWorld();
    expect((await world.plan({ backup: 'held', type: 'full', execution: 'run-1' })).run).toMatchObject({
      quiesce: true,
      warmPass: true,
    });
    const other = new JobWorld();
    const options = { warmPass: false, maxQuiesceMinutes: 5, copyConcurrency: 3, rankConcurrency: 2 };
    const answer = await plan(other, 'run-1', { backup: 'held', type: 'full', options });
    expect(answer).toMatchObject({ run: { quiesce: true, warmPass: false, copyConcurrency: 3, rankConcurrency: 2 } });
  });

  it('never quiesces what KAgent has copied', async () => {
    const world = new JobWorld();
    const frozen = await world.plan({ backup: 'vendor', type: 'full', execution: 'run-1' });
    expect(frozen.run).toMatchObject({ quiesce: false, warmPass: false });
    expect(frozen.newestKagentDirectory).toBeUndefined();
  });

  it('remembers the newest of KAgent’s directories that this backup has vaulted', async () => {
    const world = new JobWorld();
    for (const [day, hour] of [
      [28, 23],
      [29, 20],
    ]) {
      const snapshot = `snapshot.2026-01-${day}.23-30-00`;
      const source = { kind: 'kagent' as const, directory: `snapshot.2026-01-${day}.${hour}-00-00`, quiesced: false };
      const record = snapshotRecord({ backup: 'vendor', cluster: 'vendor', snapshot, source });
      await world.vault.create(recordKey('vendor', snapshot), jsonBytes(record));
    }
    const frozen = await world.plan({ backup: 'vendor', type: 'full', execution: 'run-1' });
    expect(frozen.newestKagentDirectory).toBe('snapshot.2026-01-29.20-00-00');
  });

  it('freezes Object Lock with the plan', async () => {
    const config = sampleConfig({ vault: { objectLock: { mode: 'GOVERNANCE', retainDays: 30 } } });
    const frozen = await new JobWorld({ config }).plan({ type: 'full', execution: 'run-1' });
    expect(frozen.objectLock).toEqual({ mode: 'GOVERNANCE', retainDays: 30, chainDays: 14 });
    expect(frozen.baseLockedUntil).toBeUndefined();
  });
});

describe('planning a snapshot on something that is not sound', () => {
  it('makes a full that says why while a finding is open', async () => {
    const world = new JobWorld();
    const base = await world.snapshot({ type: 'full', execution: 'run-1' });
    await verified(world, [finding(base.snapshot)]);
    const next = await world.plan({ type: 'incremental', execution: 'run-2' });
    expect(next).toMatchObject({ requestedType: 'incremental', run: { type: 'full' }, allowedIn: [], baseRanks: [] });
    expect(next.base).toBeUndefined();
    expect(next.reason).toBe(
      `An incremental was asked for, but ${base.snapshot} cannot be built upon: verification (present) found 1 MissingObject in it: tom-0/a is gone.`,
    );
  });

  it('builds on that full then, and on the first again when the finding is closed', async () => {
    const world = new JobWorld();
    const base = await world.snapshot({ type: 'full', execution: 'run-1' });
    await verified(world, [finding(base.snapshot)]);
    const full = await world.snapshot({ type: 'incremental', execution: 'run-2' });
    const next = await world.snapshot({ type: 'incremental', execution: 'run-3' });
    expect([full.type, next.base]).toEqual(['full', full.snapshot]);
    const other = new JobWorld();
    const sound = await other.snapshot({ type: 'full', execution: 'run-1' });
    await verified(other, [finding(sound.snapshot)], '20260131T060000.000Z-present-a');
    await verified(other, [], '20260131T070000.000Z-present-b');
    expect((await other.plan({ type: 'incremental', execution: 'run-2' })).base).toBe(sound.snapshot);
  });

  it('takes nothing for sound while the newest verification cannot be read', async () => {
    const world = new JobWorld();
    await world.snapshot({ type: 'full', execution: 'run-1' });
    await world.vault.put(verificationKey('prod', '20260131T060000.000Z-read-a'), Buffer.from('cut'));
    const next = await world.plan({ type: 'incremental', execution: 'run-2' });
    expect([next.run.type, next.reason]).toEqual([
      'full',
      expect.stringContaining('newest verification cannot be read'),
    ]);
  });

  it('skips a snapshot whose record cannot be read, and builds on the one before', async () => {
    const world = new JobWorld();
    const full = await world.snapshot({ type: 'full', execution: 'run-1' });
    const broken = await world.snapshot({ type: 'incremental', execution: 'run-2' });
    await world.vault.put(recordKey('prod', broken.snapshot), Buffer.from('{"formatVersion":1}'));
    const next = await world.snapshot({ type: 'incremental', execution: 'run-3' });
    expect(next).toMatchObject({ type: 'incremental', base: full.snapshot, chain: [full.snapshot, next.snapshot] });
    expect(next.reason).toContain(`that of ${broken.snapshot} cannot`);
  });

  it.each([
    ['has been changed', (world: JobWorld, key: string) => world.vault.put(key, Buffer.from('other'))],
    ['is gone', (world: JobWorld, key: string) => world.vault.delete(key)],
  ])('makes a full when the list of ranks of its base %s', async (_what, damage) => {
    const world = new JobWorld();
    const base = await world.snapshot({ type: 'full', execution: 'run-1' });
    await damage(world, ranksKey('prod', base.snapshot));
    const next = await world.plan({ type: 'incremental', execution: 'run-2' });
    expect([next.run.type, next.baseRanks, next.base]).toEqual(['full', [], undefined]);
    expect(next.reason).toContain(`An incremental was asked for, but ${ranksKey('prod', base.snapshot)} has digest`);
  });

  it('refuses a catalog of a newer Rankvault', async () => {
    const world = new JobWorld();
    await world.vault.put(recordKey('prod', FIRST_SNAPSHOT), jsonBytes({ ...snapshotRecord(), formatVersion: 2 }));
    await expect(world.plan({ type: 'incremental', execution: 'run-1' })).rejects.toThrow(FormatTooNew);
  });
});

describe('planning a snapshot with Object Lock', () => {
  const config = sampleConfig({ vault: { objectLock: { mode: 'GOVERNANCE', retainDays: 30, chainDays: 7 } } });
  const DAY_MINUTES = 24 * 60;

  it('builds on what stays locked for its promise, and freezes how long that is', async () => {
    const world = new JobWorld({ config });
    const base = await world.snapshot({ type: 'full', execution: 'run-1' });
    world.clock.advanceMinutes(6 * DAY_MINUTES);
    const next = await world.plan({ type: 'incremental', execution: 'run-2' });
    expect(next).toMatchObject({ base: base.snapshot, baseLockedUntil: '2026-03-09T22:01:00.000Z' });
  });

  it('makes a full when the lock of its full would end too early, an hour for the run included', async () => {
    const world = new JobWorld({ config });
    const full = await world.snapshot({ type: 'full', execution: 'run-1' });
    world.clock.advanceMinutes(7 * DAY_MINUTES - 61);
    await world.snapshot({ type: 'incremental', execution: 'run-2' });
    world.clock.advanceMinutes(1);
    const next = await world.plan({ type: 'incremental', execution: 'run-3' });
    expect([next.run.type, next.base, next.baseLockedUntil]).toEqual(['full', undefined, undefined]);
    expect(next.reason).toBe(
      `An incremental was asked for, but the lock of ${full.snapshot} ends before this snapshot's would (2026-03-09T22:01:00.000Z, 2026-03-09T22:02:00.000Z).`,
    );
  });

  it('makes a full on snapshots that were taken without', async () => {
    const before = new JobWorld();
    await before.snapshot({ type: 'full', execution: 'run-1' });
    const answer = await planSnapshot(
      { ...before.planning, config },
      before.start('run-2', { backup: 'prod', type: 'incremental' }),
    );
    expect(answer).toMatchObject({ outcome: 'planned', run: { type: 'full' } });
  });
});

describe('planning a snapshot while another runs', () => {
  it('tells a person at once that the backup is busy', async () => {
    const world = new JobWorld();
    running(world, 'run-1');
    await world.plan({ type: 'full', execution: 'run-1' });
    await expect(plan(world, 'run-2', FULL)).rejects.toThrow(BackupInProgress);
    await expect(plan(world, 'run-2', FULL)).rejects.toThrow(
      "Backup 'prod' is held by execution run-1 since 2026-01-31T22:00:00.000Z. Wait until",
    );
  });

  it('tells a person at once that the cluster is busy with another backup', async () => {
    const world = new JobWorld();
    running(world, 'run-1');
    await world.plan({ type: 'full', execution: 'run-1' });
    await expect(plan(world, 'run-2', { backup: 'second', type: 'full' })).rejects.toThrow(ClusterBusy);
  });

  it('lets a scheduled run wait its turn and go on then', async () => {
    const world = new JobWorld();
    running(world, 'run-1', 'run-2');
    const first = await world.plan({ type: 'full', execution: 'run-1' });
    const start = world.start('run-2', { ...FULL, schedule: 'nightly', scheduledTime: '2026-01-31T22:00:00Z' });
    expect(await planSnapshot(world.planning, start)).toEqual({ outcome: 'wait', waitSeconds: 60 });
    await world.inspect(first);
    await world.enumerateAll(first, 'final');
    await world.copyAll(first, 'final');
    await world.finish(first);
    expect(await planSnapshot(world.planning, start)).toMatchObject({
      outcome: 'planned',
      run: { execution: 'run-2' },
    });
  });

  it('lets a scheduled run wait also for the cluster', async () => {
    const world = new JobWorld();
    running(world, 'run-1');
    await world.plan({ type: 'full', execution: 'run-1' });
    expect(await plan(world, 'run-2', { backup: 'second', type: 'full', schedule: 'nightly' })).toMatchObject({
      outcome: 'wait',
    });
  });
});

describe('planning a snapshot beside maintenance that decides', () => {
  const deciding = { execution: 'expire-1', executionArn: 'arn:expire-1', nonce: 'expire', brief: true as const };

  it('waits for its seconds, also when a person has started it', async () => {
    const world = new JobWorld();
    running(world, 'expire-1');
    await acquireLock(world, backupLockKey('prod'), deciding);
    expect(await plan(world, 'run-1', FULL)).toEqual({ outcome: 'wait', waitSeconds: 5 });
    expect(await plan(world, 'run-1', { ...FULL, schedule: 'nightly' })).toEqual({ outcome: 'wait', waitSeconds: 5 });
    await releaseLock(world.work, backupLockKey('prod'), 'expire');
    expect(await plan(world, 'run-1', FULL)).toMatchObject({ outcome: 'planned' });
  });

  it('does not wait every 5 seconds for a lock that was meant to be brief and was not given back', async () => {
    const world = new JobWorld();
    running(world, 'expire-1');
    await acquireLock(world, backupLockKey('prod'), deciding);
    world.clock.advanceMinutes(20);
    await expect(plan(world, 'run-1', FULL)).rejects.toThrow(BackupInProgress);
    expect(await plan(world, 'run-1', { ...FULL, schedule: 'nightly' })).toEqual({ outcome: 'wait', waitSeconds: 60 });
  });
});

describe('planning a snapshot after one that died', () => {
  /** The first execution is dead for long enough that its locks are free. */
  async function died(): Promise<{ readonly world: JobWorld; readonly dead: SnapshotPlan }> {
    const world = new JobWorld();
    const dead = await world.plan({ type: 'full', execution: 'run-1' });
    await world.inspect(dead);
    await world.enumerateAll(dead, 'final');
    await world.copyAll(dead, 'final');
    for (const rank of await world.ranks(dead)) {
      await sealRank(world.of(dead), dead, rank);
    }
    world.executions.states.set('arn:run-1', { status: 'ended', stoppedAtEpochMillis: world.clock.nowEpochMillis() });
    world.clock.advanceMinutes(16);
    return { world, dead };
  }

  it('hides what that one had claimed, so that a late commit of it stays invisible', async () => {
    const { world, dead } = await died();
    const next = await world.plan({ type: 'full', execution: 'run-2' });
    expect(await readTombstones(world.vault, 'prod')).toMatchObject([
      {
        snapshot: dead.run.snapshot,
        action: 'steal',
        reason: 'Execution run-1 ended without giving back the lock of the backup, and run-2 took it.',
        execution: 'run-2',
        bytesKeptUntil: '2026-01-31T22:16:00.000Z',
      },
    ]);
    // A ghost that had asked for its lock before it was stolen.
    const lock = await readJson(world.work, backupLockKey('prod'), lockSchema);
    await world.work.put(backupLockKey('prod'), jsonBytes({ ...lock?.value, nonce: dead.run.nonce }));
    await commitSnapshot(world.of(dead), dead);
    expect(await world.vault.head(recordKey('prod', dead.run.snapshot))).toBeDefined();
    expect(await readSnapshots(world.vault, 'prod')).toEqual([]);
    expect(next.run.snapshot > dead.run.snapshot).toBe(true);
  });

  it('hides it before it takes the lock: a thief that dies in between does both again', async () => {
    const { world, dead } = await died();
    world.work.before('replace', backupLockKey('prod'), () => Promise.reject(new Error('killed')));
    await expect(plan(world, 'run-2', FULL)).rejects.toThrow('killed');
    expect(await world.vault.head(tombstoneKey('prod', dead.run.snapshot))).toBeDefined();
    expect(await plan(world, 'run-2', FULL)).toMatchObject({ outcome: 'planned' });
    expect(await readTombstones(world.vault, 'prod')).toHaveLength(1);
  });

  it('leaves a snapshot that it had committed', async () => {
    const { world, dead } = await died();
    const record = await commitSnapshot(world.of(dead), dead);
    await world.plan({ type: 'incremental', execution: 'run-2' });
    expect(await readSnapshots(world.vault, 'prod')).toEqual([record]);
    expect(await readTombstones(world.vault, 'prod')).toEqual([]);
  });
});

describe('the input of a snapshot', () => {
  it.each([
    [{ backup: 'unknown', type: 'full' }, "There is no backup 'unknown'. Known backups: held, prod, second, vendor"],
    [{ backup: 'prod' }, "type is missing; it must be 'full', 'incremental' or 'differential'"],
    [{ backup: 'prod', type: 'complete' }, "type is 'complete'; it must be 'full', 'incremental' or 'differential'"],
    [{ backup: 'a/b', type: 'full' }, "backup is 'a/b'; it must begin with a letter"],
    [{ ...FULL, options: { warm: true } }, "options has 'warm', which is no setting"],
    [{ ...FULL, options: { copyConcurrency: 0 } }, 'options.copyConcurrency is 0; it must be at least 1'],
    [{ ...FULL, more: 1 }, "it has 'more', which is no setting"],
    [[], 'Start it again with an input like {"backup"'],
    ['full', 'Start it again with an input like'],
    [undefined, 'Start it again with an input like'],
  ])('%j is refused by name, before any lock is taken', async (input, message) => {
    const world = new JobWorld();
    await expect(plan(world, 'run-1', input)).rejects.toThrow(InputInvalid);
    await expect(plan(world, 'run-1', input)).rejects.toThrow(message);
    expect(world.work.keys()).toEqual([]);
  });

  it('for a cluster that no deployed function reaches is refused', async () => {
    const world = new JobWorld();
    const planning = { ...world.planning, siteFunctions: {} };
    await expect(planSnapshot(planning, world.start('run-1', FULL))).rejects.toThrow('No deployed function reaches');
  });
});

/** The newest verification leaves these open. */
async function verified(world: JobWorld, open: readonly OpenFindings[], id = '20260131T060000.000Z-present-a') {
  const state = { ...NOTHING_VERIFIED, open: [...open] };
  await world.vault.create(verificationKey('prod', id), jsonBytes(verification({ id, state })));
}

function finding(snapshot: string): OpenFindings {
  const facts = {
    level: 'present',
    severity: 'damage',
    kinds: { MissingObject: 1 },
    example: 'tom-0/a is gone.',
  } as const;
  return { snapshot, ...facts, since: '2026-01-31T06:00:00.000Z', verification: 'v' };
}

function attemptOf(snapshot: string) {
  const who = { execution: 'other', executionArn: 'arn:other', nonce: 'other' };
  const claimedAt = '2026-01-31T22:00:00.000Z';
  return { formatVersion: 1, backup: 'prod', snapshot, id: '1769896800000', ...who, type: 'full', claimedAt };
}
