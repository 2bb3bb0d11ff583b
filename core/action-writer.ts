import { BATCH_LIMITS, Cutter } from './batching.ts';
import { streamOf } from './draft-writer.ts';
import type { RankName } from './ids.ts';
import { gzipJsonLines } from './jsonl.ts';
import type { ObjectStore } from './ports/object-store.ts';
import type { PhasedAction, RestoreAction } from './restore-actions.ts';
import { RESTORE_PHASES, type RestorePhase } from './run.ts';
import type { RunKeys } from './work-layout.ts';

export type PhaseCounts = Record<RestorePhase, number>;

export const NO_COUNTS: Readonly<PhaseCounts> = { aside: 0, extras: 0, data: 0, activation: 0, directories: 0 };

interface OpenBatch {
  readonly cutter: Cutter;
  actions: RestoreAction[];
}

/** Writes the actions of one rank into batches, one open batch for each phase. */
export class ActionWriter {
  readonly #work: ObjectStore;
  readonly #keys: RunKeys;
  readonly #rank: RankName;
  readonly #id: string;
  readonly #open: ReadonlyMap<RestorePhase, OpenBatch>;
  readonly #batches: PhaseCounts = { ...NO_COUNTS };

  constructor(work: ObjectStore, keys: RunKeys, place: { readonly rank: RankName; readonly id: string }) {
    this.#work = work;
    this.#keys = keys;
    this.#rank = place.rank;
    this.#id = place.id;
    this.#open = new Map(RESTORE_PHASES.map((phase) => [phase, { cutter: new Cutter(BATCH_LIMITS), actions: [] }]));
  }

  async write({ phase, action }: PhasedAction): Promise<void> {
    const batch = this.#open.get(phase);
    if (batch?.cutter.startsNew({ sizeBytes: bytesOf(action) })) {
      await this.#flush(phase, batch);
    }
    batch?.actions.push(action);
  }

  /** @returns how many batches each phase has; their names are `<id>-<number>` */
  async close(): Promise<PhaseCounts> {
    for (const [phase, batch] of this.#open) {
      if (batch.actions.length > 0) {
        await this.#flush(phase, batch);
      }
    }
    return this.#batches;
  }

  async #flush(phase: RestorePhase, batch: OpenBatch): Promise<void> {
    const key = this.#keys.actions(phase, this.#rank, `${this.#id}-${this.#batches[phase]}`);
    await this.#work.putStream(key, gzipJsonLines(streamOf(batch.actions)));
    this.#batches[phase] += 1;
    batch.actions = [];
  }
}

/** Bytes that the action may move; renames and removals move none. */
export function bytesOf(action: RestoreAction): number {
  return action.action === 'place' || action.action === 'check' ? action.line.sizeBytes : 0;
}
