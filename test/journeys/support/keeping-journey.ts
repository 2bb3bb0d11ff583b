import { afterAll, afterEach, beforeAll } from 'vitest';
import type { RankvaultConfigInput } from '../../../core/config/schema.ts';
import { resourceNamed } from '../../../local/laptop/synthesize.ts';
import { Journey, s3Url, urlIn } from './journey.ts';
import type { FilePlace } from './places.ts';

/** The laptop of the journeys that keep, trust and kill: small, because some of them put its buckets back again and again. */
export let journey: Journey;

/** Where drills restore to. */
export let scratch: FilePlace;
/** Where oracles restore to, one test after the other. */
export let restoredTo: FilePlace;

/** Backups of the clusters `brief1`, `brief2`, ...: what retention does not keep goes at once, with its bytes. */
export const BRIEF = { keepFulls: 1, keepDays: 1, undeleteDays: 0 } as const;
/** Backups of the clusters `lived1`, `lived2`, ...: short enough for a history of days. */
export const LIVED = { keepFulls: 2, keepDays: 2, keepDaily: 3, undeleteDays: 2 } as const;
/** Backups of the clusters `patient1`, ...: what dies and is run again takes hours on the clock, and must not take the window. */
const PATIENT = { undeleteDays: 700 };
/** How many of each there are. */
const EACH = 6;

beforeAll(async () => {
  const numbers = Array.from({ length: EACH }, (_, index) => index + 1);
  const backups = numbers.flatMap((number) => [
    [`brief${number}`, { retention: BRIEF }],
    [`lived${number}`, { retention: LIVED }],
    [`patient${number}`, { retention: PATIENT }],
  ]);
  journey = await Journey.start({ files: 12, s3: 44, clusters, backups: Object.fromEntries(backups) });
  scratch = journey.filePlace('scratch');
  restoredTo = journey.filePlace('restored');
});
afterEach(() => journey.calm());
afterAll(() => journey.close());

/** As requests name their caller: for holds and faults. */
export function functionNamed(constructId: string): string {
  return resourceNamed(journey.laptop.assembly.functions, constructId).name;
}

function clusters(directory: string): RankvaultConfigInput['clusters'] {
  const named = ['brief', 'lived', 'patient'].flatMap((kind) =>
    Array.from({ length: EACH }, (_, index) => [`${kind}${index + 1}`, onS3(`${kind}${index + 1}`)]),
  );
  return {
    ...Object.fromEntries(named),
    scratch: {
      control: { kind: 'none' },
      scratch: true,
      roots: [{ name: 'persist', url: urlIn(directory, 'scratch') }],
    },
    // Its directory is never made.
    no_scratch: {
      control: { kind: 'none' },
      scratch: true,
      roots: [{ name: 'persist', url: urlIn(directory, 'none') }],
    },
    restored: { control: { kind: 'none' }, roots: [{ name: 'persist', url: urlIn(directory, 'restored') }] },
  };
}

function onS3(cluster: string): RankvaultConfigInput['clusters'][string] {
  return { control: { kind: 'none' }, roots: [{ name: 'persist', url: s3Url(cluster) }] };
}
