import type { RequestOutcome } from './counters.ts';
import type { RequestFacts } from './faults.ts';

/** Somebody who wants to know of every request; both are awaited, so a request can be stopped at either end; they must settle before `close` can. */
export interface Observer {
  /** Before any work. An S3Error thrown here is the answer. */
  before?(facts: RequestFacts): void | Promise<void>;
  /** After the work, before the client can know: a response, or the last piece of a streamed one, waits for it. */
  after?(outcome: RequestOutcome): void | Promise<void>;
}

export class Observers {
  readonly #observers = new Set<Observer>();

  /** Returns the function that ends the observation. */
  add(observer: Observer): () => void {
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  async before(facts: RequestFacts): Promise<void> {
    for (const observer of this.#observers) await observer.before?.(facts);
  }

  async after(outcome: RequestOutcome): Promise<void> {
    for (const observer of this.#observers) await observer.after?.(outcome);
  }
}
