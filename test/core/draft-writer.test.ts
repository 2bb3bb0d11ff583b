import { describe, expect, it } from 'vitest';
import { BATCH_LIMITS } from '../../core/batching.ts';
import type { CopyLine } from '../../core/draft.ts';
import { readWorkLines } from '../../core/draft-io.ts';
import { DraftWriter } from '../../core/draft-writer.ts';
import { StoreUnavailable } from '../../core/errors.ts';
import { RunKeys } from '../../core/work-layout.ts';
import { bytesOf, collect } from '../support/byte-streams.ts';
import { InMemoryObjectStore } from '../support/in-memory-object-store.ts';
import { partLine } from '../support/sample-lines.ts';

const keys = new RunKeys('Snapshot', 'run-1');
const writerTo = (work: InMemoryObjectStore) => new DraftWriter(work, keys, { pass: 'final', rank: 1, id: 'i' });
const name = (index: number): string => `p${1_000_000 + index}`;
const copyLine = (index: number): CopyLine => ({
  copy: true,
  path: name(index),
  root: 'main',
  sizeBytes: 1,
  token: `s3:${index}`,
});

/** A bucket whose writes take until the test lets them go, and which counts them. */
class SlowStore extends InMemoryObjectStore {
  running = 0;
  mostRunning = 0;
  readonly #gate = Promise.withResolvers<Error | undefined>();

  override async putStream(key: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    const bytes = await bytesOf(body);
    const failure = await this.#gate.promise;
    this.running -= 1;
    if (failure !== undefined) {
      throw failure;
    }
    await super.put(key, bytes);
  }

  letGo(): void {
    this.#gate.resolve(undefined);
  }

  failAll(error: Error): void {
    this.#gate.resolve(error);
  }
}

describe('writing a draft', () => {
  it('goes on while batches are written, and is closed when the last one is', async () => {
    const work = new SlowStore();
    const writer = writerTo(work);
    const lines = Array.from({ length: 3 * BATCH_LIMITS.maxParts + 1 }, (_, index) => copyLine(index));
    for (const line of lines) {
      await writer.write(line);
    }
    expect([work.running, work.keys()]).toEqual([3, []]);
    const closed = writer.close();
    work.letGo();
    expect(await closed).toEqual({ id: 'i', segments: 1, batches: 4 });
    expect(work.running).toBe(0);
    expect(await collect(readWorkLines(work, keys.batch('final', 1, 'i-3')))).toEqual(lines.slice(-1));
    expect(await collect(readWorkLines(work, keys.segment('final', 1, 'i-0')))).toEqual(lines);
  });

  it('waits when too many batches are on their way', async () => {
    const work = new SlowStore();
    const writer = writerTo(work);
    let written = 0;
    const writing = (async () => {
      for (; written < 20 * BATCH_LIMITS.maxParts; written += 1) {
        await writer.write(copyLine(written));
      }
    })();
    await expect.poll(() => work.running).toBe(8);
    expect(written).toBe(9 * BATCH_LIMITS.maxParts);
    work.letGo();
    await writing;
    expect((await writer.close()).batches).toBe(20);
    expect(work.mostRunning).toBeLessThanOrEqual(8 + 2);
  });

  it('gives the same lines when memory is used again', async () => {
    const work = new InMemoryObjectStore();
    const writer = writerTo(work);
    const total = 90_000;
    for (let index = 0; index < total; index += 1) {
      await writer.write(partLine(name(index), { token: `s3:${index * 7919}` }));
    }
    const { segments } = await writer.close();
    expect(segments).toBe(5);
    let read = 0;
    for (let segment = 0; segment < segments; segment += 1) {
      for await (const line of readWorkLines(work, keys.segment('final', 1, `i-${segment}`))) {
        if (read % 1_000 === 0) {
          expect(line).toEqual(partLine(name(read), { token: `s3:${read * 7919}` }));
        }
        read += 1;
      }
    }
    expect(read).toBe(total);
  });

  it('cuts a segment of long lines before it has its number of lines', async () => {
    const work = new InMemoryObjectStore();
    const writer = writerTo(work);
    for (let index = 0; index < 12_000; index += 1) {
      await writer.write(partLine(`${name(index)}${'x'.repeat(800)}`, { token: 's3:e' }));
    }
    expect((await writer.close()).segments).toBe(2);
  });

  it('fails when a write in the background has failed', async () => {
    const work = new SlowStore();
    const writer = writerTo(work);
    for (let index = 0; index <= BATCH_LIMITS.maxParts; index += 1) {
      await writer.write(copyLine(index));
    }
    work.failAll(new StoreUnavailable('S3 went away.', { hint: 'Try again.' }));
    await expect(writer.close()).rejects.toThrow(StoreUnavailable);
    await expect(writer.close()).rejects.toThrow(StoreUnavailable);
  });

  it('that is abandoned ends when nothing is written any more, whatever became of it', async () => {
    const work = new SlowStore();
    const writer = writerTo(work);
    for (let index = 0; index <= BATCH_LIMITS.maxParts; index += 1) {
      await writer.write(copyLine(index));
    }
    const abandoned = writer.abandon();
    work.failAll(new StoreUnavailable('S3 went away.', { hint: 'Try again.' }));
    await expect(abandoned).resolves.toBeUndefined();
  });
});
