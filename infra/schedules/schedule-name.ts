import { createHash } from 'node:crypto';

/** 64: the most characters that EventBridge Scheduler takes for a name (CreateSchedule). */
const LONGEST_NAME = 64;
const DIGEST_LENGTH = 8;

/**
 * `<backup>-<schedule>`. Neither name holds a hyphen, so no two pairs make the same text; one that is too long is cut and gets
 * a digest of the whole, after a dot, which no uncut name has.
 */
export function scheduleName(backup: string, schedule: string): string {
  return cut(`${backup}-${schedule}`);
}

/** What is started beside snapshots. */
export type Timer =
  | { readonly kind: 'verify-present' | 'verify-read' | 'collect' }
  | { readonly kind: 'drill'; readonly name: string };

/** `<backup>-timer-verify-read`, `<backup>-timer-drill-<name>`: with a second hyphen, so that no snapshot's schedule is called the same. */
export function timerName(backup: string, timer: Timer): string {
  return cut(`${backup}-timer-${timer.kind === 'drill' ? `drill-${timer.name}` : timer.kind}`);
}

function cut(name: string): string {
  if (name.length <= LONGEST_NAME) {
    return name;
  }
  const digest = createHash('sha256').update(name).digest('hex').slice(0, DIGEST_LENGTH);
  return `${name.slice(0, LONGEST_NAME - DIGEST_LENGTH - 1)}.${digest}`;
}
