import { BATCH_LIMITS, Cutter } from '../batching.ts';
import { streamOf } from '../draft-writer.ts';
import { gzipJsonLines } from '../jsonl.ts';
import { isDirectoryLine, type PartLine } from '../manifest.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { partKey } from '../vault-layout.ts';
import { addAmounts } from '../verification.ts';
import type { RunKeys } from '../work-layout.ts';
import { spend } from './budget.ts';
import type { RankWalk, WalkEnd } from './rank-walk.ts';
import { unitId } from './units.ts';
import { READ, type ReadLine, type UnitItem } from './verify-plan.ts';

/**
 * The most that one call reads: 32 GiB take a Lambda, which gets about 75 MB a second from S3, half of its 15 minutes. A larger part is
 * left out and counted; a drill reads it.
 */
export const LARGEST_READ_BYTES = 32 * 1024 ** 3;

/** Writes the parts that shall be read into batches, as far as the purse goes. */
export async function lookRead(walk: RankWalk, batches: ReadBatches): Promise<WalkEnd> {
  const ins = new Set(walk.unit.ins);
  let walked = { purse: walk.unit.purse, ...walk.before };
  let last: string | undefined;
  const end = async (how: Omit<WalkEnd, 'walked'>): Promise<WalkEnd> => {
    const { purse, ...rest } = walked;
    const pieces = [...walk.before.pieces, await batches.close()];
    return { ...how, walked: { ...rest, ...(purse === undefined ? {} : { purse }), pieces } };
  };
  for await (const line of walk.lines) {
    if (last !== undefined && walk.shouldStop()) {
      return end({ stoppedAfter: last });
    }
    last = line.path;
    if (isDirectoryLine(line) || !ins.has(line.in)) {
      continue;
    }
    if (line.sizeBytes > LARGEST_READ_BYTES) {
      walked = { ...walked, tooLarge: walked.tooLarge + 1, through: line.path };
      continue;
    }
    const amount = { parts: 1, bytes: line.sizeBytes };
    const purse = walked.purse === undefined ? undefined : spend(walked.purse, amount);
    if (walked.purse !== undefined && purse === undefined) {
      return end({ enough: true });
    }
    await batches.write(readLineOf(walk, line));
    walked = { ...walked, purse, looked: addAmounts(walked.looked, amount), through: line.path };
  }
  return end({});
}

function readLineOf({ place }: RankWalk, line: PartLine): ReadLine {
  const { path, versionId, sizeBytes, checksum } = line;
  const key = line.key ?? partKey(place.backup, line.in, place.rank, path);
  return { path, key, versionId, sizeBytes, checksum, in: line.in };
}

/** Batches of one invocation; memory holds one. */
export class ReadBatches {
  readonly #work: ObjectStore;
  readonly #keys: RunKeys;
  readonly #unit: string;
  readonly #id: string;
  readonly #cutter = new Cutter(BATCH_LIMITS);
  #open: ReadLine[] = [];
  #written = 0;

  /** @param id unique to the invocation */
  constructor(stores: { readonly work: ObjectStore; readonly keys: RunKeys }, unit: UnitItem['unit'], id: string) {
    this.#work = stores.work;
    this.#keys = stores.keys;
    this.#unit = unitId(unit);
    this.#id = id;
  }

  async write(line: ReadLine): Promise<void> {
    if (this.#cutter.startsNew(line)) {
      await this.#flush();
    }
    this.#open.push(line);
  }

  async close(): Promise<{ readonly id: string; readonly batches: number }> {
    await this.#flush();
    return { id: this.#id, batches: this.#written };
  }

  async #flush(): Promise<void> {
    if (this.#open.length > 0) {
      const key = readBatchKey(this.#keys, this.#unit, `${this.#id}-${this.#written}`);
      await this.#work.putStream(key, gzipJsonLines(streamOf(this.#open)));
      this.#written += 1;
      this.#open = [];
    }
  }
}

export function readBatchKey(keys: RunKeys, unit: string, batch: string): string {
  return keys.unitPiece(READ, unit, batch);
}
