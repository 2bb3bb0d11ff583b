import * as z from 'zod/mini';
import type { NamedVersions } from './removal-join.ts';

/** How far the gathering has come; what was gathered is in pieces of the work bucket. */
export const gatheredSchema = z.object({
  /** Manifests that were read. */
  manifests: z.int(),
  complete: z.boolean(),
  /** Keys of the pieces. */
  pieces: z.array(z.string()),
});
export type Gathered = z.infer<typeof gatheredSchema>;

/** Names that are gathered from manifests before the listing begins, over several invocations. */
export interface GatheringNames extends NamedVersions {
  readonly manifestsRead: number;
  /** @returns false when time ran out before every manifest was read */
  gather(): Promise<boolean>;
  /** For the next invocation. */
  save(): Promise<Gathered>;
}

export function isGathering(named: NamedVersions | undefined): named is GatheringNames {
  return named !== undefined && 'gather' in named;
}
