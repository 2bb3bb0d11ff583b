import { epochMillisOfIso } from '../utc.ts';
import { namesDifferingInCase } from './names.ts';
import { problemOfSchedule } from './schedule-expression.ts';
import type { BackupConfig, ScheduleConfig } from './schema.ts';

/** 36,500: the most days that S3 takes for a retention period (S3 user guide, Object Lock). */
export const MOST_DAYS = 36_500;

export function backupFindings(path: string, backup: BackupConfig, clusters: readonly string[]): readonly string[] {
  const findings: string[] = [];
  if (!clusters.includes(backup.cluster)) {
    findings.push(
      `${path}.cluster names '${backup.cluster}'; known clusters: ${clusters.toSorted().join(', ') || 'none'}`,
    );
  }
  if (backup.retention.keepDays > MOST_DAYS) {
    findings.push(
      `${path}.retention.keepDays is ${backup.retention.keepDays}; it must be at most ${MOST_DAYS}, a hundred years`,
    );
  }
  const names = backup.schedules.map((schedule) => schedule.name);
  return [
    ...findings,
    ...namesDifferingInCase(`${path}.schedules`, names),
    ...backup.schedules.flatMap((schedule, index) => scheduleFindings(`${path}.schedules[${index}]`, schedule)),
  ];
}

function scheduleFindings(path: string, schedule: ScheduleConfig): readonly string[] {
  const findings: string[] = [];
  const problem = problemOfSchedule(schedule.expression);
  if (problem !== undefined) {
    findings.push(`${path}.expression is '${schedule.expression}'; it ${problem}`);
  }
  const zone = problemOfTimeZone(schedule.timeZone);
  if (zone !== undefined) {
    findings.push(`${path}.timeZone is '${schedule.timeZone}'; ${zone}`);
  }
  if (schedule.startDate !== undefined && !isInstant(schedule.startDate)) {
    findings.push(
      `${path}.startDate is '${schedule.startDate}'; it must be a time with its zone, like '2027-01-31T02:00:00Z'`,
    );
  }
  return findings;
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

function isInstant(text: string): boolean {
  const date = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.exec(text)?.[1];
  if (date === undefined || epochMillisOfIso(text) === undefined) {
    return false;
  }
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  return day <= daysOfMonth(year, month);
}

function daysOfMonth(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
}
