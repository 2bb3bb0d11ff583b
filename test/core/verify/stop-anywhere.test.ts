import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Verified, VerifyWorld } from '../../support/verify-world.ts';

/** Stops at the n-th question and at every n-th after it. */
function everyNth(count: number): () => boolean {
  let asked = 0;
  return () => {
    asked += 1;
    return asked % count === 0;
  };
}

/** A backup in which nearly everything is wrong. */
async function damaged() {
  const world = new VerifyWorld();
  for (const number of [1, 2, 3, 4, 5]) {
    world.write(`rank-1/tom-0/${number}.seg`, `first ${number}`);
  }
  const full = await world.snapshot({ type: 'full', execution: 's1' });
  world.write('rank-1/tom-0/2.seg', 'second 2');
  const next = await world.snapshot({ type: 'incremental', execution: 's2' });
  for (const extra of ['0', '2.seg.old', '9', 'z/1', 'z/2', 'z/3']) {
    await world.vault.put(`prod/${full.snapshot}/rank-1/tom-0/${extra}`, Buffer.from('stray'));
  }
  world.vault.lose(await world.version(full, 1, 'tom-0/1.seg'));
  world.vault.damage(await world.version(full, 1, 'tom-0/3.seg'), { body: Buffer.from('f') });
  await world.vault.hide((await world.version(next, 1, 'tom-0/2.seg')).key);
  return world;
}

/** What does not depend on who did what when. */
function facts({ record, findings, slices }: Verified) {
  const { executionArn: _arn, execution: _execution, ...rest } = record;
  return {
    record: rest,
    findings: findings.map((each) => JSON.stringify(each)).toSorted(),
    slices,
  };
}

describe.each(['present', 'read'])('a %s verification', (level) => {
  const inputs = level === 'read' ? [{ level }, { level, budget: { parts: 5 } }] : [{ level }];

  it.each(inputs)('that is stopped anywhere and goes on finds the same (%j)', async (input) => {
    const expected = facts(await (await damaged()).verify({ execution: 'v1', input }));
    expect(expected.findings.length).toBeGreaterThan(0);
    for (const count of [1, 2, 3, 5, 8]) {
      const world = await damaged();
      const verified = await world.verify({ execution: 'v1', input, shouldStop: everyNth(count) });
      expect(facts(verified)).toEqual(expected);
    }
  });

  it.each(inputs)('whose every step happens twice finds the same (%j)', async (input) => {
    const expected = facts(await (await damaged()).verify({ execution: 'v1', input }));
    for (const invoked of ['twice', 'beside its ghost'] as const) {
      const order = { execution: 'v1', input, invoked, shouldStop: everyNth(3) };
      expect(facts(await (await damaged()).verify(order))).toEqual(expected);
    }
  });

  it('gets on with every invocation, however little time it has', async () => {
    const world = await damaged();
    const run = await world.planned({ execution: 'v1', input: { level } });
    for (const item of await world.unitItems(run)) {
      expect(await world.look(run, item, { shouldStop: () => true })).toBeLessThan(20);
    }
  });
});

describe('many small budgets', () => {
  it('find the same as one verification of everything', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 8, maxLength: 8 }), async (budgets) => {
        const world = await damaged();
        const whole = await world.verify({ execution: 'all', input: { level: 'read' } });
        const other = await damaged();
        let last: Verified | undefined;
        for (const [number, parts] of budgets.entries()) {
          const input = { level: 'read', budget: { parts: parts + 2 } };
          last = await other.verify({ execution: `v${number}`, input });
        }
        const kinds = (verified: Verified | undefined) =>
          verified?.record.state.open.map(({ snapshot, kinds: found }) => ({ snapshot, found }));
        expect(kinds(last)).toEqual(kinds(whole));
        expect(last?.record.state.coverage.read.within30Days).toEqual(whole.record.state.coverage.read.total);
      }),
      { numRuns: 4 },
    );
  });
});
