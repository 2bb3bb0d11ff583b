import { epochMillisOfIso } from '../utc.ts';
import { drillFindings } from './drill-findings.ts';
import { namesDifferingInCase } from './names.ts';
import type { BackupConfig, ClusterConfig, RetentionConfig, ScheduleConfig } from './schema.ts';
import { timerFindings } from './timer-findings.ts';

/** 36,500: the most days that S3 takes for a retention period (S3 user guide, Object Lock). */
export const MOST_DAYS = 36_500;
/** More than eleven years of hours: retention reads every record that it keeps, at each run. */
const MOST_KEPT = 100_000;
/** A run writes a tombstone for each, one after the other, within the 15 minutes of a Lambda. */
const MOST_EXPIRED = 1_000;

export function backupFindings(
  path: string,
  backup: BackupConfig,
  clusters: Readonly<Record<string, ClusterConfig>>,
): readonly string[] {
  return [
    ...clusterOfBackupFindings(`${path}.cluster`, backup.cluster, clusters),
    ...retentionFindings(`${path}.retention`, backup.retention),
    ...namesDifferingInCase(
      `${path}.schedules`,
      backup.schedules.map((schedule) => schedule.name),
    ),
    ...backup.schedules.flatMap((schedule, index) => scheduleFindings(`${path}.schedules[${index}]`, schedule)),
    ...timerFindings(`${path}.verify.present`, backup.verify.present),
    ...timerFindings(`${path}.verify.read`, backup.verify.read),
    ...drillFindings(`${path}.verify.drills`, backup, clusters),
    ...timerFindings(`${path}.maintain.collect`, backup.maintain.collect),
  ];
}

function clusterOfBackupFindings(
  path: string,
  name: string,
  clusters: Readonly<Record<string, ClusterConfig>>,
): readonly string[] {
  const cluster = clusters[name];
  if (cluster === undefined) {
    return [`${path} names '${name}'; known clusters: ${Object.keys(clusters).sort().join(', ') || 'none'}`];
  }
  return cluster.scratch ? [`${path} names '${name}', which is scratch: a drill may overwrite what it holds`] : [];
}

function retentionFindings(path: string, retention: RetentionConfig): readonly string[] {
  return Object.entries(retention).flatMap(([setting, value]) => {
    const [most, why] = mostOf(setting);
    return value > most ? [`${path}.${setting} is ${value}; it must be at most ${most}${why}`] : [];
  });
}

function mostOf(setting: string): readonly [most: number, why: string] {
  switch (setting) {
    case 'keepDays':
    case 'undeleteDays':
      return [MOST_DAYS, ', a hundred years'];
    case 'maxExpirePerRun':
      return [MOST_EXPIRED, ''];
    default:
      return [MOST_KEPT, ''];
  }
}

function scheduleFindings(path: string, schedule: ScheduleConfig): readonly string[] {
  const { startDate } = schedule;
  return [
    ...timerFindings(path, schedule),
    ...(startDate === undefined || isInstant(startDate)
      ? []
      : [`${path}.startDate is '${startDate}'; it must be a time with its zone, like '2027-01-31T02:00:00Z'`]),
  ];
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
