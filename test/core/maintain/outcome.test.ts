import { describe, expect, it } from 'vitest';
import { plainJsonLines } from '../../../core/jsonl.ts';
import { deletedBatchKey } from '../../../core/maintain/deletions.ts';
import { readOutcome } from '../../../core/maintain/outcome.ts';
import { batchesOfSurvey, NOTHING_SURVEYED, surveyedKey } from '../../../core/maintain/survey.ts';
import type { Unit } from '../../../core/maintain/units.ts';
import { type MaintainRun, maintainRunSchema } from '../../../core/run.ts';
import { createJson } from '../../../core/stored-json.ts';
import { RunKeys } from '../../../core/work-layout.ts';
import { InMemoryObjectStore } from '../../support/in-memory-object-store.ts';
import { MaintainHistory } from '../../support/maintain-history.ts';

const DIRECTORY = 'snapshot.2026-01-31.22-00-00';
const UNITS = 400;
const keys = new RunKeys('Maintain', 'counted');

/** Answers a reading only when nobody asks for another one any more, so that whoever waits for each has but one under way. */
class CountingStore extends InMemoryObjectStore {
  counting = false;
  most = 0;
  rounds = 0;
  #waiting: (() => void)[] = [];

  override async get(key: string) {
    if (this.counting) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        this.most = Math.max(this.most, this.#waiting.length);
        if (this.#waiting.length === 1) {
          setImmediate(() => this.#answerAll());
        }
      });
    }
    return super.get(key);
  }

  #answerAll(): void {
    this.rounds += 1;
    const answered = this.#waiting;
    this.#waiting = [];
    for (const answer of answered) {
      answer();
    }
  }
}

function unitOf(index: number): Unit {
  return { task: 'free', backup: 'prod', directory: DIRECTORY, part: `rank-${index}`, dead: true, referrers: [] };
}

async function surveyed(run: Pick<MaintainRun, 'unitsKey'>): Promise<CountingStore> {
  const work = new CountingStore();
  async function* items() {
    for (let index = 0; index < UNITS; index += 1) {
      yield { unit: unitOf(index) };
    }
  }
  await work.putStream(run.unitsKey, plainJsonLines(items()));
  for (let index = 0; index < UNITS; index += 1) {
    const unit = unitOf(index);
    const pieces = [{ id: 'a', batches: index % 3 }];
    const totals = { ...NOTHING_SURVEYED, freeParts: 10, freeBytes: 20 };
    const survey = { formatVersion: 1 as const, pieces, totals };
    await createJson(work, surveyedKey(keys, unit), survey);
    for (const batch of batchesOfSurvey(unit, survey)) {
      const refused = { parts: 1, bytes: 2, markers: 0, catalogObjects: 0, until: '2026-02-01T00:00:00.000Z' };
      await createJson(work, deletedBatchKey(keys, batch), { formatVersion: 1 as const, refused });
    }
  }
  return work;
}

describe('the outcome of many units', () => {
  it('is read 32 at a time, and not one unit after the other', async () => {
    const history = new MaintainHistory();
    const { snapshot } = await history.take('full');
    await history.take('full');
    const answer = await history.world.planMaintenance({ action: 'purge', snapshot, immediately: true });
    const planned = maintainRunSchema.parse(answer.outcome === 'planned' ? answer.run : undefined);
    const run = { ...planned, units: UNITS };
    const work = await surveyed(run);
    work.counting = true;
    const directories = [{ backup: 'prod', directory: DIRECTORY, dead: true, referrers: [] }];
    const plan = { formatVersion: 1 as const, units: UNITS, hidden: [], orphans: 0, directories, staleHolds: [] };
    const { report, leftovers } = await readOutcome({ work, keys }, run, plan);
    // 0, 1, 2 batches in turn, each with one refused: 399 of 4000.
    expect(report).toMatchObject({ frees: { parts: 3601, bytes: 7202 }, locked: { parts: 399, bytes: 798 } });
    expect(leftovers).toMatchObject([{ locked: true, lockedUntil: '2026-02-01T00:00:00.000Z' }]);
    expect(work.most).toBeGreaterThanOrEqual(32);
    expect(work.most).toBeLessThanOrEqual(64);
    expect(work.rounds).toBeLessThan(UNITS / 4);
  });
});
