import fc from 'fast-check';
import type { Committed } from './outcomes.ts';

/** What may happen to a backup, as data: a history is a list of these. Numbers choose among what is there, modulo its count. */

export type Step =
  | { readonly kind: 'write'; readonly path: string; readonly text: string }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'snapshot'; readonly type: Committed['type'] }
  | { readonly kind: 'hours'; readonly hours: number }
  | { readonly kind: 'purge'; readonly which: number; readonly immediately: boolean; readonly dies: number | undefined }
  | { readonly kind: 'merge'; readonly which: number }
  | { readonly kind: 'expire'; readonly dies: number | undefined }
  | { readonly kind: 'drop'; readonly immediately: boolean }
  | { readonly kind: 'collect'; readonly dies: number | undefined }
  | { readonly kind: 'undelete'; readonly which: number | undefined }
  | { readonly kind: 'pin' | 'unpin'; readonly which: number }
  | { readonly kind: 'freeze' | 'thaw' }
  | { readonly kind: 'lose'; readonly which: number }
  | { readonly kind: 'cover'; readonly which: number }
  | { readonly kind: 'repair' }
  | { readonly kind: 'read' };

const which = fc.nat(1_000);
/** One in three runs of `Maintain` dies at a request, and is run again. */
const dies = fc.option(fc.integer({ min: 5, max: 70 }), { freq: 2, nil: undefined });
const path = fc.constantFrom(
  'rank-0/catalog.mdb',
  'rank-1/tom-0/a.seg',
  'rank-1/tom-0/b.seg',
  'rank-1/tom-0/a b+c%20.seg',
  'rank-1/tom-1/\u00fc/deep.seg',
  'cluster.conf',
);

const write = fc.record({ kind: fc.constant('write' as const), path, text: fc.string({ maxLength: 40 }) });
const remove = fc.record({ kind: fc.constant('remove' as const), path });

const snapshot = fc.record({
  kind: fc.constant('snapshot' as const),
  type: fc.constantFrom('full' as const, 'incremental' as const, 'incremental' as const, 'differential' as const),
});

const deed: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('hours' as const), hours: fc.integer({ min: 1, max: 40 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('purge' as const), which, immediately: fc.boolean(), dies }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('merge' as const), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('expire' as const), dies }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), immediately: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('collect' as const), dies }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('undelete' as const), which: fc.option(which, { nil: undefined }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('pin' as const, 'unpin' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('freeze' as const, 'thaw' as const, 'thaw' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cover' as const), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('repair' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('read' as const) }) },
);

/** The cluster changes, a snapshot is taken, and then something is done about the snapshots. */
const turn: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    fc.array(fc.oneof(write, write, remove), { maxLength: 3 }),
    snapshot,
    fc.array(deed, { minLength: 1, maxLength: 3 }),
  )
  .map(([changes, taken, deeds]) => [...changes, taken, ...deeds]);

export const history: fc.Arbitrary<readonly Step[]> = fc
  .array(turn, { minLength: 3, maxLength: 6 })
  .map((turns) => turns.flat());
