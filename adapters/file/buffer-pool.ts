/** A buffer on loan; `bytes` has exactly the size that was asked for. */
interface Loan {
  readonly bytes: Buffer;
  readonly giveBack: () => void;
}

interface Waiting {
  readonly sizeBytes: number;
  readonly grant: (loan: Loan) => void;
}

/**
 * Bounds the bytes that all copies of a process hold at a time, whatever their number and size. Requests are served in order; one
 * larger than the whole pool is served when nothing else is on loan. Nobody may wait for a second loan while holding one.
 *
 * A buffer may come back while a request that failed is still being written to its socket; the bytes then change under it. Every
 * request carries the checksum of its bytes, so S3 refuses such a body.
 */
export class BufferPool {
  readonly #capacityBytes: number;
  /** Buffers of this size are kept for the next borrower; others are left to the garbage collector. */
  readonly #keptSizeBytes: number;
  readonly #idle: Buffer[] = [];
  readonly #waiting: Waiting[] = [];
  #lentBytes = 0;

  constructor(capacityBytes: number, keptSizeBytes: number) {
    this.#capacityBytes = capacityBytes;
    this.#keptSizeBytes = keptSizeBytes;
  }

  get lentBytes(): number {
    return this.#lentBytes;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  async borrow(sizeBytes: number): Promise<Loan> {
    if (this.#waiting.length === 0 && this.#fits(sizeBytes)) {
      return this.#lend(sizeBytes);
    }
    return await new Promise((grant) => {
      this.#waiting.push({ sizeBytes, grant });
    });
  }

  #fits(sizeBytes: number): boolean {
    return this.#lentBytes === 0 || this.#lentBytes + sizeBytes <= this.#capacityBytes;
  }

  #lend(sizeBytes: number): Loan {
    this.#lentBytes += sizeBytes;
    const idle = sizeBytes === this.#keptSizeBytes ? this.#idle.pop() : undefined;
    const bytes = idle ?? Buffer.allocUnsafeSlow(sizeBytes);
    let lent = true;
    return {
      bytes,
      giveBack: () => {
        if (lent) {
          lent = false;
          this.#takeBack(bytes);
        }
      },
    };
  }

  #takeBack(bytes: Buffer): void {
    this.#lentBytes -= bytes.byteLength;
    if (bytes.byteLength === this.#keptSizeBytes) {
      this.#idle.push(bytes);
    }
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.sizeBytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      next.grant(this.#lend(next.sizeBytes));
    }
  }
}
