/** Characters that are made bytes at a time. */
const TEXT_CHARACTERS = 65_536;

/** Holds four texts of ASCII, a line over each included; one piece of work for zlib. */
const BLOCK_BYTES = 5 * TEXT_CHARACTERS;

/**
 * JSON lines on their way into objects, as bytes: a fraction of what their values take. Blocks of memory are used again and again,
 * because the garbage collector is in no hurry to free bytes that lie outside of its heap.
 */
export class GatheredLines {
  readonly #free: ArrayBuffer[] = [];
  #full: Buffer<ArrayBuffer>[] = [];
  #block: Buffer<ArrayBuffer> | undefined;
  /** Bytes used of the block. */
  #used = 0;
  #text = '';
  #lines = 0;
  #sizeBytes = 0;

  add(value: unknown): void {
    this.#text += `${JSON.stringify(value)}\n`;
    this.#lines += 1;
    if (this.#text.length >= TEXT_CHARACTERS) {
      this.#encode();
    }
  }

  get lines(): number {
    return this.#lines;
  }

  /** Without the last lines, which are not bytes yet. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** What was gathered; begins anew. The bytes are the taker's until they are given back. */
  take(): readonly Buffer<ArrayBuffer>[] {
    if (this.#text !== '') {
      this.#encode();
    }
    this.#closeBlock();
    const taken = this.#full;
    this.#full = [];
    this.#lines = 0;
    this.#sizeBytes = 0;
    return taken;
  }

  /** Takes back what `take` gave, when nobody reads it any more. */
  giveBack(taken: readonly Buffer<ArrayBuffer>[]): void {
    this.#free.push(...taken.map(({ buffer }) => buffer).filter(({ byteLength }) => byteLength === BLOCK_BYTES));
  }

  #encode(): void {
    const sizeBytes = Buffer.byteLength(this.#text, 'utf8');
    if (this.#used + sizeBytes > BLOCK_BYTES) {
      this.#closeBlock();
    }
    this.#block ??= Buffer.from(this.#blockOf(sizeBytes));
    this.#used += this.#block.write(this.#text, this.#used, 'utf8');
    this.#sizeBytes += sizeBytes;
    this.#text = '';
  }

  #blockOf(sizeBytes: number): ArrayBuffer {
    return sizeBytes > BLOCK_BYTES ? new ArrayBuffer(sizeBytes) : (this.#free.pop() ?? new ArrayBuffer(BLOCK_BYTES));
  }

  #closeBlock(): void {
    if (this.#block !== undefined) {
      this.#full.push(this.#block.subarray(0, this.#used));
      this.#block = undefined;
      this.#used = 0;
    }
  }
}
