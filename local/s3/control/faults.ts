import type { Operation } from '../protocol/operations.ts';

/** What is known of a request before any work: what faults, counters and observers go by. */
export interface RequestFacts {
  /** `Unknown` when it was refused for not being understood. */
  readonly operation: Operation | 'Unknown';
  readonly bucket: string;
  readonly key: string;
  /** `<name>` of `rankvault/<name>` in the User-Agent, else `other`. */
  readonly caller: string;
}

interface FaultWhere {
  readonly operation?: Operation | readonly Operation[];
  readonly bucket?: string;
  /** The whole key, a pattern, or a predicate. */
  readonly key?: string | RegExp | ((key: string) => boolean);
  readonly caller?: string;
}

/** Which of the matching requests: the nth (from 1), all from the nth on, or each with a probability from a seed. */
type FaultWhen =
  | { readonly nth: number }
  | { readonly from: number }
  | { readonly probability: number; readonly seed: number };

/**
 * - `slowDown`, `internalError`, `accessDenied`, `conflict`: 503, 500, 403, 409 instead of the work.
 * - `reset`: the connection breaks before the work.
 * - `loseResponse`: the work is done, then the connection breaks.
 * - `errorInBody`: 200 with an error document instead of the work; only where S3 does so.
 */
export type FaultKind =
  | 'slowDown'
  | 'internalError'
  | 'accessDenied'
  | 'conflict'
  | 'reset'
  | 'loseResponse'
  | 'errorInBody';

interface FaultRule {
  readonly fault: FaultKind;
  /** @default every request */
  readonly where?: FaultWhere;
  /** @default every matching request */
  readonly when?: FaultWhen;
  /** @default no limit */
  readonly times?: number;
}

interface InjectedFault {
  /** How often it struck so far. */
  readonly struck: number;
  remove(): void;
}

interface HoldRule {
  readonly where?: FaultWhere;
  readonly when?: FaultWhen;
  /** Before the work, or with the work done and the response not yet sent. @default 'before' */
  readonly stage?: 'before' | 'after';
}

interface Hold {
  /** Resolves with the first request that waits. */
  readonly reached: Promise<RequestFacts>;
  readonly waiting: number;
  /** Lets all go that wait, and holds no more. */
  release(): void;
}

/** What is to happen to one request. */
export interface FaultDecision {
  readonly fault: FaultKind | undefined;
  readonly holdBefore: (() => Promise<void>) | undefined;
  readonly holdAfter: (() => Promise<void>) | undefined;
}

interface ActiveFault {
  readonly rule: FaultRule;
  readonly strikes: (facts: RequestFacts) => boolean;
  struck: number;
}

interface ActiveHold {
  readonly stage: 'before' | 'after';
  readonly strikes: (facts: RequestFacts) => boolean;
  readonly wait: (facts: RequestFacts) => Promise<void>;
  readonly release: () => void;
}

/** Operations that S3 can answer with 200 and an error document. */
const slowAnswers: readonly string[] = ['CopyObject', 'CompleteMultipartUpload', 'UploadPartCopy'];

const undisturbed: FaultDecision = { fault: undefined, holdBefore: undefined, holdAfter: undefined };

/** Trouble on demand. The oldest rule that strikes wins; holds and one fault can meet in one request. */
export class Faults {
  readonly #faults = new Set<ActiveFault>();
  readonly #holds = new Set<ActiveHold>();

  inject(rule: FaultRule): InjectedFault {
    const active: ActiveFault = { rule, strikes: matcher(rule.where, rule.when), struck: 0 };
    this.#faults.add(active);
    return {
      get struck() {
        return active.struck;
      },
      remove: () => void this.#faults.delete(active),
    };
  }

  hold(rule: HoldRule): Hold {
    const reached = Promise.withResolvers<RequestFacts>();
    const gate = Promise.withResolvers<void>();
    let waiting = 0;
    const release = () => {
      this.#holds.delete(active);
      gate.resolve();
    };
    const active: ActiveHold = {
      stage: rule.stage ?? 'before',
      strikes: matcher(rule.where, rule.when),
      async wait(facts) {
        waiting += 1;
        reached.resolve(facts);
        await gate.promise;
        waiting -= 1;
      },
      release,
    };
    this.#holds.add(active);
    return {
      reached: reached.promise,
      get waiting() {
        return waiting;
      },
      release,
    };
  }

  /** Removes every fault and releases every hold. */
  clear(): void {
    this.#faults.clear();
    for (const hold of [...this.#holds]) hold.release();
  }

  /** Called by the server, once per request. */
  decide(facts: RequestFacts): FaultDecision {
    if (this.#faults.size === 0 && this.#holds.size === 0) return undisturbed;
    const held = [...this.#holds].filter((hold) => hold.strikes(facts));
    const before = held.find(({ stage }) => stage === 'before');
    const after = held.find(({ stage }) => stage === 'after');
    return {
      fault: this.#strike(facts),
      holdBefore: before === undefined ? undefined : () => before.wait(facts),
      holdAfter: after === undefined ? undefined : () => after.wait(facts),
    };
  }

  #strike(facts: RequestFacts): FaultKind | undefined {
    for (const active of this.#faults) {
      const { fault, times } = active.rule;
      if (times !== undefined && active.struck >= times) continue;
      if (fault === 'errorInBody' && !slowAnswers.includes(facts.operation)) continue;
      if (!active.strikes(facts)) continue;
      active.struck += 1;
      return fault;
    }
    return undefined;
  }
}

/** A predicate that counts the requests that match. */
function matcher(where: FaultWhere = {}, when: FaultWhen | undefined = undefined): (facts: RequestFacts) => boolean {
  const random = when !== undefined && 'seed' in when ? seededRandom(when.seed) : undefined;
  let seen = 0;
  return (facts) => {
    if (!matches(where, facts)) return false;
    seen += 1;
    if (when === undefined) return true;
    if ('nth' in when) return seen === when.nth;
    if ('from' in when) return seen >= when.from;
    return random !== undefined && random() < when.probability;
  };
}

function matches({ operation, bucket, key, caller }: FaultWhere, facts: RequestFacts): boolean {
  if (operation !== undefined) {
    const wanted: readonly string[] = typeof operation === 'string' ? [operation] : operation;
    if (!wanted.includes(facts.operation)) return false;
  }
  if (bucket !== undefined && bucket !== facts.bucket) return false;
  if (caller !== undefined && caller !== facts.caller) return false;
  if (key === undefined) return true;
  if (typeof key === 'string') return key === facts.key;
  return typeof key === 'function' ? key(facts.key) : key.test(facts.key);
}

/** mulberry32: small, and the same on every machine. Values in [0, 1). */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
