import type { Checkpoint } from '../../../local/s3/store/checkpoint.ts';
import type { JsonObject } from '../../../local/workflow/json.ts';
import { journey, restoredTo, take } from './keeping-journey.ts';
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

export interface TwoDays {
  readonly life: Life;
  readonly full: string;
  readonly next: string;
}

/**
 * A full, and an incremental that changed 'a': what the full stored of the others is of both. Lived once; whoever comes later finds every
 * bucket as it was then, and a later date.
 */
export const twoDays = livedOnce(() => liveTwoDays(take('calm')));

/** The same, and another full that changed 'b'. */
export const threeDays = livedOnce(async () => {
  const lived = await liveTwoDays(take('calm'));
  await lived.life.day('full', ['b']);
  return lived;
});

/** Two days of a backup of one's own, where dates count. */
export async function liveTwoDays(source?: Place): Promise<TwoDays> {
  const life = await beginLife(source);
  return { life, full: await life.day('full'), next: await life.day('incremental', ['a']) };
}

function livedOnce(live: () => Promise<TwoDays>): () => Promise<TwoDays> {
  let lived: { readonly days: TwoDays; readonly world: Checkpoint } | undefined;
  return async () => {
    lived ??= { days: await live(), world: journey.laptop.s3.checkpoint() };
    lived.world.restore();
    await restoredTo.wipe();
    const { life, full, next } = lived.days;
    return { life: new Life(journey, life.source, restoredTo, life.oracle.copy()), full, next };
  };
}

/** First as a dry run, then in earnest; see support/reports.ts. */
export function tryThenDo(life: Life, action: string, more: JsonObject = {}): Promise<MaintenanceReport> {
  return tryThenDoIn(journey, life, action, more);
}
