import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unlockRun } from '../../../core/jobs/end-run.ts';
import { never } from '../../support/job-world.ts';
import { type Edit, impatient, MaintainHistory } from '../../support/maintain-history.ts';
import type { MaintainOptions } from '../../support/maintain-world.ts';

/** Snapshots and every action of maintenance in any order; whatever is kept restores to what was there when it was taken. */

const PATHS = [
  'rank-0/meta.mdb',
  'rank-0/tom-0/a',
  'rank-1/tom-0/a',
  'rank-1/tom-1/😀',
  'rank-1/tom-1/\u{ffe0}',
  'conf',
  'a b',
];

type Step =
  | {
      readonly action: 'snapshot';
      readonly type: 'full' | 'incremental' | 'differential';
      readonly edits: readonly Edit[];
      /** Written while the warm pass copies: these go to keys that are not natural. */
      readonly meanwhile: readonly Edit[];
    }
  | { readonly action: 'wait'; readonly hours: number }
  | { readonly action: 'purge'; readonly of: number; readonly immediately: boolean }
  | { readonly action: 'undelete'; readonly all: boolean; readonly of: number }
  | { readonly action: 'pin' | 'unpin' | 'merge'; readonly of: number }
  | { readonly action: 'expire' | 'collect' | 'repair' }
  | { readonly action: 'drop'; readonly immediately: boolean }
  | { readonly action: 'die'; readonly edits: readonly Edit[]; readonly aborted: boolean };

const edits = fc.array(
  fc.record({
    path: fc.constantFrom(...PATHS),
    content: fc.option(fc.string({ maxLength: 9 }), { nil: undefined, freq: 4 }),
  }),
  { maxLength: 2 },
);
const of = fc.nat({ max: 3 });
const immediately = fc.boolean();
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      action: fc.constant('snapshot' as const),
      type: fc.constantFrom(...(['full', 'incremental', 'incremental', 'differential', 'differential'] as const)),
      edits,
      meanwhile: fc.array(
        edits.map((each) => each[0] ?? { path: 'conf', content: 'x' }),
        { maxLength: 2 },
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ action: fc.constant('wait' as const), hours: fc.constantFrom(5, 30, 80) }) },
  { weight: 4, arbitrary: fc.record({ action: fc.constant('purge' as const), of, immediately }) },
  { weight: 2, arbitrary: fc.record({ action: fc.constant('undelete' as const), all: fc.boolean(), of }) },
  { weight: 2, arbitrary: fc.record({ action: fc.constantFrom('pin' as const, 'unpin' as const), of }) },
  { weight: 2, arbitrary: fc.record({ action: fc.constant('merge' as const), of }) },
  {
    weight: 5,
    arbitrary: fc.record({ action: fc.constantFrom('expire' as const, 'collect' as const, 'repair' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ action: fc.constant('drop' as const), immediately }) },
  { weight: 2, arbitrary: fc.record({ action: fc.constant('die' as const), edits, aborted: fc.boolean() }) },
);

const invoked = fc.constantFrom<NonNullable<MaintainOptions['invoked']>>('once', 'twice', 'beside its ghost');
const scenario = fc.record({
  backup: fc.constantFrom('prod' as const, 'held' as const),
  steps: fc.array(fc.record({ step, invoked, stops: fc.boolean() }), { minLength: 4, maxLength: 12 }),
});

/** Names that a refusal may have; everything else is a fault. */
const REFUSALS = ['SnapshotPinned', 'UndeleteTooLate', 'SnapshotNotFound', 'InputInvalid'];

async function unlessRefused(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof Error) || !REFUSALS.includes(error.name)) {
      throw error;
    }
  }
}

