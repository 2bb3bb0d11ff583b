import { describe, expect, it } from 'vitest';
import type { RestoreReport } from '../../../core/jobs/finish-restore.ts';
import { type DrillFacts, judgeDrill, judgeFailure, restoreOutcomeSchema } from '../../../core/verify/drill.ts';
import { InMemoryTree } from '../../support/in-memory-tree.ts';
import { RestoreWorld } from '../../support/restore-world.ts';
import { FIRST_SNAPSHOT } from '../../support/sample-lines.ts';
import { VerifyWorld } from '../../support/verify-world.ts';

const INPUT = { level: 'restored', cluster: 'scratch' };

async function taken(exclude: readonly string[] = []) {
  const world = new VerifyWorld();
  await world.snapshot({ type: 'full', execution: 's1' });
  world.write('rank-1/tom-1/b.seg', 'second b');
  const record = await world.snapshot({ type: 'incremental', execution: 's2' });
  const tree = new InMemoryTree([{ name: 'main', pattern: 'rank-{rank}/tom-{tom}', exclude: [...exclude] }]);
  tree.write('main', 'rank-1/tom-0/old.seg', Buffer.from('old'));
  tree.write('main', 'rank-1/tom-0/a.seg', Buffer.from('another a'));
  return { world, record, tree, restores: new RestoreWorld(world, tree) };
}

/** As `states:startExecution.sync:2` answers. */
function outcomeOf(execution: string, report: RestoreReport | undefined, seconds = 90) {
  return {
    ExecutionArn: `arn:${execution}`,
    Name: execution,
    Status: 'SUCCEEDED',
    StartDate: 1_770_000_000_000,
    StopDate: 1_770_000_000_000 + seconds * 1000,
    Output: { outcome: 'restored', report },
  };
}

async function drill(found: Awaited<ReturnType<typeof taken>>, between: () => void | Promise<void> = () => undefined) {
  const { world, restores, record } = found;
  const run = await world.planned({ execution: 'v1', input: INPUT });
  expect(run).toMatchObject({ snapshot: record.snapshot, cluster: 'scratch', units: 0 });
  const order = { snapshot: record.snapshot, cluster: 'scratch', policy: 'replace' } as const;
  const restored = await restores.restore({ ...order, execution: 'drill-1' });
  await between();
  const compared = await restores.restore({ ...order, execution: 'drill-again-1' });
  const outcomes = { restored: outcomeOf('drill-1', restored), compared: outcomeOf('drill-again-1', compared) };
  return world.verified(run, await world.conclude(run, outcomes));
}

