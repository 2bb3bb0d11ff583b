import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../core/config/validate.ts';
import {
  findingsOf,
  PROD_SYSTEM,
  VALID,
  withBackup,
  withDrills,
  withScratch,
  withVault,
  withVerify,
} from './builders.ts';

const CRON = 'minutes hours day-of-month month day-of-week year';

/** What is wrong, the configuration, and the one finding that it gives. */
const CORPUS: readonly (readonly [string, unknown, string])[] = [
  // Retention
  [
    'no fulls kept',
    withBackup({ retention: { keepFulls: 0 } }),
    'backups.prod_system.retention.keepFulls is 0; it must be more than 0',
  ],
  [
    'part of a day kept',
    withBackup({ retention: { keepDays: 1.5 } }),
    'backups.prod_system.retention.keepDays is 1.5; it must be a whole number',
  ],
  [
    'more days kept than a century has',
    withBackup({ retention: { keepDays: 40_000 } }),
    'backups.prod_system.retention.keepDays is 40000; it must be at most 36500, a hundred years',
  ],
  [
    'more fulls kept than anybody reads',
    withBackup({ retention: { keepFulls: 100_001 } }),
    'backups.prod_system.retention.keepFulls is 100001; it must be at most 100000',
  ],
  [
    'more hours kept than anybody reads',
    withBackup({ retention: { keepHourly: 100_001 } }),
    'backups.prod_system.retention.keepHourly is 100001; it must be at most 100000',
  ],
  [
    'less than no weeks kept',
    withBackup({ retention: { keepWeekly: -1 } }),
    'backups.prod_system.retention.keepWeekly is -1; it must be at least 0',
  ],
  [
    'more days to undelete than a century has',
    withBackup({ retention: { undeleteDays: 36_501 } }),
    'backups.prod_system.retention.undeleteDays is 36501; it must be at most 36500, a hundred years',
  ],
  [
    'a run that expires too much for one run',
    withBackup({ retention: { maxExpirePerRun: 1001 } }),
    'backups.prod_system.retention.maxExpirePerRun is 1001; it must be at most 1000',
  ],
  [
    'runs that expire nothing',
    withBackup({ retention: { maxExpirePerRun: 0 } }),
    'backups.prod_system.retention.maxExpirePerRun is 0; it must be more than 0',
  ],
  [
    'an unknown reason to keep',
    withBackup({ retention: { keepYearly: 7 } }),
    "backups.prod_system.retention has 'keepYearly', which is no setting of Rankvault",
  ],
  // Verification, drills, maintenance
  [
    'a weekly verification at no time',
    withVerify({ present: { expression: 'weekly' } }),
    `backups.prod_system.verify.present.expression is 'weekly'; it must be cron(${CRON}) or rate(value unit), like 'cron(0 2 * * ? *)'`,
  ],
  [
    'a verification that says only where it is noon',
    withVerify({ present: { timeZone: 'UTC' } }),
    'backups.prod_system.verify.present.expression is missing',
  ],
  [
    'a nightly verification in no time zone',
    withVerify({ read: { expression: 'rate(1 day)', timeZone: 'Berlin', budget: { parts: 1 } } }),
    "backups.prod_system.verify.read.timeZone is 'Berlin'; it must be a name of the IANA time zone database, like 'Europe/Berlin'",
  ],
  [
    'a nightly verification without a budget',
    withVerify({ read: { expression: 'rate(1 day)' } }),
    'backups.prod_system.verify.read.budget is missing',
  ],
  [
    'a budget without a limit',
    withVerify({ read: { expression: 'rate(1 day)', budget: {} } }),
    'backups.prod_system.verify.read.budget is empty; it must have parts, bytes or dollars',
  ],
  [
    'a budget for nothing',
    withVerify({ read: { expression: 'rate(1 day)', budget: { dollars: 0 } } }),
    'backups.prod_system.verify.read.budget.dollars is 0; it must be more than 0',
  ],
  [
    'a budget in another currency',
    withVerify({ read: { expression: 'rate(1 day)', budget: { parts: 1, euros: 1 } } }),
    "backups.prod_system.verify.read.budget has 'euros', which is no setting of Rankvault",
  ],
  [
    'a collection in a time zone in the wrong case',
    withBackup({ maintain: { collect: { expression: 'rate(7 days)', timeZone: 'utc' } } }),
    "backups.prod_system.maintain.collect.timeZone is 'utc'; write 'UTC'",
  ],
  [
    'a collection that never comes',
    withBackup({ maintain: { collect: { expression: 'cron(0 0 31 2 ? *)' } } }),
    "backups.prod_system.maintain.collect.expression is 'cron(0 0 31 2 ? *)'; it never fires: no such day in these months",
  ],
  [
    'drills that differ in case',
    withDrills({}, { name: 'Monthly' }),
    "backups.prod_system.verify.drills has 'monthly' and 'Monthly', which differ only in case",
  ],
  [
    'a drill at no time',
    withDrills({}, { name: 'second', expression: 'rate(1 days)' }),
    "backups.prod_system.verify.drills[1].expression is 'rate(1 days)'; it must say '1 day'",
  ],
  [
    'a drill into an unknown cluster',
    withDrills({ cluster: 'prdo' }),
    "backups.prod_system.verify.drills[0].cluster names 'prdo'; known clusters: dr, prod, scratch",
  ],
  [
    'a drill into a cluster that nobody gave up',
    withDrills({ cluster: 'dr' }),
    "backups.prod_system.verify.drills[0].cluster names 'dr', which a drill would overwrite; if it may, give that cluster 'scratch: true'",
  ],
  [
    'a drill into the very cluster of the backup',
    withDrills({ cluster: 'prod' }),
    "backups.prod_system.verify.drills[0].cluster names 'prod', which a drill would overwrite; if it may, give that cluster 'scratch: true'",
  ],
  [
    'a backup of a scratch cluster',
    {
      ...withDrills({}),
      backups: { prod_system: PROD_SYSTEM, scratch_system: { ...PROD_SYSTEM, cluster: 'scratch' } },
    },
    "backups.scratch_system.cluster names 'scratch', which is scratch: a drill may overwrite what it holds",
  ],
  [
    'a drill into a cluster of another kind',
    withScratch({ source: { kind: 'kagent', path: 's3://scratch-kagent' } }),
    "backups.prod_system.verify.drills[0].cluster names 'scratch', whose source is 'kagent'; snapshots of 'files' cannot be restored there",
  ],
  [
    'a drill into a cluster that has several roots, and not the one that is needed',
    withScratch({
      roots: [
        { name: 'a', url: 's3://scratch-data/a' },
        { name: 'b', url: 's3://scratch-data/b' },
      ],
    }),
    "backups.prod_system.verify.drills[0].cluster names 'scratch', which has no root 'persist' to restore into",
  ],
  // Locks
  [
    'locks that together last for more than a century',
    withVault({ objectLock: { mode: 'COMPLIANCE', retainDays: 36_500, chainDays: 1 } }),
    'vault.objectLock.retainDays and chainDays are 36500 and 1; together they must be at most 36500, a hundred years',
  ],
  [
    'a lock that ends before what it is for',
    withVault({ objectLock: { mode: 'COMPLIANCE', retainDays: 30, chainDays: 0 } }),
    'vault.objectLock.chainDays is 0; it must be more than 0',
  ],
];

