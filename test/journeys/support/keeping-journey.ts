import { afterAll, afterEach, beforeAll } from 'vitest';
import type { RankvaultConfigInput } from '../../../core/config/schema.ts';
import { resourceNamed } from '../../../local/laptop/synthesize.ts';
import { Journey, s3Url, urlIn } from './journey.ts';
import type { FilePlace, S3Place } from './places.ts';

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
/** Backups of the clusters `calm1`, ...: nothing expires of them, however long their tests take on the clock. */
const CALM = { keepDays: 36_500 };
/** How many of each there are. */
const EACH = 10;

beforeAll(async () => {
  const numbers = Array.from({ length: EACH }, (_, index) => index + 1);
  const backups = numbers.flatMap((number) => [
    [`brief${number}`, { retention: BRIEF }],
    [`lived${number}`, { retention: LIVED }],
    [`patient${number}`, { retention: PATIENT }],
    [`calm${number}`, { retention: CALM }],
  ]);
  journey = await Journey.start({ files: 12, s3: 44, clusters, backups: Object.fromEntries(backups) });
  scratch = journey.filePlace('scratch');
  restoredTo = journey.filePlace('restored');
});
afterEach(() => journey.calm());
afterAll(() => journey.close());

const taken = { brief: 0, lived: 0, patient: 0, calm: 0 };

/** A cluster of the kind that no other test uses. */
export function take(kind: keyof typeof taken): S3Place {
  taken[kind] += 1;
  if (taken[kind] > EACH) {
    throw new Error(`There are only ${EACH} clusters of the kind '${kind}': make more.`);
  }
  return journey.s3Place(`${kind}${taken[kind]}`);
}

/** As requests name their caller: for holds and faults. */
export function functionNamed(constructId: string): string {
  return resourceNamed(journey.laptop.assembly.functions, constructId).name;
}

function clusters(directory: string): RankvaultConfigInput['clusters'] {
  const named = ['brief', 'lived', 'patient', 'calm'].flatMap((kind) =>
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
