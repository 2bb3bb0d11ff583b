/**
 * How copies are cut into batches (one Lambda's work) and windows (what is recorded at a time). Both cuts depend on nothing but
 * the parts, so that a retry cuts alike and finds the receipts of the first try.
 */
export interface SizedPart {
  readonly sizeBytes: number;
}

export interface CutLimits {
  readonly maxParts: number;
  readonly maxBytes: number;
}

/**
 * A batch: 1,000 parts cost three requests of bookkeeping (0.3 %); 32 GiB keeps one batch of streamed parts within a few
 * Lambda runs. A part above the limit is a batch of its own.
 */
export const BATCH_LIMITS: CutLimits = { maxParts: 1000, maxBytes: 32 * 1024 ** 3 };

/** A window: what a killed Lambda copies again at most. */
export const WINDOW_LIMITS: CutLimits = { maxParts: 250, maxBytes: 2 * 1024 ** 3 };

/** Says, part by part, whether the part begins a new cut. */
export class Cutter {
  readonly #limits: CutLimits;
  #parts = 0;
  #bytes = 0;

  constructor(limits: CutLimits) {
    this.#limits = limits;
  }

  /** @returns true when this part is the first of a new cut and parts came before it */
  startsNew(part: SizedPart): boolean {
    const full =
      this.#parts > 0 && (this.#parts >= this.#limits.maxParts || this.#bytes + part.sizeBytes > this.#limits.maxBytes);
    this.#parts = full ? 1 : this.#parts + 1;
    this.#bytes = full ? part.sizeBytes : this.#bytes + part.sizeBytes;
    return full;
  }
}

/** Cuts a stream; memory holds one cut, bounded by `maxParts`. */
export async function* cut<T extends SizedPart>(
  parts: AsyncIterable<T>,
  limits: CutLimits,
): AsyncGenerator<readonly T[]> {
  const cutter = new Cutter(limits);
  let current: T[] = [];
  for await (const part of parts) {
    if (cutter.startsNew(part)) {
      yield current;
      current = [];
    }
    current.push(part);
  }
  if (current.length > 0) {
    yield current;
  }
}
