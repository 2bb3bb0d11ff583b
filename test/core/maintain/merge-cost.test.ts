import { describe, expect, it } from 'vitest';
import { MaintainHistory } from '../../support/maintain-history.ts';

async function chain(files: number) {
  const history = new MaintainHistory();
  const paths = Array.from({ length: files }, (_, index) => `rank-1/tom-0/${String(index).padStart(4, '0')}`);
  await history.take(
    'full',
    paths.map((path) => ({ path, content: 'x' })),
  );
  await history.take('incremental', [{ path: 'conf', content: 'y' }]);
  return history;
}

describe('the cost of a merge', () => {
  it('is the same in the dry run and in the run', async () => {
    const { world } = await chain(3);
    const planned = await world.maintain({ action: 'merge', dryRun: true });
    const done = await world.maintain({ action: 'merge' });
    expect(planned.cost).toEqual(done.cost);
    expect(planned.later).toMatchObject({ parts: done.later?.parts, bytes: done.later?.bytes });
    expect(planned.later?.parts).toBeGreaterThan(0);
  });

  it('grows with the parts', async () => {
    const [few, many] = [await chain(3), await chain(303)];
    const costs = [];
    for (const { world } of [few, many]) {
      costs.push((await world.maintain({ action: 'merge', dryRun: true })).cost);
    }
    expect((costs[1]?.requests ?? 0) - (costs[0]?.requests ?? 0)).toBeGreaterThanOrEqual(300);
    expect(costs[1]?.dollarsKeptTwice).toBeDefined();
  });
});
