import pMap from 'p-map';
import * as z from 'zod/mini';
import { bytesOf } from '../action-writer.ts';
import { cut, WINDOW_LIMITS } from '../batching.ts';
import { algorithmOf } from '../checksum.ts';
import { readWorkLines } from '../draft-io.ts';
import { FORMAT_VERSION, formatVersionSchema, jsonBytes, parseOrCorrupt } from '../format.ts';
import type { RankName } from '../ids.ts';
import type { PartLine } from '../manifest.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { RestoreTarget } from '../ports/restore-target.ts';
import { type RestoreAction, restoreActionSchema } from '../restore-actions.ts';
import type { BatchItem, RestorePhase, RestoreRun } from '../run.ts';
import { partKey } from '../vault-layout.ts';
import type { RunKeys } from '../work-layout.ts';
import { readTargetState } from './compare-rank.ts';

/** What a window did; summed into the report. */
export const doneWindowSchema = z.object({
  formatVersion: formatVersionSchema,
  placed: z.int(),
  placedBytes: z.int(),
  /** Checked and found right. */
  kept: z.int(),
  keptBytes: z.int(),
  movedAside: z.int(),
  removed: z.int(),
});
export type DoneWindow = z.infer<typeof doneWindowSchema>;

export const NOTHING_DONE: DoneWindow = {
  formatVersion: FORMAT_VERSION,
  placed: 0,
  placedBytes: 0,
  kept: 0,
  keptBytes: 0,
  movedAside: 0,
  removed: 0,
};

export interface RestorePartsDependencies {
  readonly work: ObjectStore;
  readonly keys: RunKeys;
  readonly target: RestoreTarget;
  readonly vaultBucket: string;
  /** Actions carried out at a time by this invocation. */
  readonly concurrency: number;
}

export interface RestorePartsRequest {
  readonly run: RestoreRun;
  readonly phase: RestorePhase;
  readonly item: BatchItem;
  readonly shouldStop: () => boolean;
}

/** Carries out one batch, window by window. Every action may be done twice; a retry skips the windows that are recorded. */
export async function restoreParts(
  deps: RestorePartsDependencies,
  request: RestorePartsRequest,
): Promise<{ readonly done: boolean }> {
  const { phase, item } = request;
  const { label, resumed } = await readTargetState(deps.work, deps.keys);
  if (phase === 'aside' && !resumed && (await isPlacing(deps.target, request.run))) {
    return { done: true };
  }
  const finished = await finishedWindows(deps, request);
  let number = -1;
  for await (const window of cut(actions(deps, item.key), WINDOW_LIMITS)) {
    number += 1;
    const key = deps.keys.doneWindow(phase, item.rank, item.batch, number);
    if (finished.has(key)) {
      continue;
    }
    if (request.shouldStop()) {
      return { done: false };
    }
    const done = await carryOut(deps, request, { window, label });
    if (done === undefined) {
      return { done: false };
    }
    await deps.work.put(key, jsonBytes(done));
  }
  return { done: true };
}

/** A ghost of this phase that comes late must not move away what was placed since. */
async function isPlacing(target: RestoreTarget, run: RestoreRun): Promise<boolean> {
  const markers = await target.readMarkers();
  return markers.some(({ marker }) => marker.execution === run.execution && marker.phase === 'placing');
}

interface SizedAction {
  readonly action: RestoreAction;
  readonly sizeBytes: number;
}

async function* actions(deps: RestorePartsDependencies, key: string): AsyncGenerator<SizedAction> {
  for await (const value of readWorkLines(deps.work, key)) {
    const action = parseOrCorrupt(restoreActionSchema, value, key);
    yield { action, sizeBytes: bytesOf(action) };
  }
}

async function finishedWindows(
  deps: RestorePartsDependencies,
  { phase, item }: RestorePartsRequest,
): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for await (const object of deps.work.list(deps.keys.doneWindowsPrefix(phase, item.rank, item.batch))) {
    keys.add(object.key);
  }
  return keys;
}

/** @returns undefined when time ran out before the window was through */
async function carryOut(
  deps: RestorePartsDependencies,
  request: RestorePartsRequest,
  job: { readonly window: readonly SizedAction[]; readonly label: string },
): Promise<DoneWindow | undefined> {
  const done = { ...NOTHING_DONE };
  let complete = true;
  await pMap(
    job.window,
    async ({ action }) => {
      if (request.shouldStop()) {
        complete = false;
        return;
      }
      add(done, await perform(deps, { request, action, label: job.label }));
    },
    { concurrency: deps.concurrency },
  );
  return complete ? done : undefined;
}

interface Performing {
  readonly request: RestorePartsRequest;
  readonly action: RestoreAction;
  readonly label: string;
}

async function perform(
  deps: RestorePartsDependencies,
  { request, action, label }: Performing,
): Promise<Partial<DoneWindow>> {
  const { rank } = request.item;
  switch (action.action) {
    case 'place':
      return place(deps, request.run, rank, action.line);
    case 'check':
      return (await isRight(deps.target, rank, action.line))
        ? keep(deps.target, rank, action.line)
        : place(deps, request.run, rank, action.line);
    case 'moveAside':
      await deps.target.moveAside(rank, action, label);
      return { movedAside: 1 };
    case 'remove':
      await deps.target.remove(rank, action);
      return { removed: 1 };
    case 'makeDirectory':
      await deps.target.makeDirectory(rank, action.line);
      return {};
    case 'finishDirectory':
      await deps.target.finishDirectory(rank, action.line);
      return {};
    default:
      return action satisfies never;
  }
}

async function place(
  deps: RestorePartsDependencies,
  run: RestoreRun,
  rank: RankName,
  line: PartLine,
): Promise<Partial<DoneWindow>> {
  const key = line.key ?? partKey(run.backup, line.in, rank, line.path);
  await deps.target.placePart(rank, line, { bucket: deps.vaultBucket, key, versionId: line.versionId });
  return { placed: 1, placedBytes: line.sizeBytes };
}

async function isRight(target: RestoreTarget, rank: RankName, line: PartLine): Promise<boolean> {
  return (await target.checksumOf(rank, line, algorithmOf(line.checksum))) === line.checksum;
}

async function keep(target: RestoreTarget, rank: RankName, line: PartLine): Promise<Partial<DoneWindow>> {
  await target.setAttributes(rank, line);
  return { kept: 1, keptBytes: line.sizeBytes };
}

function add(total: { -readonly [K in keyof DoneWindow]: DoneWindow[K] }, more: Partial<DoneWindow>): void {
  total.placed += more.placed ?? 0;
  total.placedBytes += more.placedBytes ?? 0;
  total.kept += more.kept ?? 0;
  total.keptBytes += more.keptBytes ?? 0;
  total.movedAside += more.movedAside ?? 0;
  total.removed += more.removed ?? 0;
}
