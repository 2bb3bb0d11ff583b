import type { LocalKineticaSwitches } from './switches.ts';

/** The cluster restarted or stopped under a hanging request: its client sees a broken connection. */
export class LocalKineticaGone extends Error {
  override readonly name = 'LocalKineticaGone';

  constructor() {
    super('The stand-in cluster went away while this request hung. Start it and send the request again.');
  }
}

export type LocalBackupMode = 'normal' | 'entering' | 'backing_up';

/**
 * Begin, end and the writes between them. Begin waits for running writes and holds back new ones; in backup mode writes
 * hang, they are not refused.
 */
export class BackupModeGate {
  readonly #switches: LocalKineticaSwitches;
  readonly #nowEpochMillis: () => number;
  #holds = 0;
  #entering = 0;
  #runningWrites = 0;
  /** Grows when everything that waits has to fail. */
  #generation = 0;
  #sinceEpochMillis: number | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(switches: LocalKineticaSwitches, nowEpochMillis: () => number) {
    this.#switches = switches;
    this.#nowEpochMillis = nowEpochMillis;
  }

  get mode(): LocalBackupMode {
    if (this.#holds > 0) return 'backing_up';
    return this.#entering > 0 ? 'entering' : 'normal';
  }

  /** When backup mode was reached; undefined outside of it. */
  get sinceEpochMillis(): number | undefined {
    return this.#sinceEpochMillis;
  }

  /** @param ready what else the begin has to wait for */
  async begin(ready: Promise<void>): Promise<'begun' | 'refused'> {
    if (this.mode !== 'normal' && this.#switches.nesting === 'refused') return 'refused';
    const generation = this.#generation;
    this.#entering += 1;
    this.#announce();
    await ready;
    return this.#when(
      () => this.#runningWrites === 0,
      () => this.#enter(),
      generation,
    );
  }

  async end(): Promise<'ended' | 'refused'> {
    const queued = this.#switches.endDuringBegin === 'waits';
    return this.#when(
      () => !queued || this.#entering === 0,
      () => this.#leave(),
    );
  }

  /** Returns when a write may start. It does not count as running: see `write`. */
  async pass(): Promise<void> {
    await this.#when(
      () => this.mode === 'normal',
      () => undefined,
    );
  }

  /** Returns when the mode is this one, or `backing_up`. */
  async reached(mode: 'entering' | 'backing_up'): Promise<void> {
    await this.#when(
      () => this.mode === mode || this.mode === 'backing_up',
      () => undefined,
    );
  }

  /** Runs a write that a begin waits for. */
  async write<T>(work: () => Promise<T>): Promise<T> {
    await this.#when(
      () => this.mode === 'normal',
      () => {
        this.#runningWrites += 1;
      },
    );
    try {
      return await work();
    } finally {
      this.#runningWrites -= 1;
      this.#announce();
    }
  }

  /** Breaks everything that waits. */
  reset(keepBackupMode: boolean): void {
    this.#generation += 1;
    this.#entering = 0;
    if (!keepBackupMode) {
      this.#holds = 0;
      this.#sinceEpochMillis = undefined;
    }
    this.#announce();
  }

  #enter(): 'begun' {
    this.#entering -= 1;
    this.#holds = this.#switches.nesting === 'counted' ? this.#holds + 1 : 1;
    this.#sinceEpochMillis ??= this.#nowEpochMillis();
    this.#announce();
    return 'begun';
  }

  #leave(): 'ended' | 'refused' {
    if (this.#holds === 0) return this.#switches.strayEnd === 'refused' ? 'refused' : 'ended';
    this.#holds -= 1;
    if (this.#holds === 0) this.#sinceEpochMillis = undefined;
    this.#announce();
    return 'ended';
  }

  /** Acts in the same turn in which the condition was seen to hold: between two turns a begin could come in. */
  async #when<T>(condition: () => boolean, act: () => T, generation = this.#generation): Promise<T> {
    while (generation === this.#generation && !condition()) await this.#changed.promise;
    if (generation !== this.#generation) throw new LocalKineticaGone();
    return act();
  }

  #announce(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }
}
