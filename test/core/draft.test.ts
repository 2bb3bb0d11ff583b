import { describe, expect, it } from 'vitest';
import { BATCH_LIMITS } from '../../core/batching.ts';
import { batchesOf, type CopyLine, type DraftLine, type Enumeration, segmentsOf } from '../../core/draft.ts';
import { completedLines, readDraft, readEnumeration } from '../../core/draft-io.ts';
import { DraftWriter, streamOf } from '../../core/draft-writer.ts';
import { ReceiptMissing, RecordMissing } from '../../core/errors.ts';
import { gzipJsonLines } from '../../core/jsonl.ts';
import { RunKeys } from '../../core/work-layout.ts';
import { collect } from '../support/byte-streams.ts';
import { InMemoryObjectStore } from '../support/in-memory-object-store.ts';
import { directoryLine, partLine, SECOND_SNAPSHOT } from '../support/sample-lines.ts';

const keys = new RunKeys('Snapshot', 'run-1');
const NO_TOTALS = { parts: 0, bytes: 0, directories: 0, copyParts: 0, copyBytes: 0, removedParts: 0 };

const copyLine = (path: string, sizeBytes = 10): CopyLine => ({
  copy: true,
  path,
  root: 'main',
  sizeBytes,
  token: `s3:${path}`,
});
const receipt = (path: string, token = `s3:${path}`) => ({
  path,
  token,
  sizeBytes: 10,
  checksum: 'CRC32:AAAAAA==',
  in: SECOND_SNAPSHOT,
  etag: '"e"',
  versionId: 'v',
});

async function drafted(work: InMemoryObjectStore, lines: readonly DraftLine[]): Promise<Enumeration> {
  const writer = new DraftWriter(work, keys, { pass: 'final', rank: 1, id: 'i' });
  for (const line of lines) {
    await writer.write(line);
  }
  const totals = { ...NO_TOTALS, parts: lines.length };
  return {
    formatVersion: 1,
    rank: 1,
    listedAt: '2026-01-31T22:00:00.000Z',
    finishedAt: '2026-01-31T22:01:00.000Z',
    pieces: [await writer.close()],
    totals,
  };
}

const receive = (work: InMemoryObjectStore, window: number, receipts: readonly unknown[]) =>
  work.putStream(keys.receipts('final', 1, 'i-0', window), gzipJsonLines(streamOf(receipts)));

describe('drafts', () => {
  it('come back in segments and batches of one order', async () => {
    const work = new InMemoryObjectStore();
    const lines = Array.from({ length: 2 * BATCH_LIMITS.maxParts + 1 }, (_, index) =>
      copyLine(`p${String(index).padStart(5, '0')}`),
    );
    const enumeration = await drafted(work, [directoryLine('a/'), ...lines]);
    expect(batchesOf(enumeration)).toEqual(['i-0', 'i-1', 'i-2']);
    expect(segmentsOf(enumeration)).toEqual(['i-0']);
    expect(await collect(readDraft({ work, keys }, 'final', enumeration))).toEqual([directoryLine('a/'), ...lines]);
  });

  it('put a huge part into a batch of its own', async () => {
    const huge = copyLine('b', BATCH_LIMITS.maxBytes + 1);
    const enumeration = await drafted(new InMemoryObjectStore(), [copyLine('a'), huge, copyLine('c')]);
    expect(batchesOf(enumeration)).toHaveLength(3);
  });

  it('of more lines than memory should hold are written in segments', async () => {
    const lines = Array.from({ length: 20_001 }, (_, index) => partLine(`p${String(index).padStart(6, '0')}`));
    expect(segmentsOf(await drafted(new InMemoryObjectStore(), lines))).toEqual(['i-0', 'i-1']);
  });

  it('of nothing write nothing', async () => {
    const work = new InMemoryObjectStore();
    expect((await drafted(work, [])).pieces).toEqual([{ id: 'i', segments: 0, batches: 0 }]);
    expect(work.keys()).toEqual([]);
  });

  it('are the same bytes for the same lines', async () => {
    const [first, second] = [new InMemoryObjectStore(), new InMemoryObjectStore()];
    for (const work of [first, second]) {
      await drafted(work, [copyLine('a'), partLine('b')]);
    }
    const bytesIn = async (work: InMemoryObjectStore) =>
      Promise.all(
        work.keys().map(async (key) => Buffer.concat(await collect((await work.get(key))?.body ?? streamOf([])))),
      );
    expect(await bytesIn(first)).toEqual(await bytesIn(second));
  });
});

describe('completed drafts', () => {
  const lines = [copyLine('a'), partLine('b'), copyLine('c')];

  it('have the receipts where the holes were', async () => {
    const work = new InMemoryObjectStore();
    const enumeration = await drafted(work, lines);
    await receive(work, 0, [receipt('a')]);
    await receive(work, 1, [receipt('c')]);
    expect(await collect(completedLines({ work, keys }, 'final', enumeration))).toEqual([
      { ...receipt('a'), root: 'main' },
      partLine('b'),
      { ...receipt('c'), root: 'main' },
    ]);
  });

  it('leave out what the warm pass skipped', async () => {
    const work = new InMemoryObjectStore();
    const enumeration = await drafted(work, lines);
    await receive(work, 0, [{ path: 'a', skipped: 'PartChanged' }, receipt('c')]);
    expect((await collect(completedLines({ work, keys }, 'final', enumeration))).map(({ path }) => path)).toEqual([
      'b',
      'c',
    ]);
  });

  it.each([
    ['has none', [receipt('a')]],
    ['has one of another version', [receipt('a'), receipt('c', 's3:other')]],
    ['lost the one before', [receipt('c')]],
  ])('are refused when a part %s', async (_what, receipts) => {
    const work = new InMemoryObjectStore();
    const enumeration = await drafted(work, lines);
    await receive(work, 0, receipts);
    await expect(collect(completedLines({ work, keys }, 'final', enumeration))).rejects.toThrow(ReceiptMissing);
  });

  it('are refused when a segment or the enumeration is gone', async () => {
    const work = new InMemoryObjectStore();
    const enumeration = await drafted(work, lines);
    await work.delete(keys.segment('final', 1, 'i-0'));
    await expect(collect(readDraft({ work, keys }, 'final', enumeration))).rejects.toThrow(RecordMissing);
    await expect(readEnumeration({ work, keys }, 'final', 1)).rejects.toThrow('the rank was not enumerated');
  });
});
