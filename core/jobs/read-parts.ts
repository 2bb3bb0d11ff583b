import pMap from 'p-map';
import * as z from 'zod/mini';
import { cut, WINDOW_LIMITS } from '../batching.ts';
import { readWorkLines } from '../draft-io.ts';
import { RecordMissing } from '../errors.ts';
import { FORMAT_VERSION, parseOrCorrupt } from '../format.ts';
import type { Clock } from '../ports/clock.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { PartReader } from '../ports/part-reader.ts';
import { createJson, readJson } from '../stored-json.ts';
import { addAmounts, NO_AMOUNT } from '../verification.ts';
import { readPart } from '../verify/judge-read.ts';
import {
  READ,
  READ_BATCH,
  type ReadItem,
  type ReadLine,
  type ReadWindow,
  readLineSchema,
  readWindowSchema,
  type VerifyPlan,
} from '../verify/verify-plan.ts';
import type { RunKeys } from '../work-layout.ts';

/** Records of windows read at a time. */
const READS_AT_A_TIME = 16;

export const readProgressSchema = z.object({ done: z.boolean() });
export type ReadProgress = z.infer<typeof readProgressSchema>;

export interface ReadPartsDependencies {
  readonly work: ObjectStore;
  readonly keys: RunKeys;
  readonly reader: PartReader;
  readonly clock: Clock;
  /** Parts read at a time by this invocation. */
  readonly concurrency: number;
}

export interface ReadPartsRequest {
  readonly plan: VerifyPlan;
  readonly item: ReadItem;
  readonly progress: ReadProgress;
  readonly shouldStop: () => boolean;
}

/**
 * Reads every part of one batch by its version and compares size, checksum and lock with what was recorded, window by window. A retry
 * skips the windows that are written down.
 * @throws StoreUnavailable, S3AccessDenied
 */
export async function readParts(deps: ReadPartsDependencies, request: ReadPartsRequest): Promise<ReadProgress> {
  const { item } = request;
  const whole = deps.keys.unit(READ_BATCH, item.batch);
  if ((await deps.work.head(whole)) !== undefined) {
    return { done: true };
  }
  const finished = await finishedWindows(deps, item);
  const windows: string[] = [];
  let number = -1;
  let isFirst = true;
  for await (const window of cut(batchLines(deps.work, item.key), WINDOW_LIMITS)) {
    number += 1;
    const key = deps.keys.doneWindow(READ, item.rank, item.batch, number);
    windows.push(key);
    if (finished.has(key)) {
      continue;
    }
    if (!isFirst && (request.shouldStop() || isHuge(window))) {
      return { done: false };
    }
    const read = await readWindow(deps, request, { lines: window, isFirst });
    if (read === undefined) {
      return { done: false };
    }
    await createJson(deps.work, key, read);
    isFirst = false;
  }
  await createJson(deps.work, whole, await foldWindows(deps.work, windows));
  return { done: true };
}

/** One record a batch: the conclusion reads a quarter as many, or less. @throws RecordMissing */
async function foldWindows(work: ObjectStore, keys: readonly string[]): Promise<ReadWindow> {
  const windows = await pMap(
    keys,
    async (key) => {
      const window = await readJson(work, key, readWindowSchema);
      if (window === undefined) {
        throw new RecordMissing(`${key} is missing from the work bucket.`, { hint: 'Start the verification again.' });
      }
      return window.value;
    },
    { concurrency: READS_AT_A_TIME },
  );
  return {
    formatVersion: FORMAT_VERSION,
    ...windows.reduce(addAmounts, NO_AMOUNT),
    sightings: windows.flatMap(({ sightings }) => sightings),
  };
}

/** A part above a window's limit may take most of an invocation: it gets one of its own. */
function isHuge(window: readonly ReadLine[]): boolean {
  return window.some(({ sizeBytes }) => sizeBytes > WINDOW_LIMITS.maxBytes);
}

async function finishedWindows(deps: ReadPartsDependencies, item: ReadItem): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for await (const object of deps.work.list(deps.keys.doneWindowsPrefix(READ, item.rank, item.batch))) {
    keys.add(object.key);
  }
  return keys;
}

async function* batchLines(work: ObjectStore, key: string): AsyncGenerator<ReadLine> {
  for await (const value of readWorkLines(work, key)) {
    yield parseOrCorrupt(readLineSchema, value, key);
  }
}

/**
 * The first window of an invocation is read to its end however little time is left, so that every invocation gets on.
 * @returns undefined when time ran out before every part of the window was read
 */
async function readWindow(
  deps: ReadPartsDependencies,
  { plan, item, shouldStop }: ReadPartsRequest,
  window: { readonly lines: readonly ReadLine[]; readonly isFirst: boolean },
): Promise<ReadWindow | undefined> {
  const nowEpochMillis = deps.clock.nowEpochMillis();
  const sighted = await pMap(
    window.lines,
    async (line) => {
      const place = { snapshot: item.snapshot, rank: item.rank, promisedUntil: plan.promises[line.in], nowEpochMillis };
      return !window.isFirst && shouldStop() ? undefined : readPart(deps.reader, line, place);
    },
    { concurrency: deps.concurrency },
  );
  const complete = sighted.filter((each) => each !== undefined);
  if (complete.length < window.lines.length) {
    return undefined;
  }
  return {
    formatVersion: FORMAT_VERSION,
    parts: window.lines.length,
    bytes: window.lines.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    sightings: complete.flat(),
  };
}
