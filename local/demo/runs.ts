import * as z from 'zod/mini';
import { maintenanceResultSchema } from '../../core/maintain/report.ts';
import { totalsSchema } from '../../core/records.ts';
import { findingKindSchema } from '../../core/verification.ts';
import type { ExecutionView } from '../workflow/execution.ts';
import type { JsonObject, JsonValue } from '../workflow/json.ts';
import { type Bill, billOf } from './bill.ts';
import { bytesText, countText, type Narrator } from './narrator.ts';
import type { StateLine } from './run-watch.ts';
import type { Stage } from './stage.ts';

/** A run that did not end as the demo expects; its text is what the machine said. */
export class DemoFailed extends Error {
  override readonly name = 'DemoFailed';
}

const committedSchema = z.object({
  outcome: z.literal('committed'),
  snapshot: z.object({ snapshot: z.string(), type: z.string(), reason: z.string(), totals: totalsSchema }),
});

const restoredSchema = z.object({
  outcome: z.literal('restored'),
  report: z.object({
    placed: z.int(),
    placedBytes: z.int(),
    kept: z.int(),
    movedAside: z.int(),
    removed: z.int(),
    next: z.string(),
  }),
});

const plannedSchema = z.object({
  outcome: z.literal('planned'),
  estimate: z.object({ parts: z.int(), bytes: z.int(), requests: z.int(), minutes: z.number(), dollars: z.number() }),
  todo: z.object({ place: z.int(), placeBytes: z.int(), check: z.int(), moveAside: z.int(), remove: z.int() }),
});

const verifiedSchema = z.object({
  verification: z.object({
    checked: z.object({ parts: z.int(), bytes: z.int() }),
    findings: z.partialRecord(findingKindSchema, z.int()),
    next: z.string(),
  }),
});

interface Shown {
  /** Which states it went through, and how long each took. @default false */
  readonly states?: boolean;
  /** Without what it cost. @default false */
  readonly brief?: boolean;
}

interface Finished<T> {
  readonly output: T;
  readonly seconds: number;
  readonly lines: readonly StateLine[];
  readonly bill: Bill;
}

/** Starts snapshots and restores and tells what they did. */
export class Runs {
  readonly #stage: Stage;
  readonly #narrator: Narrator;

  constructor(stage: Stage, narrator: Narrator) {
    this.#stage = stage;
    this.#narrator = narrator;
  }

