import type { JsonObject } from '../../../local/workflow/json.ts';
import { journey, restoredTo } from './keeping-journey.ts';
import { Life } from './life.ts';
import type { MaintenanceReport } from './outcomes.ts';
import type { Place } from './places.ts';
import { tryThenDo as tryThenDoIn } from './reports.ts';

export const DAY_MILLIS = 86_400_000;

/** @param source @default - a cluster on S3 that no other test uses */
export async function beginLife(source: Place = journey.takeS3()): Promise<Life> {
  const life = new Life(journey, source, restoredTo);
  await life.begin();
  return life;
}

/** A full, and an incremental that changed 'a': what the full stored of the others is of both. */
export async function liveTwoDays(source?: Place): Promise<{ life: Life; full: string; next: string }> {
  const life = await beginLife(source);
  return { life, full: await life.day('full'), next: await life.day('incremental', ['a']) };
}

/** First as a dry run, then in earnest; see support/reports.ts. */
export function tryThenDo(life: Life, action: string, more: JsonObject = {}): Promise<MaintenanceReport> {
  return tryThenDoIn(journey, life, action, more);
}
