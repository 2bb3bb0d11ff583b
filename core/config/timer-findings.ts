import { problemOfSchedule } from './schedule-expression.ts';

/** When something starts by itself: the settings that schedules, verifications, drills and collections share. */
export function timerFindings(
  path: string,
  timer: { readonly expression: string; readonly timeZone: string },
): readonly string[] {
  const problem = problemOfSchedule(timer.expression);
  const zone = problemOfTimeZone(timer.timeZone);
  return [
    ...(problem === undefined ? [] : [`${path}.expression is '${timer.expression}'; it ${problem}`]),
    ...(zone === undefined ? [] : [`${path}.timeZone is '${timer.timeZone}'; ${zone}`]),
  ];
}

/** Offsets and other spellings are fine for Intl, and refused by EventBridge Scheduler, which compares names exactly. */
function problemOfTimeZone(timeZone: string): string | undefined {
  const known = /^[A-Za-z]/.test(timeZone) ? canonicalTimeZone(timeZone) : undefined;
  if (known === undefined) {
    return "it must be a name of the IANA time zone database, like 'Europe/Berlin'";
  }
  const sameButForCase = known !== timeZone && known.toLowerCase() === timeZone.toLowerCase();
  return sameButForCase ? `write '${known}'` : undefined;
}

function canonicalTimeZone(timeZone: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}
