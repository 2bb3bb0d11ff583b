import * as z from 'zod/mini';
import { formatVersionSchema } from '../format.ts';
import { nameSchema, rankNameSchema, snapshotDirectorySchema } from '../ids.ts';
import { type Amount, addAmounts, amountSchema, NO_AMOUNT } from '../verification.ts';
import type { Unit } from './units.ts';

/** First line of `slices/<id>.jsonl.gz`. */
export const slicesHeaderSchema = z.object({ formatVersion: formatVersionSchema, backup: nameSchema, id: z.string() });

/** A line of it: what one verification looked at of one rank of a snapshot. */
export const sliceSchema = z.object({
  snapshot: snapshotDirectorySchema,
  rank: rankNameSchema,
  /** Directories whose bytes were looked at. */
  ins: z.array(snapshotDirectorySchema),
  /** Where it went on, and the last path it looked at; both absent: from the first to the last. */
  after: z.optional(z.string()),
  through: z.optional(z.string()),
  /** It got to the end of the manifest, and the manifest was sound. */
  complete: z.boolean(),
  ...amountSchema.shape,
  /** Parts that it left out, because they are too large to be read by one function. */
  tooLarge: z.optional(z.int()),
  /** Damage or risk was seen in it: it proves nothing for snapshots that were not held against that. */
  damaged: z.optional(z.literal(true)),
  at: z.string(),
});
export type Slice = z.infer<typeof sliceSchema>;

/** A slice, and which verification it is of. Ids of verifications sort by time. */
export interface PastSlice extends Slice {
  readonly verification: string;
  /** Snapshots that were held against what was seen in it. */
  readonly heldAgainst: ReadonlySet<string>;
}

/** Where a round through a unit began. */
export interface Round {
  readonly verification: string;
  readonly at: string;
  /** It looked at every part: none was too large to be read. */
  readonly whole: boolean;
  /** Of each slice in which damage was seen: the snapshots that were held against it. @default - there is none */
  readonly heldAgainst?: readonly ReadonlySet<string>[];
}

export interface UnitHistory {
  /** The last path that the open round has looked at. @default - the next slice begins a round */
  readonly after: string | undefined;
  /** What the open round has looked at. */
  readonly open: Amount;
  /** The newest round that got to the end. */
  readonly round: Round | undefined;
}

export const NEVER_LOOKED_AT: UnitHistory = { after: undefined, open: NO_AMOUNT, round: undefined };

/**
 * A slice speaks for a unit when both look at the same directories; one that looked at more, from the first part to the last, does too.
 * When an earlier snapshot is hidden, its bytes become a later one's to look at: slices of that one from before do not count any more.
 */
export function speaksFor(slice: Slice, unit: Unit): boolean {
  const looked = new Set(slice.ins);
  const hasAll = unit.ins.every((each) => looked.has(each));
  return hasAll && (looked.size === unit.ins.length || (slice.complete && slice.after === undefined));
}

/** @param slices that speak for the unit, oldest first */
export function historyOf(slices: readonly PastSlice[]): UnitHistory {
  const newest = slices.at(-1);
  const open = newest === undefined || newest.complete ? [] : runUpTo(slices, slices.length - 1);
  return {
    after: open.at(-1)?.through,
    open: open.reduce((sum: Amount, slice) => addAmounts(sum, slice), NO_AMOUNT),
    round: newestRound(slices),
  };
}

function newestRound(slices: readonly PastSlice[]): Round | undefined {
  for (let end = slices.length - 1; end >= 0; end -= 1) {
    const run = slices[end]?.complete === true ? runUpTo(slices, end) : [];
    const [first] = run;
    if (first !== undefined && first.after === undefined) {
      const whole = run.every(({ tooLarge }) => tooLarge === undefined);
      const heldAgainst = run.filter(({ damaged }) => damaged).map((slice) => slice.heldAgainst);
      return {
        verification: first.verification,
        at: first.at,
        whole,
        ...(heldAgainst.length > 0 ? { heldAgainst } : {}),
      };
    }
  }
  return undefined;
}

/** The slices that make up one way from the first part to the end of slice `end`, as far as they follow one another. */
function runUpTo(slices: readonly PastSlice[], end: number): readonly PastSlice[] {
  let begin = end;
  for (let slice = slices[begin]; slice?.after !== undefined; slice = slices[begin]) {
    const before = slices[begin - 1];
    if (before === undefined || before.complete || before.through !== slice.after) {
      break;
    }
    begin -= 1;
  }
  return end < 0 ? [] : slices.slice(begin, end + 1);
}

/**
 * How much of the unit was looked at since then: its newest slices, as far as each goes on where the one before it stopped, going round. More
 * than everything is everything.
 * @param slices that speak for the unit, oldest first
 */
export function lookedAtSince(unit: Unit, slices: readonly PastSlice[], sinceIso: string): Amount {
  let looked = NO_AMOUNT;
  for (let index = slices.length - 1; index >= 0; index -= 1) {
    const slice = slices[index];
    const next = slices[index + 1];
    if (slice === undefined || slice.at < sinceIso || !leadsTo(slice, next)) {
      break;
    }
    looked = addAmounts(looked, slice);
  }
  return { parts: Math.min(looked.parts, unit.parts), bytes: Math.min(looked.bytes, unit.bytes) };
}

function leadsTo(slice: PastSlice, next: PastSlice | undefined): boolean {
  return next === undefined || (slice.complete ? next.after === undefined : slice.through === next.after);
}
