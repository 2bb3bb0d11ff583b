export interface RequestCount {
  /** `states:StartExecution` */
  readonly operation: string;
  /** The name after `rankvault/` in the User-Agent; `unknown` without one. */
  readonly caller: string;
  readonly count: number;
}

/** Who asked for what, and how often: for the demo's bill and the tests' budgets. */
export class RequestLedger {
  readonly #counts = new Map<string, RequestCount>();

  note(operation: string, userAgent: string | undefined): void {
    const caller = callerOf(userAgent);
    const key = `${operation} ${caller}`;
    const count = (this.#counts.get(key)?.count ?? 0) + 1;
    this.#counts.set(key, { operation, caller, count });
  }

  counts(): readonly RequestCount[] {
    return [...this.#counts.values()];
  }
}

/** Functions sign their requests with `rankvault/<name>` in the User-Agent. */
function callerOf(userAgent: string | undefined): string {
  return /(?:^|\s)rankvault\/([\w.-]+)/.exec(userAgent ?? '')?.[1] ?? 'unknown';
}