describe('settings of what is kept and looked after, with', () => {
  test.each(CORPUS)('%s are refused in words that say where and why', (_, config, finding) => {
    expect(findingsOf(config)).toEqual([finding]);
  });

  test.each([
    ['a drill into a scratch cluster', withDrills({})],
    ['two drills of two names', withDrills({}, { name: 'weekly', expression: 'rate(7 days)' })],
    ['a drill into a single root of another name', withScratch({ roots: [{ name: 'all', url: 's3://scratch-data' }] })],
    ['a scratch cluster that no drill uses', { ...VALID, clusters: withDrills({}).clusters }],
    ['the longest lock there is', withVault({ objectLock: { mode: 'GOVERNANCE', retainDays: 36_499, chainDays: 1 } })],
    ['locks that end before retention', withVault({ objectLock: { mode: 'GOVERNANCE', retainDays: 1 } })],
  ])('%s are fine', (_, config) => {
    expect(findingsOf(config)).toEqual([]);
  });
});

describe('settings that are left out', () => {
  test('have the same defaults whether one or all of them are', () => {
    const whole = parseConfig(VALID).backups['prod_system'];
    const parts = parseConfig(withBackup({ retention: {}, verify: {}, maintain: {}, options: {} })).backups[
      'prod_system'
    ];
    expect(parts).toEqual(whole);
    const locked = parseConfig(withVault({ objectLock: { mode: 'GOVERNANCE', retainDays: 30 } }));
    expect(locked.vault.objectLock?.chainDays).toBe(14);
  });
});
