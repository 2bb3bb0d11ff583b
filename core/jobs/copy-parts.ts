import { createHash } from 'node:crypto';
import pMap from 'p-map';
import * as z from 'zod/mini';
import { cut, WINDOW_LIMITS } from '../batching.ts';
import { type CopyLine, copyLineSchema, type ReceiptLine } from '../draft.ts';
import { type DraftReader, readWorkLines } from '../draft-io.ts';
import { streamOf } from '../draft-writer.ts';
import { PartChanged, PartMissing } from '../errors.ts';
import { parseOrCorrupt } from '../format.ts';
import { gzipJsonLines } from '../jsonl.ts';
import type { LivePart } from '../part.ts';
import type { PartCopier } from '../ports/part-copier.ts';
import type { BatchItem, Pass, SnapshotRun } from '../run.ts';

export const copyProgressSchema = z.object({ done: z.boolean() });
export type CopyProgress = z.infer<typeof copyProgressSchema>;

export interface CopyDependencies extends DraftReader {
  readonly copier: PartCopier;
  /** Parts copied at a time by this invocation. */
  readonly concurrency: number;
}

export interface CopyRequest {
  readonly run: Pick<SnapshotRun, 'backup' | 'snapshot'>;
  readonly pass: Pass;
  readonly item: BatchItem;
  readonly shouldStop: () => boolean;
}

/**
 * Copies the parts of one batch, window by window, and writes the receipts of each window when it is complete. A retry skips the
 * windows that have receipts and finds finished copies of the open window by their write-once keys.
 */
export async function copyParts(deps: CopyDependencies, request: CopyRequest): Promise<CopyProgress> {
  const { pass, item } = request;
  const finished = await finishedWindows(deps, pass, item);
  let number = -1;
  for await (const window of cut(batchLines(deps, item.key), WINDOW_LIMITS)) {
    number += 1;
    const key = deps.keys.receipts(pass, item.rank, item.batch, number);
    if (finished.has(key)) {
      continue;
    }
    const receipts = request.shouldStop() ? undefined : await copyWindow(deps, request, window);
    if (receipts === undefined) {
      return { done: false };
    }
    await deps.work.create(key, await bytesOf(gzipJsonLines(streamOf(receipts))));
  }
  return { done: true };
}

async function finishedWindows(deps: CopyDependencies, pass: Pass, item: BatchItem): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for await (const object of deps.work.list(deps.keys.receiptsPrefix(pass, item.rank, item.batch))) {
    keys.add(object.key);
  }
  return keys;
}

async function* batchLines(deps: CopyDependencies, key: string): AsyncGenerator<CopyLine> {
  for await (const value of readWorkLines(deps.work, key)) {
    yield parseOrCorrupt(copyLineSchema, value, key);
  }
}

/** @returns undefined when time ran out before every part of the window was copied */
async function copyWindow(
  deps: CopyDependencies,
  request: CopyRequest,
  window: readonly CopyLine[],
): Promise<readonly ReceiptLine[] | undefined> {
  const receipts = await pMap(window, (line) => copyOne(deps, request, line), { concurrency: deps.concurrency });
  const complete = receipts.filter((receipt) => receipt !== undefined);
  return complete.length === window.length ? complete : undefined;
}

async function copyOne(deps: CopyDependencies, request: CopyRequest, line: CopyLine): Promise<ReceiptLine | undefined> {
  const { run, pass, item } = request;
  if (request.shouldStop()) {
    return undefined;
  }
  try {
    const uploadKey = deps.keys.upload(pass, item.rank, `${item.batch}-${digestOfText(line.path)}`);
    return await deps.copier.copy({
      backup: run.backup,
      snapshot: run.snapshot,
      rank: item.rank,
      part: partOf(line),
      uploadKey,
      ...(line.stored === undefined ? {} : { stored: line.stored }),
      shouldStop: request.shouldStop,
    });
  } catch (error) {
    // Before the quiesce the cluster works on: what changes under the copy is left to the final pass.
    if (pass === 'warm' && (error instanceof PartChanged || error instanceof PartMissing)) {
      return { path: line.path, skipped: error.name };
    }
    throw error;
  }
}

function partOf(line: CopyLine): LivePart {
  const { copy: _copy, stored: _stored, racy, ...listed } = line;
  const { attributes, ...rest } = listed;
  return { kind: 'part', ...rest, racy: racy === true, ...(attributes === undefined ? {} : { attributes }) };
}

async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function digestOfText(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
