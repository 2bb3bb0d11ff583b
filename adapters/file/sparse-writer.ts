import type { FileHandle } from 'node:fs/promises';

/** Smallest hole: the block of ext4, XFS and EFS; smaller ones would take up their block anyway. */
const BLOCK_SIZE_BYTES = 4096;
/** Bytes collected before they are looked through and written: few system calls, whole blocks whatever the chunks of the stream. */
const BUFFER_SIZE_BYTES = 256 * BLOCK_SIZE_BYTES;
const ZEROS = Buffer.alloc(BLOCK_SIZE_BYTES);

/** Writes a new file from its beginning, leaving holes where whole blocks are zero. */
export class SparseWriter {
  readonly #file: FileHandle;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_SIZE_BYTES);
  #flushedBytes = 0;
  #bufferedBytes = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  get sizeBytes(): number {
    return this.#flushedBytes + this.#bufferedBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let taken = 0; taken < chunk.byteLength; ) {
      const piece = chunk.subarray(taken, taken + BUFFER_SIZE_BYTES - this.#bufferedBytes);
      this.#buffer.set(piece, this.#bufferedBytes);
      this.#bufferedBytes += piece.byteLength;
      taken += piece.byteLength;
      if (this.#bufferedBytes === BUFFER_SIZE_BYTES) {
        await this.#flush();
      }
    }
  }

  /** Gives the file its length, which also makes a hole of zeros at its end. */
  async finish(): Promise<void> {
    await this.#flush();
    await this.#file.truncate(this.#flushedBytes);
  }

  async #flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#bufferedBytes);
    for (const [start, end] of dataRunsOf(bytes)) {
      await writeFully(this.#file, bytes.subarray(start, end), this.#flushedBytes + start);
    }
    this.#flushedBytes += bytes.byteLength;
    this.#bufferedBytes = 0;
  }
}

/** Runs of blocks that are not all zero, as [start, end) in bytes. */
function* dataRunsOf(bytes: Buffer): Generator<readonly [number, number]> {
  let runStart: number | undefined;
  for (let start = 0; start < bytes.byteLength; start += BLOCK_SIZE_BYTES) {
    const block = bytes.subarray(start, start + BLOCK_SIZE_BYTES);
    const zero = block.equals(ZEROS.subarray(0, block.byteLength));
    if (zero && runStart !== undefined) {
      yield [runStart, start];
    }
    runStart = zero ? undefined : (runStart ?? start);
  }
  if (runStart !== undefined) {
    yield [runStart, bytes.byteLength];
  }
}

async function writeFully(file: FileHandle, bytes: Buffer, positionBytes: number): Promise<void> {
  for (let written = 0; written < bytes.byteLength; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.byteLength - written, positionBytes + written);
    written += bytesWritten;
  }
}