  async snapshot(input: { readonly backup: string; readonly type: string }, options: Shown = {}): Promise<string> {
    const run = await this.#run('Snapshot', input, committedSchema);
    const { snapshot, totals, reason, type } = run.output.snapshot;
    if (options.states === true) {
      this.#showStates(run.lines);
    }
    const carried = totals.parts - totals.storedParts;
    this.#narrator.good(
      `${type} ${snapshot}: copied ${countText(totals.storedParts)} parts (${bytesText(totals.storedBytes)}), carried ${countText(carried)}`,
    );
    if (options.brief !== true) {
      this.#narrator.say(`  ${reason}`);
      this.#showCost(run);
    }
    return snapshot;
  }

  /** @returns what it used */
  async restore(input: JsonValue, options: Shown = {}): Promise<Bill> {
    const run = await this.#run('Restore', input, restoredSchema);
    const { placed, placedBytes, kept, movedAside, removed, next } = run.output.report;
    if (options.states === true) {
      this.#showStates(run.lines);
    }
    this.#narrator.good(
      `restored: ${countText(placed)} parts placed (${bytesText(placedBytes)}), ${countText(kept)} found right by checksum, ${countText(removed)} removed, ${countText(movedAside)} moved aside meanwhile`,
    );
    if (options.brief !== true) {
      this.#narrator.say(`  ${next}`);
      this.#showCost(run);
    }
    return run.bill;
  }

  /** @returns the most requests that the restore may need */
  async planOnly(input: JsonValue): Promise<number> {
    const { estimate, todo } = (await this.#run('Restore', input, plannedSchema)).output;
    this.#narrator.good(
      `dry run: would place ${countText(todo.place)} parts (${bytesText(todo.placeBytes)}), check ${countText(todo.check)}, move aside ${countText(todo.moveAside)}, remove ${countText(todo.remove)}`,
    );
    this.#narrator.say(
      `  at most ${countText(estimate.requests)} requests, about ${estimate.minutes} minutes on AWS, $${estimate.dollars.toFixed(4)}`,
    );
    return estimate.requests;
  }

  async maintain(input: JsonObject): Promise<void> {
    const run = await this.#run('Maintain', input, maintenanceResultSchema);
    const { outcome, action, report } = run.output;
    const { frees, residue, hidden, kept, later, merged, markers, next } = report;
    this.#narrator.good(`${action}${outcome === 'planned' ? ', dry run' : ''}: ${next}`);
    for (const each of hidden) {
      this.#narrator.say(`  hides ${each.snapshot}: ${each.reason}`);
    }
    for (const each of kept ?? []) {
      this.#narrator.say(`  keeps ${each.snapshot}: ${each.reasons.join('; ')}`);
    }
    this.#narrator.say(
      `  frees ${amountText(frees)}; residue ${amountText(residue)}${residue.for.length === 0 ? '' : ` for ${residue.for.join(', ')}`}`,
    );
    if (later !== undefined) {
      this.#narrator.say(
        `  until ${later.at} it can be undeleted; then it frees ${amountText(later)}, residue ${amountText(later.residue)}`,
      );
    }
    if (merged !== undefined) {
      this.#narrator.say(`  merged into ${merged.snapshot}: ${amountText(merged)}`);
    }
    if (markers > 0) {
      this.#narrator.say(`  delete markers taken off: ${countText(markers)}`);
    }
    this.#showCost(run);
  }

  /** @returns whether the verification found what it was to find: an error's name, or nothing */
  async verify(input: JsonObject, expected: { readonly finds?: string } = {}): Promise<boolean> {
    const { view, seconds, bill, lines } = await this.#execute('Verify', input);
    if (view.status !== 'SUCCEEDED') {
      const asExpected = view.error === expected.finds;
      this.#narrator[asExpected ? 'good' : 'bad'](`${view.error}: ${view.cause}`);
      return asExpected;
    }
    const { checked, findings, next } = verifiedSchema.parse(view.output).verification;
    const found = Object.entries(findings).map(([kind, count]) => `${count} ${kind}`);
    const level = String(input['level']);
    this.#narrator[expected.finds === undefined ? 'good' : 'bad'](
      `verified (${level}): ${amountText(checked)}; findings: ${found.join(', ') || 'none'}`,
    );
    this.#narrator.say(`  ${next}`);
    this.#showCost({ output: undefined, seconds, bill, lines });
    return expected.finds === undefined;
  }

  async #run<T>(machine: string, input: JsonValue, schema: z.ZodMiniType<T>): Promise<Finished<T>> {
    const { view, ...finished } = await this.#execute(machine, input);
    const parsed = schema.safeParse(view.output);
    if (view.status !== 'SUCCEEDED' || !parsed.success) {
      throw new DemoFailed(
        `${machine} ended as ${view.status}: ${view.error ?? 'unexpected output'}: ${view.cause ?? JSON.stringify(view.output)}`,
      );
    }
    return { output: parsed.data, ...finished };
  }

  /** With what it started beside itself: the expiry after a snapshot. */
  async #execute(
    machine: string,
    input: JsonValue,
  ): Promise<Omit<Finished<unknown>, 'output'> & { view: ExecutionView }> {
    const { laptop, watch } = this.#stage;
    laptop.s3.counters.reset();
    watch.take();
    const before = performance.now();
    const view = await laptop.run(machine, input);
    await laptop.quiet();
    const seconds = (performance.now() - before) / 1000;
    const { lines, stateTransitions } = watch.take();
    return { view, seconds, lines, bill: billOf(laptop.s3.counters.snapshot(), stateTransitions) };
  }

  #showStates(lines: readonly StateLine[]): void {
    const worth = lines.filter(
      (line) =>
        line.millis >= 1 &&
        !line.state.endsWith('?') &&
        !line.state.startsWith('Take the') &&
        !line.state.startsWith('Restore the cluster'),
    );
    const rows = worth.map((line) => [
      line.state,
      `${(line.millis / 1000).toFixed(2)} s`,
      line.children === 0 ? '' : `${line.children} in parallel children`,
    ]);
    this.#narrator.table(['state', 'time', ''], rows, [1]);
  }

  #showCost({ seconds, bill }: Finished<unknown>): void {
    const { writes, reads, stateTransitions, dollars } = bill;
    this.#narrator.say(
      `  ${seconds.toFixed(1)} s here; ${countText(writes)} write and ${countText(reads)} read requests, ${countText(stateTransitions)} state transitions: $${dollars.toFixed(4)} at list price, without Lambda`,
    );
  }
}

function amountText({ parts, bytes }: { readonly parts: number; readonly bytes: number }): string {
  return `${countText(parts)} parts (${bytesText(bytes)})`;
}
