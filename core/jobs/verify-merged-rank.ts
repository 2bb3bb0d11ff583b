import * as z from 'zod/mini';
import { itemsOf } from '../blocks.ts';
import { CatalogCorrupt, ChecksumMismatch, VaultPartMissing } from '../errors.ts';
import { FORMAT_VERSION } from '../format.ts';
import { type RankName, rankDirectory } from '../ids.ts';
import { openCommittedManifest } from '../maintain/merge-manifest.ts';
import type { MergingPlan } from '../maintain/merge-plan.ts';
import { VersionCursor } from '../maintain/merge-versions.ts';
import { isDirectoryLine, type ManifestLine, type PartLine } from '../manifest.ts';
import { assertDigest, type ManifestPlace, readManifest } from '../manifest-io.ts';
import { after, afterInBlocks, joinByPath } from '../ordered-join.ts';
import type { Clock } from '../ports/clock.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ListedVersion, VaultVersions, VersionName } from '../ports/vault-versions.ts';
import { createJson } from '../stored-json.ts';
import { isoOfEpochMillis } from '../utc.ts';
import { manifestKey, partKey } from '../vault-layout.ts';
import type { RunKeys } from '../work-layout.ts';
import { readSeal } from './sealed-ranks.ts';

export const verifyMergedProgressSchema = z.object({ done: z.boolean(), after: z.optional(z.string()) });
export type VerifyMergedProgress = z.infer<typeof verifyMergedProgressSchema>;

export interface VerifyMergedDependencies {
  readonly vault: ObjectStore;
  readonly versions: Pick<VaultVersions, 'listVersions'>;
  readonly work: ObjectStore;
  readonly keys: RunKeys;
  readonly clock: Clock;
}

export interface VerifyMergedRequest {
  readonly plan: MergingPlan;
  readonly rank: RankName;
  readonly progress: VerifyMergedProgress;
  readonly shouldStop: () => boolean;
}

/** Written when the rank is found right. `hideMerged` hides nothing before every rank has one. */
export function mergeVerifiedKey(keys: RunKeys, rank: RankName): string {
  return keys.unit('merge-verified', rankDirectory(rank));
}

/**
 * Looks at one rank of the merged full as a restore would find it: its manifest is the one that was sealed, lists what the
 * source's lists, and every version that it names is in the vault with the size and the ETag of the copy. Only then may the sources be
 * hidden.
 * @throws CatalogCorrupt, VaultPartMissing, ChecksumMismatch
 */
export async function verifyMergedRank(
  deps: VerifyMergedDependencies,
  request: VerifyMergedRequest,
): Promise<VerifyMergedProgress> {
  const { plan, rank } = request;
  const key = mergeVerifiedKey(deps.keys, rank);
  if ((await deps.work.head(key)) !== undefined) {
    return { done: true };
  }
  const stoppedAfter = await walk(deps, request, { backup: plan.merge.backup, snapshot: plan.merge.snapshot, rank });
  if (stoppedAfter !== undefined) {
    return { done: false, after: stoppedAfter };
  }
  const at = isoOfEpochMillis(deps.clock.nowEpochMillis());
  await createJson(deps.work, key, { formatVersion: FORMAT_VERSION, rank, at });
  return { done: true };
}

/** @returns where it stopped, when time ran out */
async function walk(
  deps: VerifyMergedDependencies,
  { plan, progress, shouldStop }: VerifyMergedRequest,
  place: ManifestPlace,
): Promise<string | undefined> {
  const { vault } = deps;
  const merged = await openSealedManifest(deps, place, progress.after);
  const source = await openCommittedManifest(vault, { ...place, snapshot: plan.merge.source }, progress.after);
  const versions = openVersions(deps.versions, place, progress.after);
  let lastPath: string | undefined;
  try {
    for await (const { left: copy, right: original } of joinByPath(
      after(merged, progress.after),
      itemsOf(afterInBlocks(source.blocks, progress.after)),
    )) {
      if (lastPath !== undefined && shouldStop()) {
        return lastPath;
      }
      const line = assertSame(place, copy, original);
      if (!isDirectoryLine(line)) {
        await assertPresent({ versions, all: deps.versions }, place, line);
      }
      lastPath = line.path;
    }
  } finally {
    await versions.close();
  }
  return undefined;
}

