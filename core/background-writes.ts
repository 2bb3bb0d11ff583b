/**
 * Writes that go on while the next ones are made ready; at most `limit` at a time, so that what they hold stays bounded. What one
 * of them throws is thrown by the next call: nothing that failed counts as written.
 */
export class BackgroundWrites {
  readonly #limit: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Starts the write as soon as there is room, and does not wait for its end. @throws what an earlier one threw */
  async start(write: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#limit) {
      await Promise.race(this.#running);
    }
    this.#throwFailure();
    const running = this.#run(write);
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
  }

  /** Waits until none is running. @throws what one of them threw */
  async finish(): Promise<void> {
    await this.abandon();
    this.#throwFailure();
  }

  /** As `finish` for a caller that has failed already: nothing runs on behind its back. */
  async abandon(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Never rejects: a failure that nobody waits for must not end the process. */
  async #run(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
  }
}
