import fc from 'fast-check';
import { test } from 'vitest';
import { History } from './support/history.ts';
import { journey, LIVED, restoredTo, take } from './support/keeping-journey.ts';
import { Life } from './support/life.ts';
import { history } from './support/steps.ts';
import { expectNothingLeftOver } from './support/vault-contents.ts';

/**
 * RANKVAULT_HISTORIES=200 lives so many, and RANKVAULT_SEED begins elsewhere. A failure prints its seed; with that and
 * RANKVAULT_HISTORIES as it was it fails again.
 */
const HISTORIES = Number(process.env['RANKVAULT_HISTORIES'] ?? 1);
const SEED = Number(process.env['RANKVAULT_SEED'] ?? 20_261_123);

test('in any history of snapshots, removals, merges, damage and deaths every moment that must be there can be gone back to', {
  timeout: 300_000 + HISTORIES * 120_000,
}, async () => {
  const source = take('lived');
  const world = journey.laptop.s3.checkpoint();
  const property = fc.asyncProperty(history, async (steps) => {
    world.restore();
    const life = new Life(journey, source, restoredTo);
    await life.begin();
    const lived = new History(journey, life, LIVED);
    try {
      for (const step of steps) {
        await lived.take(step);
      }
      const kept = await lived.end();
      await expectNothingLeftOver(journey.laptop, life.backup, kept);
    } catch (error) {
      throw new Error(`${error}\nAfter:\n${lived.told.join('\n')}`, { cause: error });
    }
  });
  await fc.assert(property, { numRuns: HISTORIES, seed: SEED, endOnFailure: true });
  world.restore();
  world.release();
});
