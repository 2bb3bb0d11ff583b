import type { RecurringStart, Schedules } from '../../core/ports/schedules.ts';

/** Schedules by name; creating one that exists changes nothing, as on AWS. */
export class InMemorySchedules implements Schedules {
  readonly byName = new Map<string, RecurringStart>();

  create(schedule: RecurringStart): Promise<void> {
    if (!this.byName.has(schedule.name)) {
      this.byName.set(schedule.name, schedule);
    }
    return Promise.resolve();
  }

  delete(name: string): Promise<void> {
    this.byName.delete(name);
    return Promise.resolve();
  }
}