describe('a drill', () => {
  it('that gives everything back is recorded with its recovery time', async () => {
    const found = await taken();
    const { record, answer, slices } = await drill(found);
    const { snapshot, totals } = found.record;
    const amount = { parts: totals.parts, bytes: totals.bytes };
    expect(record).toMatchObject({
      level: 'restored',
      scope: 'latest',
      checked: amount,
      snapshots: [snapshot],
      drill: { snapshot, cluster: 'scratch', restoreExecution: 'arn:drill-1', recoverySeconds: 90, ...amount },
    });
    expect(record.findings).toEqual({});
    expect(record.state.verified).toEqual([{ snapshot, restored: record.finishedAt }]);
    expect(record.state.coverage.restored).toMatchObject({ snapshot, recoverySeconds: 90, bytes: totals.bytes });
    expect(answer.failure).toBeUndefined();
    expect(answer.verification.coverage).toMatchObject({
      present: 'listed within 30 days: 0 % of 6 parts',
      restored: `${snapshot} restored at ${record.finishedAt} in 90 s`,
    });
    expect(slices).toEqual([]);
  });

  it.each([
    [
      'a part that reads otherwise',
      (tree: InMemoryTree) => tree.write('main', 'rank-2/tom-0/c.seg', Buffer.from('other rank-2/tom-0/c.seg')),
      'placed 1 parts again, removed 0 and missed 0 of 5',
    ],
    [
      'a part that is gone',
      (tree: InMemoryTree) => tree.remove('main', 'rank-2/tom-0/c.seg'),
      'placed 1 parts again, removed 0 and missed 0 of 5',
    ],
    [
      'a part beside those of the snapshot',
      (tree: InMemoryTree) => tree.write('main', 'rank-2/tom-0/d.seg', Buffer.from('d')),
      'placed 0 parts again, removed 1 and missed 0 of 5',
    ],
  ])('after which the second restore finds %s has failed', async (_what, meddle, detail) => {
    const found = await taken();
    const { record, findings, answer } = await drill(found, () => meddle(found.tree));
    expect(findings).toMatchObject([{ kind: 'RestoreFailed', snapshot: found.record.snapshot }]);
    expect(findings[0]?.detail).toContain(detail);
    expect(record.state.open).toMatchObject([
      { snapshot: found.record.snapshot, level: 'restored', severity: 'damage' },
    ]);
    expect(record.drill).toBeUndefined();
    expect(answer.failure?.error).toBe('DamageFound');
  });

  it('that left parts out says so, and proves nothing about the whole', async () => {
    const found = await taken(['**/c.seg']);
    const { record, answer } = await drill(found);
    expect(record).toMatchObject({ snapshots: [], drill: { parts: 4 } });
    expect(record.findings).toEqual({});
    expect(record.state.coverage.restored).toBeUndefined();
    expect(answer.failure).toBeUndefined();
    expect(answer.verification.next).toContain('exclude 1 parts, which were not tried');
  });

  it('that failed for the snapshot’s sake is a finding; a good one of the same snapshot closes it', async () => {
    const found = await taken();
    const { world, record } = found;
    const run = await world.planned({ execution: 'v0', input: INPUT });
    const failed = {
      Status: 'FAILED',
      Error: 'VaultPartMissing',
      Cause: 'A version is not in the vault. Restore another.',
    };
    const restoreFailure = { Error: 'States.TaskFailed', Cause: JSON.stringify(failed) };
    const first = await world.verified(run, await world.conclude(run, { restoreFailure }));
    expect(first.findings).toEqual([
      {
        kind: 'RestoreFailed',
        snapshot: record.snapshot,
        detail: `Restoring it into cluster 'scratch' failed with VaultPartMissing: ${failed.Cause}`,
      },
    ]);
    expect(first.record.state.open).toHaveLength(1);
    expect((await drill(found)).record.state.open).toEqual([]);
  });

  it('that failed for the scratch cluster’s sake says nothing about the snapshot, and still fails', async () => {
    const { world } = await taken();
    const run = await world.planned({ execution: 'v1', input: INPUT });
    const failed = { Status: 'FAILED', Error: 'ClusterBusy', Cause: "Cluster 'scratch' is held. Wait." };
    const drilled = { restoreFailure: { Error: 'States.TaskFailed', Cause: JSON.stringify(failed) } };
    for (const _try of ['first', 'again']) {
      const { record, answer } = await world.verified(run, await world.conclude(run, drilled));
      expect(record).toMatchObject({ snapshots: [], state: { open: [] } });
      expect(record.findings).toEqual({});
      expect(answer.failure).toEqual({ error: 'ClusterBusy', cause: failed.Cause });
      expect(answer.verification.next).toContain('could not be carried out (ClusterBusy)');
    }
  });
});

describe('the judgement of a drill', () => {
  const facts: DrillFacts = { snapshot: FIRST_SNAPSHOT, cluster: 'scratch', parts: 10, activated: 2 };
  const report = (change: Readonly<Record<string, number>>) =>
    restoreOutcomeSchema.parse({
      ...outcomeOf('drill', undefined),
      Output: {
        outcome: 'restored',
        report: { placed: 2, placedBytes: 20, kept: 8, keptBytes: 80, removed: 0, excluded: 0, ...change },
      },
    });

  it.each([
    [{}, 'good'],
    [{ placed: 3, kept: 7 }, 'bad'],
    [{ kept: 7 }, 'bad'],
    [{ removed: 1 }, 'bad'],
    [{ kept: 7, excluded: 1 }, 'good'],
  ])('of a second restore with %j is %s', (change, outcome) => {
    expect(judgeDrill(facts, report({}), report(change)).outcome).toBe(outcome);
  });

  it.each([
    ['States.TaskFailed', JSON.stringify({ Status: 'FAILED', Error: 'TargetRunning', Cause: 'c' }), 'unknown'],
    ['States.TaskFailed', JSON.stringify({ Status: 'ABORTED' }), 'unknown'],
    ['StepFunctions.ExecutionLimitExceededException', 'c', 'unknown'],
    ['States.TaskFailed', JSON.stringify({ Status: 'FAILED', Error: 'ChecksumMismatch', Cause: 'c' }), 'bad'],
    ['States.TaskFailed', JSON.stringify({ Status: 'TIMED_OUT' }), 'bad'],
    ['States.Timeout', '', 'bad'],
    ['WorkerDied', 'not {json', 'bad'],
  ])('of a failure with %s (%s) is %s', (error, cause, outcome) => {
    expect(judgeFailure(facts, { Error: error, Cause: cause }).outcome).toBe(outcome);
  });
});
