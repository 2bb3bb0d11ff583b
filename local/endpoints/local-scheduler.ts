import { randomUUID } from 'node:crypto';
import { ACCOUNT, PARTITION, REGION, type ScheduleModel } from '../assembly/assembly-model.ts';
import type { LocalClock } from '../clock/local-clock.ts';
import { validationError } from './api-error.ts';
import { type Occurrences, parseScheduleExpression } from './schedule-expression.ts';
import { groupNotFound, type ScheduleSpec, scheduleExists, scheduleNotFound, specOfModel } from './schedule-spec.ts';

/** One firing of a schedule on its way to its target. */
export interface Delivery {
  readonly scheduleArn: string;
  readonly scheduledAtEpochMillis: number;
  readonly targetArn: string;
  /** With the `<aws.scheduler.*>` attributes filled in. */
  readonly input: string;
}

interface FailedDelivery extends Delivery {
  readonly error: unknown;
  /** The queue that would have it on AWS. */
  readonly deadLetterArn?: string;
}

/**
 * Stands between a schedule and its target: at-least-once delivery is built from it. `proceed` may be called any number
 * of times.
 */
export type AroundDelivery = (delivery: Delivery, proceed: () => Promise<void>) => Promise<void>;

export interface LocalSchedulerOptions {
  readonly clock: LocalClock;
  /** Starts the target; a rejection is a failed delivery. */
  readonly deliver: (delivery: Delivery) => Promise<void>;
  /** @default - delivered once */
  readonly aroundDelivery?: AroundDelivery;
}

export interface StoredSchedule {
  readonly arn: string;
  readonly spec: ScheduleSpec;
  readonly createdAtEpochMillis: number;
  readonly modifiedAtEpochMillis: number;
}

interface Entry {
  readonly schedule: StoredSchedule;
  readonly cancel: AbortController;
}

/**
 * EventBridge Scheduler on a clock. It sleeps in the background: a simulated clock does not run ahead for its sake, so
 * nights pass when somebody advances the clock.
 *
 * Deviations: each delivery is tried once; no flexible windows.
 */
export class LocalScheduler {
  readonly #options: LocalSchedulerOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #groups = new Set(['default']);
  readonly #failed: FailedDelivery[] = [];

  constructor(options: LocalSchedulerOptions) {
    this.#options = options;
  }

  /** Takes over the schedules and groups of an assembly, as a deployment would. */
  load(assembly: {
    readonly schedules: readonly ScheduleModel[];
    readonly scheduleGroups: readonly { readonly name: string }[];
  }): void {
    for (const { name } of assembly.scheduleGroups) this.#groups.add(name);
    for (const model of assembly.schedules) this.create(specOfModel(model));
  }