/** The manifest that was sealed, whether or not it is committed by now. */
async function openSealedManifest(
  deps: VerifyMergedDependencies,
  place: ManifestPlace,
  goesOnAfter: string | undefined,
): Promise<AsyncIterable<ManifestLine>> {
  const { backup, snapshot, rank } = place;
  if (goesOnAfter === undefined) {
    const seal = await readSeal(deps, rank, snapshot);
    await assertDigest(deps.vault, manifestKey(backup, snapshot, rank), seal.sha256);
  }
  return readManifest(deps.vault, place);
}

function openVersions(
  versions: VerifyMergedDependencies['versions'],
  place: ManifestPlace,
  goesOnAfter: string | undefined,
): VersionCursor {
  const { backup, snapshot, rank } = place;
  const keyOf = (path: string) => partKey(backup, snapshot, rank, path);
  const listed =
    goesOnAfter === undefined ? versions.listVersions(keyOf('')) : versions.listVersions(keyOf(''), keyOf(goesOnAfter));
  return new VersionCursor(listed);
}

/** Same paths in the same order; each the same but for where the bytes lie. */
function assertSame(
  place: ManifestPlace,
  copy: ManifestLine | undefined,
  original: ManifestLine | undefined,
): ManifestLine {
  const path = copy?.path ?? original?.path ?? '';
  const name = `${path} of rank ${place.rank}`;
  if (copy === undefined || original === undefined) {
    const which = copy === undefined ? 'is not' : 'is';
    throw new CatalogCorrupt(`${name} ${which} in the merged ${place.snapshot}, unlike in its source.`, {
      hint: FAULT,
    });
  }
  if (checksumOf(copy) !== checksumOf(original)) {
    throw new ChecksumMismatch(
      `${name} has ${checksumOf(copy)} in the merged ${place.snapshot}, and ${checksumOf(original)} in its source.`,
      { hint: FAULT },
    );
  }
  if (factsOf(copy) !== factsOf(original)) {
    throw new CatalogCorrupt(`${name} has other attributes in the merged ${place.snapshot} than in its source.`, {
      hint: FAULT,
    });
  }
  if (!isDirectoryLine(copy) && copy.in !== place.snapshot) {
    throw new CatalogCorrupt(`${name} of the merged ${place.snapshot} names bytes of ${copy.in}.`, { hint: FAULT });
  }
  return copy;
}

function checksumOf(line: ManifestLine): string {
  return isDirectoryLine(line) ? 'no bytes' : `${line.sizeBytes} bytes of ${line.checksum}`;
}

function factsOf(line: ManifestLine): string {
  const { root, attributes } = line;
  const facts = isDirectoryLine(line) ? [line.rank] : [line.token, line.racy];
  return JSON.stringify([root, attributes, ...facts]);
}

async function assertPresent(
  listings: { readonly versions: VersionCursor; readonly all: VerifyMergedDependencies['versions'] },
  { backup, snapshot, rank }: ManifestPlace,
  line: PartLine,
): Promise<void> {
  const { versionId } = line;
  const key = line.key ?? partKey(backup, snapshot, rank, line.path);
  const found =
    line.key === undefined
      ? await listings.versions.find({ key, versionId })
      : await findAlone(listings.all, { key, versionId });
  if (found === undefined) {
    throw new VaultPartMissing(`${key}, version ${versionId}, is not in the vault.`, { hint: FAULT });
  }
  if (found.sizeBytes !== line.sizeBytes || found.etag !== line.etag) {
    throw new ChecksumMismatch(
      `${key}, version ${versionId}, has ${found.sizeBytes} bytes and ETag ${found.etag}; copied were ${line.sizeBytes} bytes and ${line.etag}.`,
      { hint: FAULT },
    );
  }
}

/** A rewritten key lies beside the rank: it is rare, and looked up by itself. */
async function findAlone(
  versions: VerifyMergedDependencies['versions'],
  name: VersionName,
): Promise<ListedVersion | undefined> {
  const cursor = new VersionCursor(versions.listVersions(name.key));
  try {
    return await cursor.find(name);
  } finally {
    await cursor.close();
  }
}

const FAULT =
  'Nothing was hidden, and nothing of it is in the catalog: `collect` frees the copies after 48 hours. Find out who writes into the vault, and merge again if the source verifies.';
