import { compareUtf8 } from '../utf8-order.ts';
import { later } from './deletions.ts';
import type { ForeseenPlan } from './plan.ts';
import type { Later } from './report.ts';
import type { SurveyTotals } from './survey.ts';
import type { Unit } from './units.ts';

/** Sums what was foreseen. */
export class LaterSums {
  readonly #plan: ForeseenPlan | undefined;
  readonly #free = { parts: 0, bytes: 0 };
  readonly #locked = { parts: 0, bytes: 0 };
  #until: string | undefined;
  readonly #residue = { parts: 0, bytes: 0 };
  readonly #withResidue = new Set<string>();
  #unread: number;

  constructor(plan: ForeseenPlan | undefined) {
    this.#plan = plan;
    this.#unread = plan?.unread ?? 0;
  }

  /** Lists and manifests that could not be read. */
  get unread(): number {
    return this.#unread;
  }

  add({ backup, directory, leaving, lockedUntil }: Unit, totals: SurveyTotals): void {
    const sum = lockedUntil === undefined ? this.#free : this.#locked;
    sum.parts += totals.freeParts;
    sum.bytes += totals.freeBytes;
    this.#until = totals.freeParts > 0 ? later(this.#until, lockedUntil) : this.#until;
    this.#unread += totals.unreadable;
    // What stays in a directory that was hidden before, an earlier report has counted.
    if (leaving === undefined && totals.namedParts > 0) {
      this.#residue.parts += totals.namedParts;
      this.#residue.bytes += totals.namedBytes;
      this.#withResidue.add(`${backup}/${directory}`);
    }
  }

  /** @returns undefined when nothing is kept for a window */
  report(): Later | undefined {
    return this.#plan === undefined
      ? undefined
      : {
          ...this.#free,
          residue: { ...this.#residue, for: this.#namers(this.#plan) },
          locked: { ...this.#locked, ...(this.#until === undefined ? {} : { until: this.#until }) },
          at: this.#plan.at,
        };
  }

  #namers({ directories }: ForeseenPlan): string[] {
    const named = directories.filter(({ backup, directory }) => this.#withResidue.has(`${backup}/${directory}`));
    return [...new Set(named.flatMap(({ referrers }) => referrers))].sort(compareUtf8);
  }
}
