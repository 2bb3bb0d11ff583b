import * as z from 'zod/mini';
import { batchesOf, type Enumeration, type EnumerationTotals } from '../draft.ts';
import { type DraftReader, readEnumeration } from '../draft-io.ts';
import { NothingToBackUp, RankMissing, RecordMissing } from '../errors.ts';
import { parseJson, parseOrCorrupt } from '../format.ts';
import { CLUSTER_RANK, type RankName, rankNameSchema } from '../ids.ts';
import { interleave } from '../interleave.ts';
import { plainJsonLines } from '../jsonl.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { BatchItem, Pass, SnapshotPlan } from '../run.ts';
import { textOf } from '../stored-json.ts';
import { epochMillisOfIso } from '../utc.ts';

export const copiesPlanSchema = z.object({
  batches: z.int(),
  ranks: z.int(),
  parts: z.int(),
  bytes: z.int(),
  copyParts: z.int(),
  copyBytes: z.int(),
  removedParts: z.int(),
  /** How long the ranks' listings took together, so many at a time as the plan allows. */
  listSeconds: z.number(),
});
export type CopiesPlan = z.infer<typeof copiesPlanSchema>;

/**
 * Gathers what the ranks' enumerations found, refuses a source that looks wrong, and writes the list of batches for the copy
 * Map: interleaved over ranks, so that the copies spread over the vault's prefixes from the first second on.
 * @throws RankMissing, NothingToBackUp
 */
export async function planCopies(reader: DraftReader, plan: SnapshotPlan, pass: Pass): Promise<CopiesPlan> {
  const ranks = await readRankList(reader.work, plan.run.ranksKey);
  const enumerations: Enumeration[] = [];
  for (const rank of ranks) {
    const enumeration = await readEnumeration(reader, pass, rank);
    assertRankIsThere(enumeration);
    enumerations.push(enumeration);
  }
  const totals = enumerations.map((enumeration) => enumeration.totals);
  if (sum(totals, 'parts') === 0) {
    throw new NothingToBackUp(`Cluster '${plan.run.cluster}' has no files in any of its roots.`, {
      hint: 'Check the URLs, patterns and mount of its roots; an empty source is never taken for a snapshot.',
    });
  }
  const key = pass === 'warm' ? plan.run.warmBatchesKey : plan.run.batchesKey;
  await writeBatchList(reader, key, { pass, enumerations });
  return {
    batches: enumerations.reduce((count, enumeration) => count + batchesOf(enumeration).length, 0),
    ranks: ranks.length,
    parts: sum(totals, 'parts'),
    bytes: sum(totals, 'bytes'),
    copyParts: sum(totals, 'copyParts'),
    copyBytes: sum(totals, 'copyBytes'),
    removedParts: sum(totals, 'removedParts'),
    listSeconds: listSecondsOf(enumerations, plan.run.rankConcurrency),
  };
}

/** The ranks of a run, as InspectCluster or PlanRestore listed them. */
export async function readRankList(work: ObjectStore, key: string): Promise<readonly RankName[]> {
  const object = await work.get(key);
  if (object === undefined) {
    throw new RecordMissing(`${key} is missing from the work bucket.`, { hint: 'Start the execution again.' });
  }
  return parseOrCorrupt(z.array(rankNameSchema), parseJson(await textOf(object.body), key), key);
}

function assertRankIsThere(enumeration: Enumeration): void {
  const { rank, totals } = enumeration;
  if (rank !== CLUSTER_RANK && totals.parts + totals.directories === 0) {
    throw new RankMissing(`Rank ${rank} has nothing in any root.`, {
      hint: 'Check the patterns and the mounts; if the rank was removed from the cluster, take it out of the topology.',
    });
  }
}

interface Enumerated {
  readonly pass: Pass;
  readonly enumerations: readonly Enumeration[];
}

/** Items of the copy Map, JSON Lines. */
export async function writeBatchList(reader: DraftReader, key: string, enumerated: Enumerated): Promise<void> {
  await reader.work.putStream(key, plainJsonLines(items(reader, enumerated)));
}

async function* items(reader: DraftReader, { pass, enumerations }: Enumerated): AsyncGenerator<BatchItem> {
  const lists = enumerations.map((enumeration) => ({ rank: enumeration.rank, batches: batchesOf(enumeration) }));
  for (const { rank, batch } of interleave(lists)) {
    yield { rank, batch, key: reader.keys.batch(pass, rank, batch) };
  }
}

/** At least as long as the slowest rank, and as all of them in turns of `concurrency`. */
function listSecondsOf(enumerations: readonly Enumeration[], concurrency: number): number {
  const seconds = enumerations.map(({ listedAt, finishedAt }) => {
    return ((epochMillisOfIso(finishedAt) ?? 0) - (epochMillisOfIso(listedAt) ?? 0)) / 1000;
  });
  const all = seconds.reduce((total, each) => total + each, 0);
  return Math.max(0, all / concurrency, ...seconds);
}

function sum(totals: readonly EnumerationTotals[], key: keyof EnumerationTotals): number {
  return totals.reduce((total, each) => total + each[key], 0);
}
