import { itemsOf } from './blocks.ts';
import {
  batchesOf,
  type DraftLine,
  draftLineSchema,
  type Enumeration,
  enumerationSchema,
  isCopyLine,
  type ReceiptLine,
  receiptLineSchema,
  segmentsOf,
} from './draft.ts';
import { ReceiptMissing, RecordMissing } from './errors.ts';
import { parseOrCorrupt } from './format.ts';
import type { RankName } from './ids.ts';
import { readGzipJsonBlocks } from './jsonl.ts';
import type { ManifestLine } from './manifest.ts';
import type { ObjectStore } from './ports/object-store.ts';
import type { Pass } from './run.ts';
import { readJson } from './stored-json.ts';
import { usualDraftLine } from './usual-lines.ts';
import type { RunKeys } from './work-layout.ts';

/** Reads what enumerations and copies left in the work bucket; every stream is in path order and held one line at a time. */
export interface DraftReader {
  readonly work: ObjectStore;
  readonly keys: RunKeys;
}

/** @throws RecordMissing when the rank was not enumerated in this pass */
export async function readEnumeration(reader: DraftReader, pass: Pass, rank: RankName): Promise<Enumeration> {
  const key = reader.keys.enumeration(pass, rank);
  const stored = await readJson(reader.work, key, enumerationSchema);
  if (stored === undefined) {
    throw new RecordMissing(`${key} is missing: the rank was not enumerated.`, {
      hint: 'Start the execution again; if it was expired from the work bucket, take a new snapshot.',
    });
  }
  return stored.value;
}

export function readDraft(reader: DraftReader, pass: Pass, enumeration: Enumeration): AsyncGenerator<DraftLine> {
  return itemsOf(readDraftBlocks(reader, pass, enumeration));
}

async function* readDraftBlocks(
  reader: DraftReader,
  pass: Pass,
  enumeration: Enumeration,
): AsyncGenerator<Iterable<DraftLine>> {
  for (const segment of segmentsOf(enumeration)) {
    const key = reader.keys.segment(pass, enumeration.rank, segment);
    for await (const values of readWorkBlocks(reader.work, key)) {
      yield draftLinesOf(values, key);
    }
  }
}

function* draftLinesOf(values: Iterable<unknown>, key: string): Generator<DraftLine> {
  for (const value of values) {
    yield usualDraftLine(value) ?? parseOrCorrupt(draftLineSchema, value, key);
  }
}

async function* readReceipts(reader: DraftReader, pass: Pass, enumeration: Enumeration): AsyncGenerator<ReceiptLine> {
  for (const batch of batchesOf(enumeration)) {
    for await (const window of reader.work.list(reader.keys.receiptsPrefix(pass, enumeration.rank, batch))) {
      for await (const value of readWorkLines(reader.work, window.key)) {
        yield parseOrCorrupt(receiptLineSchema, value, window.key);
      }
    }
  }
}

/**
 * The manifest that the draft and its receipts make together. Parts that the warm pass skipped are left out.
 * @throws ReceiptMissing when a part has no receipt, or one of another version
 */
export async function* completedLines(
  reader: DraftReader,
  pass: Pass,
  enumeration: Enumeration,
): AsyncGenerator<ManifestLine> {
  const receipts = readReceipts(reader, pass, enumeration);
  try {
    for await (const lines of readDraftBlocks(reader, pass, enumeration)) {
      for (const line of lines) {
        const complete = isCopyLine(line) ? completeLine(line, (await receipts.next()).value, enumeration.rank) : line;
        if (complete !== undefined) {
          yield complete;
        }
      }
    }
  } finally {
    await receipts.return(undefined);
  }
}

function completeLine(
  line: Extract<DraftLine, { copy: true }>,
  receipt: ReceiptLine | undefined,
  rank: RankName,
): ManifestLine | undefined {
  if (
    receipt === undefined ||
    receipt.path !== line.path ||
    (!('skipped' in receipt) && receipt.token !== line.token)
  ) {
    throw new ReceiptMissing(`${line.path} of rank ${rank} has no receipt of its copy.`, {
      hint: 'Nothing was committed; start it again.',
    });
  }
  if ('skipped' in receipt) {
    return undefined;
  }
  const { copy: _copy, stored: _stored, ...listed } = line;
  return { ...listed, ...receipt };
}

/** Lines of a gzipped JSON-lines object of the work bucket. @throws RecordMissing */
export function readWorkLines(work: ObjectStore, key: string): AsyncGenerator<unknown> {
  return itemsOf(readWorkBlocks(work, key));
}

async function* readWorkBlocks(work: ObjectStore, key: string): AsyncGenerator<Iterable<unknown>> {
  const object = await work.get(key);
  if (object === undefined) {
    throw new RecordMissing(`${key} is missing from the work bucket.`, { hint: 'Start the execution again.' });
  }
  yield* readGzipJsonBlocks(object.body, key);
}
