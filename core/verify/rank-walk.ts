import * as z from 'zod/mini';
import type { ManifestLine } from '../manifest.ts';
import { amountSchema, NO_AMOUNT } from '../verification.ts';
import { purseSchema } from './budget.ts';
import type { RankPlace } from './committed-manifest.ts';
import { manifestTallySchema } from './manifest-tally.ts';
import { NOTHING_SIGHTED, type SightingLog, sightedSchema } from './sightings.ts';
import type { UnitItem } from './verify-plan.ts';

/** What the invocations of a unit have done so far; travels in the state of its child execution. */
export const walkedSchema = z.object({
  looked: amountSchema,
  /** The last path that was taken. */
  through: z.optional(z.string()),
  /** Of `present`: what the lines add up to. */
  tally: z.optional(manifestTallySchema),
  /** Of `read`: what may still be read. */
  purse: z.optional(purseSchema),
  tooLarge: z.int(),
  sighted: sightedSchema,
  /** Of `read`: batches by the invocation that wrote them. */
  pieces: z.array(z.object({ id: z.string(), batches: z.int() })),
});
export type Walked = z.infer<typeof walkedSchema>;

export const NOTHING_WALKED: Walked = {
  looked: NO_AMOUNT,
  tooLarge: 0,
  sighted: NOTHING_SIGHTED,
  pieces: [],
};

/** One invocation's way through the manifest of a unit. */
export interface RankWalk {
  readonly place: RankPlace;
  readonly unit: UnitItem['unit'];
  /** From where the last invocation stopped, as far as they can be read. */
  readonly lines: AsyncIterable<ManifestLine>;
  readonly after: string | undefined;
  readonly before: Walked;
  readonly log: SightingLog;
  readonly shouldStop: () => boolean;
}

/** How it ended; the sightings are in the log. */
export interface WalkEnd {
  /** Time ran out after this path. */
  readonly stoppedAfter?: string;
  /** It has taken as much as it should, and lines are left. */
  readonly enough?: true;
  readonly walked: Omit<Walked, 'sighted'>;
}

/** The manifest itself is what is wrong: nothing is proven by having come to its end. */
export function isManifestBroken(log: SightingLog): boolean {
  return log.has('BrokenCatalog') || log.has('BrokenManifest');
}
