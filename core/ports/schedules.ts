/** One-purpose schedules that the workflows make for themselves. Adapter: `adapters/scheduler/`; twin: `test/support/`. */
export interface Schedules {
  /** Creates it; one of this name that exists is fine. */
  create(schedule: RecurringStart): Promise<void>;
  /** Deletes it; absent is fine. */
  delete(name: string): Promise<void>;
}

/** Starts the Release machine again and again until somebody deletes the schedule. */
export interface RecurringStart {
  /** 64 of `0-9a-zA-Z-_.` at most (EventBridge Scheduler API reference, CreateSchedule). */
  readonly name: string;
  readonly firstAtEpochMillis: number;
  readonly everyMinutes: number;
  readonly input: Readonly<Record<string, string>>;
}
