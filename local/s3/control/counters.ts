import type { RequestFacts } from './faults.ts';

/** What became of a request. */
export interface RequestOutcome extends RequestFacts {
  /** HTTP status; 0 when the connection was broken before the work. */
  readonly status: number;
  /** False when the connection was broken instead of the response being sent. */
  readonly answered: boolean;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface Counts {
  readonly requests: number;
  /** Of these, answered with 400 or more, or not at all. */
  readonly failures: number;
  /** Body bytes, with their framing and without headers. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface CounterSnapshot {
  readonly total: Counts;
  readonly byOperation: Readonly<Record<string, Counts>>;
  readonly byCaller: Readonly<Record<string, CallerCounts>>;
}

export interface CallerCounts extends Counts {
  readonly byOperation: Readonly<Record<string, Counts>>;
}

interface Tally {
  requests: number;
  failures: number;
  bytesIn: number;
  bytesOut: number;
}

/** Requests counted by operation, by caller, and by both. */
export class Counters {
  #tallies = new Map<string, Map<string, Tally>>();

  /** Called by the server, once per request. */
  record(outcome: RequestOutcome): void {
    let ofCaller = this.#tallies.get(outcome.caller);
    if (ofCaller === undefined) {
      ofCaller = new Map();
      this.#tallies.set(outcome.caller, ofCaller);
    }
    let tally = ofCaller.get(outcome.operation);
    if (tally === undefined) {
      tally = { requests: 0, failures: 0, bytesIn: 0, bytesOut: 0 };
      ofCaller.set(outcome.operation, tally);
    }
    tally.requests += 1;
    tally.failures += !outcome.answered || outcome.status >= 400 ? 1 : 0;
    tally.bytesIn += outcome.bytesIn;
    tally.bytesOut += outcome.bytesOut;
  }

  snapshot(): CounterSnapshot {
    const byOperation = new Map<string, Counts>();
    const byCaller: Record<string, CallerCounts> = {};
    for (const [caller, tallies] of this.#tallies) {
      byCaller[caller] = {
        ...sum(tallies.values()),
        byOperation: Object.fromEntries([...tallies].map(([operation, tally]) => [operation, { ...tally }])),
      };
      for (const [operation, tally] of tallies) {
        byOperation.set(operation, sum([tally, byOperation.get(operation) ?? sum([])]));
      }
    }
    return { total: sum(byOperation.values()), byOperation: Object.fromEntries(byOperation), byCaller };
  }

  reset(): void {
    this.#tallies = new Map();
  }
}

function sum(counts: Iterable<Counts>): Counts {
  const total: Tally = { requests: 0, failures: 0, bytesIn: 0, bytesOut: 0 };
  for (const { requests, failures, bytesIn, bytesOut } of counts) {
    total.requests += requests;
    total.failures += failures;
    total.bytesIn += bytesIn;
    total.bytesOut += bytesOut;
  }
  return total;
}