async function perform(history: MaintainHistory, each: Step, options: MaintainOptions): Promise<void> {
  const taken = [...history.expected.keys()];
  const visible = (await history.visible()).map(({ snapshot }) => snapshot);
  const from = each.action === 'undelete' || visible.length === 0 ? taken : visible;
  const chosen = (index: number) => from.at(-1 - (index % from.length)) ?? '';
  switch (each.action) {
    case 'snapshot':
      await history.take(each.type, each.edits, each.meanwhile);
      return;
    case 'wait':
      history.world.clock.advanceMinutes(60 * each.hours);
      return;
    case 'die':
      await die(history, each);
      return;
    case 'purge': {
      const input = { action: each.action, snapshot: chosen(each.of), immediately: each.immediately, reason: 'test' };
      await unlessRefused(() => history.maintain(input, options));
      return;
    }
    case 'undelete':
      await unlessRefused(() =>
        history.world.maintain(
          { action: 'undelete', backup: history.backup, ...(each.all ? {} : { snapshot: chosen(each.of) }) },
          options,
        ),
      );
      return;
    case 'pin':
    case 'unpin':
      await unlessRefused(() =>
        history.world.maintain({ action: each.action, snapshot: chosen(each.of), backup: history.backup }, options),
      );
      return;
    case 'merge': {
      const snapshot = chosen(each.of);
      await unlessRefused(async () => {
        const report = await history.world.maintain({ action: 'merge', backup: history.backup, snapshot }, options);
        history.expected.set(report.merged?.snapshot ?? '', history.expected.get(snapshot) ?? new Map());
        return report;
      });
      return;
    }
    default:
      await unlessRefused(() => history.maintain({ ...each }, options));
  }
}

/** A snapshot that copies and never commits; whether or not somebody gives its locks back. */
async function die(
  history: MaintainHistory,
  { edits: changed, aborted }: Extract<Step, { action: 'die' }>,
): Promise<void> {
  const { world, backup } = history;
  history.edit(changed);
  world.clock.advanceMinutes(1);
  const plan = await world.plan({ backup, type: 'incremental', execution: history.next('dead') });
  const pass = plan.run.warmPass ? 'warm' : 'final';
  await world.inspect(plan);
  await world.enumerateAll(plan, pass);
  await world.copyAll(plan, pass);
  if (aborted) {
    await unlockRun(world.work, plan.run);
  }
  world.clock.advanceMinutes(20);
}

async function assertVisible(history: MaintainHistory): Promise<void> {
  const visible = (await history.visible()).map(({ snapshot }) => snapshot);
  expect([...history.expected.keys()]).toEqual(expect.arrayContaining(visible));
}

/** What stays for ever: what was hidden by whom, what was covered, what was done. */
const FOR_EVER = /^\.rankvault\/(restored\/|catalog\/\w+\/(tombstones|definitions|maintenance|pins)\/)/;

async function assertNothingIsLeft(history: MaintainHistory): Promise<void> {
  const { world, backup } = history;
  for (const { snapshot } of await history.visible()) {
    await world.maintain({ action: 'unpin', backup, snapshot });
    await world.maintain({ action: 'purge', backup, snapshot });
  }
  world.advanceDays(8);
  await history.maintain({ action: 'collect' });
  const left = (await world.everything()).map(({ key }) => key);
  expect(left.filter((key) => !FOR_EVER.test(key))).toEqual([]);
}

describe('a history of snapshots and maintenance', () => {
  it('restores every kept moment after every step, and leaves nothing when all are gone', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ backup, steps }) => {
        const history = new MaintainHistory(backup);
        await history.take(
          'full',
          PATHS.map((path) => ({ path, content: `first ${path}` })),
        );
        await history.take('incremental', [{ path: 'conf', content: 'second' }]);
        await history.take('incremental', [{ path: 'rank-0/tom-0/a', content: 'third' }]);
        for (const each of steps) {
          const shouldStop = each.stops ? impatient() : never;
          await perform(history, each.step, { invoked: each.invoked, shouldStop });
          await assertVisible(history);
          await history.assertNothingIsMissing();
          await history.assertRestores();
        }
        await assertNothingIsLeft(history);
      }),
      { numRuns: 8 },
    );
  }, 600_000);
});