  /** @throws ApiError ConflictException, ResourceNotFoundException for the group, ValidationException */
  create(spec: ScheduleSpec): StoredSchedule {
    if (!this.#groups.has(spec.GroupName)) throw groupNotFound(spec.GroupName);
    if (this.#entries.has(keyOf(spec))) throw scheduleExists(spec.Name);
    return this.#put(spec, this.#options.clock.nowEpochMillis());
  }

  /** Replaces everything but the creation date; a rate begins anew. */
  update(spec: ScheduleSpec): StoredSchedule {
    const entry = this.#find(spec.GroupName, spec.Name);
    const { createdAtEpochMillis } = entry.schedule;
    const next = this.#put(spec, createdAtEpochMillis);
    entry.cancel.abort();
    return next;
  }

  get(groupName: string, name: string): StoredSchedule {
    return this.#find(groupName, name).schedule;
  }

  delete(groupName: string, name: string): void {
    const entry = this.#find(groupName, name);
    entry.cancel.abort();
    this.#entries.delete(keyOf(entry.schedule.spec));
  }

  /** By group and name. */
  list(): readonly StoredSchedule[] {
    return Array.from(this.#entries.values(), ({ schedule }) => schedule).toSorted((a, b) => (a.arn < b.arn ? -1 : 1));
  }

  failedDeliveries(): readonly FailedDelivery[] {
    return this.#failed;
  }

  /** No schedule fires any more. */
  close(): void {
    for (const { cancel } of this.#entries.values()) cancel.abort();
  }

  #find(groupName: string, name: string): Entry {
    const entry = this.#entries.get(`${groupName}/${name}`);
    if (entry === undefined) throw scheduleNotFound(name);
    return entry;
  }

  #put(spec: ScheduleSpec, createdAtEpochMillis: number): StoredSchedule {
    const now = this.#options.clock.nowEpochMillis();
    const occurrences = readExpression(spec, now);
    const arn = `arn:${PARTITION}:scheduler:${REGION}:${ACCOUNT}:schedule/${keyOf(spec)}`;
    const schedule = { arn, spec, createdAtEpochMillis, modifiedAtEpochMillis: now };
    const entry = { schedule, cancel: new AbortController() };
    this.#entries.set(keyOf(spec), entry);
    if (spec.State === 'ENABLED') void this.#keepFiring(entry, occurrences);
    return schedule;
  }

  async #keepFiring(entry: Entry, occurrences: Occurrences): Promise<void> {
    const { clock } = this.#options;
    const { spec } = entry.schedule;
    const endEpochMillis = spec.EndDate === undefined ? Number.POSITIVE_INFINITY : spec.EndDate * 1000;
    let fromEpochMillis = Math.max(clock.nowEpochMillis(), (spec.StartDate ?? 0) * 1000);
    for (;;) {
      const due = occurrences.firstFrom(fromEpochMillis);
      if (due === undefined || due > endEpochMillis) break;
      const sleep = { signal: entry.cancel.signal, background: true };
      if ((await clock.sleep(due - clock.nowEpochMillis(), sleep)) === 'cancelled') return;
      await this.#fire(entry.schedule, due);
      fromEpochMillis = due + 1000;
    }
    if (spec.ActionAfterCompletion === 'DELETE' && !entry.cancel.signal.aborted) this.#entries.delete(keyOf(spec));
  }

  async #fire(schedule: StoredSchedule, dueEpochMillis: number): Promise<void> {
    const { deliver, aroundDelivery } = this.#options;
    const { Target: target } = schedule.spec;
    const delivery: Delivery = {
      scheduleArn: schedule.arn,
      scheduledAtEpochMillis: dueEpochMillis,
      targetArn: target.Arn,
      input: fillAttributes(target.Input ?? '{}', { scheduleArn: schedule.arn, dueEpochMillis }),
    };
    const proceed = () => deliver(delivery);
    try {
      await (aroundDelivery === undefined ? proceed() : aroundDelivery(delivery, proceed));
    } catch (error) {
      const deadLetterArn = target.DeadLetterConfig?.Arn;
      this.#failed.push({ ...delivery, error, ...(deadLetterArn === undefined ? {} : { deadLetterArn }) });
    }
  }
}

function readExpression(spec: ScheduleSpec, nowEpochMillis: number): Occurrences {
  try {
    return parseScheduleExpression(spec.ScheduleExpression, {
      timeZone: spec.ScheduleExpressionTimezone,
      anchorEpochMillis: spec.StartDate === undefined ? nowEpochMillis : spec.StartDate * 1000,
    });
  } catch (error) {
    throw validationError(error instanceof Error ? error.message : String(error));
  }
}

function keyOf(spec: ScheduleSpec): string {
  return `${spec.GroupName}/${spec.Name}`;
}

interface Firing {
  readonly scheduleArn: string;
  readonly dueEpochMillis: number;
}

/** The context attributes of EventBridge Scheduler; times have whole seconds. */
function fillAttributes(input: string, { scheduleArn, dueEpochMillis }: Firing): string {
  const scheduledTime = new Date(dueEpochMillis).toISOString().replace(/\.\d+Z$/, 'Z');
  return input
    .replaceAll('<aws.scheduler.schedule-arn>', scheduleArn)
    .replaceAll('<aws.scheduler.scheduled-time>', scheduledTime)
    .replaceAll('<aws.scheduler.execution-id>', randomUUID())
    .replaceAll('<aws.scheduler.attempt-number>', '1');
}
