import * as z from 'zod/mini';
import { rankDirectory } from '../ids.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { snapshotPrefix } from '../vault-layout.ts';
import type { RunKeys } from '../work-layout.ts';
import { NewestVersions } from './catalog-versions.ts';
import { type Gathered, gatheredSchema, isGathering } from './gathering.ts';
import { NamedKeys } from './named-keys.ts';
import { assertManifests, namedNaturalKeys } from './named-lines.ts';
import { FOLDED_AT_ONCE, NamedSpool } from './named-spool.ts';
import { NamedStream, type NamedVersions, NOTHING_NAMED } from './removal-join.ts';
import { CATALOG_PART, rankOfPart, type Unit, unitName } from './units.ts';

/** Travels in the progress of a survey. */
export const gatheredNamesSchema = z.object({
  gathered: z.optional(gatheredSchema),
  /** Of what is leaving. */
  leavingGathered: z.optional(gatheredSchema),
});

interface NamesDependencies {
  readonly vault: ObjectStore;
  readonly work: ObjectStore;
  readonly keys: RunKeys;
}

/** What is named, as the survey asks for it. */
export interface Named {
  readonly staying: NamedVersions;
  readonly leaving: NamedVersions | undefined;
}

interface NamesRequest {
  readonly unit: Unit;
  readonly progress: z.infer<typeof gatheredNamesSchema> & { readonly after?: string | undefined };
  /** Unique to this invocation. */
  readonly invocation: string;
  readonly shouldStop: () => boolean;
}

/** @throws CatalogCorrupt when a manifest that decides is not the one that was committed; those that are gathered say so later */
export async function openNamed(deps: NamesDependencies, request: NamesRequest): Promise<Named> {
  const { unit, progress, invocation } = request;
  const { leaving } = unit;
  return {
    staying: await openOne(deps, request, { unit, gathered: progress.gathered, piece: invocation }),
    leaving:
      leaving === undefined
        ? undefined
        : await openOne(deps, request, {
            unit: { ...unit, referrers: leaving },
            gathered: progress.leavingGathered,
            piece: `${invocation}-leaving`,
          }),
  };
}

/** For the next invocation. */
export async function gatheredOf({ staying, leaving }: Named): Promise<z.infer<typeof gatheredNamesSchema>> {
  return {
    ...(isGathering(staying) ? { gathered: await staying.save() } : {}),
    ...(isGathering(leaving) ? { leavingGathered: await leaving.save() } : {}),
  };
}

interface Opening {
  readonly unit: Unit;
  readonly gathered: Gathered | undefined;
  readonly piece: string;
}

async function openOne(
  deps: NamesDependencies,
  { shouldStop, progress: { after } }: NamesRequest,
  { unit, gathered, piece }: Opening,
): Promise<NamedVersions> {
  if (unit.part === CATALOG_PART) {
    return unit.task === 'repair' ? new NewestVersions() : NOTHING_NAMED;
  }
  if (unit.referrers.length === 0) {
    return NOTHING_NAMED;
  }
  const rank = rankOfPart(unit.part);
  const pieceKey = deps.keys.unitPiece('named', unitName(unit), piece);
  if (rank === undefined) {
    return new NamedKeys(deps, { unit, gathered, pieceKey, shouldStop });
  }
  const prefix = `${snapshotPrefix(unit.backup, unit.directory)}${rankDirectory(rank)}/`;
  const afterPath = after?.slice(prefix.length);
  if (unit.task !== 'repair' && unit.referrers.length > FOLDED_AT_ONCE) {
    return new NamedSpool(deps, { place: { ...unit, rank }, gathered, pieceKey, afterPath, shouldStop });
  }
  if (after === undefined && unit.task !== 'repair') {
    await assertManifests(deps.vault, { ...unit, rank });
  }
  return new NamedStream(namedNaturalKeys(deps.vault, { ...unit, rank }, afterPath));
}

/** That were read, however many invocations read them again: this is for the price that a dry run says. */
export function manifestsOf({ referrers, leaving }: Unit, named: Named): number {
  const read = (of: NamedVersions | undefined, count: number) => (isGathering(of) ? of.manifestsRead : count);
  return read(named.staying, referrers.length) + read(named.leaving, leaving?.length ?? 0);
}
