import { describe, expect, test } from 'vitest';
import { defineConfig, parseConfig } from '../../../core/config/validate.ts';
import { ConfigInvalid } from '../../../core/errors.ts';
import {
  DR,
  findingsOf,
  MOUNT,
  NETWORK,
  NIGHTLY,
  PROD,
  PROD_SYSTEM,
  VALID,
  withBackup,
  withControl,
  withProd,
  withRoot,
  withSchedule,
  withVault,
} from './builders.ts';

const onMount = { network: NETWORK, mount: MOUNT };
const CRON = 'minutes hours day-of-month month day-of-week year';

/** What is wrong, the configuration, and the one finding that it gives. */
const CORPUS: readonly (readonly [string, unknown, string])[] = [
  // The whole
  ['no object', 'prod', "the configuration is 'prod'; it must be an object"],
  ['nothing', undefined, 'the configuration is missing'],
  [
    'an unknown setting',
    { ...VALID, snapshots: {} },
    "the configuration has 'snapshots', which is no setting of Rankvault",
  ],
  ['no clusters at all', { backups: {} }, 'clusters is missing'],
  ['not a single cluster', { clusters: {}, backups: {} }, 'clusters is empty; name at least one cluster'],
  [
    'a deployment that names no stack',
    { ...VALID, deployment: 'my_vault' },
    "deployment is 'my_vault', which cannot begin the name of a stack; leave out the '_'",
  ],
  [
    'an address that is none',
    { ...VALID, alerts: { emails: ['operations'] } },
    "alerts.emails[0] is 'operations', which is no e-mail address",
  ],
  // Names
  [
    'a cluster name with a hyphen',
    { ...VALID, clusters: { ...VALID.clusters, 'us-east': DR } },
    'clusters.us-east must begin with a letter and hold only letters, digits and "_", 63 characters at most',
  ],
  [
    'a backup that would lie in the catalog',
    { ...VALID, backups: { '.rankvault': PROD_SYSTEM } },
    'backups..rankvault must begin with a letter and hold only letters, digits and "_", 63 characters at most',
  ],
  [
    'a name of 64 characters',
    { ...VALID, backups: { ['b'.repeat(64)]: PROD_SYSTEM } },
    `backups.${'b'.repeat(64)} must begin with a letter and hold only letters, digits and "_", 63 characters at most`,
  ],
  [
    'clusters that differ in case',
    { ...VALID, clusters: { ...VALID.clusters, Dr: { ...DR, roots: [{ name: 'persist', url: 's3://other' }] } } },
    "clusters has 'dr' and 'Dr', which differ only in case",
  ],
  [
    'backups that differ in case',
    { ...VALID, backups: { daily: PROD_SYSTEM, DAILY: PROD_SYSTEM } },
    "backups has 'daily' and 'DAILY', which differ only in case",
  ],
  // Backups
  [
    'an unknown cluster',
    withBackup({ cluster: 'prdo' }),
    "backups.prod_system.cluster names 'prdo'; known clusters: dr, prod",
  ],
  [
    'an unknown kind of backup',
    withBackup({ kind: 'table' }),
    "backups.prod_system.kind is 'table'; it must be 'system'",
  ],
  [
    'too many copies at a time',
    withBackup({ options: { copyConcurrency: 1001 } }),
    'backups.prod_system.options.copyConcurrency is 1001; it must be at most 1000',
  ],
  [
    'no time to quiesce',
    withBackup({ options: { maxQuiesceMinutes: 0 } }),
    'backups.prod_system.options.maxQuiesceMinutes is 0; it must be more than 0',
  ],
  // Schedules
  [
    'schedules of one name',
    withBackup({ schedules: [NIGHTLY, { ...NIGHTLY, type: 'full' }] }),
    "backups.prod_system.schedules has 'nightly' twice",
  ],
  [
    'schedules that differ in case',
    withBackup({ schedules: [NIGHTLY, { ...NIGHTLY, name: 'Nightly' }] }),
    "backups.prod_system.schedules has 'nightly' and 'Nightly', which differ only in case",
  ],
  [
    'an unknown type',
    withSchedule({ type: 'partial' }),
    "backups.prod_system.schedules[0].type is 'partial'; it must be 'full', 'incremental' or 'differential'",
  ],
  [
    'a cron of five fields',
    withSchedule({ expression: 'cron(0 2 * * *)' }),
    `backups.prod_system.schedules[0].expression is 'cron(0 2 * * *)'; it has 5 fields; it needs six, each one space apart: ${CRON}`,
  ],
  [
    'an expression that is neither',
    withSchedule({ expression: '0 2 * * ? *' }),
    `backups.prod_system.schedules[0].expression is '0 2 * * ? *'; it must be cron(${CRON}) or rate(value unit), like 'cron(0 2 * * ? *)'`,
  ],
  [
    'a time zone that is an offset',
    withSchedule({ timeZone: '+01:00' }),
    "backups.prod_system.schedules[0].timeZone is '+01:00'; it must be a name of the IANA time zone database, like 'Europe/Berlin'",
  ],
  [
    'a time zone that does not exist',
    withSchedule({ timeZone: 'Europe/Bonn' }),
    "backups.prod_system.schedules[0].timeZone is 'Europe/Bonn'; it must be a name of the IANA time zone database, like 'Europe/Berlin'",
  ],
  [
    'a time zone in the wrong case',
    withSchedule({ timeZone: 'europe/berlin' }),
    "backups.prod_system.schedules[0].timeZone is 'europe/berlin'; write 'Europe/Berlin'",
  ],
  [
    'a window longer than a day',
    withSchedule({ flexibleWindowMinutes: 1441 }),
    'backups.prod_system.schedules[0].flexibleWindowMinutes is 1441; it must be at most 1440',
  ],
  [
    'a start date without a zone',
    withSchedule({ startDate: '2027-01-31T02:00:00' }),
    "backups.prod_system.schedules[0].startDate is '2027-01-31T02:00:00'; it must be a time with its zone, like '2027-01-31T02:00:00Z'",
  ],
  [
    'a start date that no calendar has',
    withSchedule({ startDate: '2027-02-30T02:00:00Z' }),
    "backups.prod_system.schedules[0].startDate is '2027-02-30T02:00:00Z'; it must be a time with its zone, like '2027-01-31T02:00:00Z'",
  ],
  [
    '"yes" for true',
    withSchedule({ enabled: 'yes' }),
    "backups.prod_system.schedules[0].enabled is 'yes'; it must be true or false",
  ],
  // Sources and roots
  [
    'files without roots',
    withProd({ roots: [] }),
    "clusters.prod.roots is empty; a cluster whose source is 'files' needs at least one root",
  ],
  [
    'an unknown source',
    withProd({ source: { kind: 'nfs' } }),
    "clusters.prod.source.kind is not one that Rankvault knows; it must be 'files' or 'kagent'",
  ],
  ['KAgent without its path', withProd({ source: { kind: 'kagent' } }), 'clusters.prod.source.path is missing'],
  [
    'roots of one name',
    withProd({
      roots: [
        { name: 'a', url: 's3://one' },
        { name: 'a', url: 's3://two' },
      ],
    }),
    "clusters.prod.roots has 'a' twice",
  ],
  [
    'roots that differ in case',
    withProd({
      roots: [
        { name: 'a', url: 's3://one' },
        { name: 'A', url: 's3://two' },
      ],
    }),
    "clusters.prod.roots has 'a' and 'A', which differ only in case",
  ],
  [
    'a root inside of another',
    withProd({
      roots: [
        { name: 'a', url: 's3://one/x' },
        { name: 'b', url: 's3://one/x/y' },
      ],
    }),
    'clusters.prod.roots[1].url overlaps with clusters.prod.roots[0].url; every root needs a place of its own',
  ],
  [
    'a root that is the whole bucket of another',
    withProd({
      roots: [
        { name: 'a', url: 's3://one/x' },
        { name: 'b', url: 's3://one' },
      ],
    }),
    'clusters.prod.roots[1].url overlaps with clusters.prod.roots[0].url; every root needs a place of its own',
  ],
  [
    'a root that two clusters share',
    withRoot({ url: 's3://dr-data/persist/' }),
    'clusters.dr.roots[0].url overlaps with clusters.prod.roots[0].url; every root needs a place of its own',
  ],
  [
    'a URL that is none',
    withRoot({ url: '/mnt/persist' }),
    "clusters.prod.roots[0].url is '/mnt/persist'; it must be s3://bucket/prefix or file:///absolute/path",
  ],
  [
    'a bucket in capitals',
    withRoot({ url: 's3://Prod-Data/persist' }),
    "clusters.prod.roots[0].url is 's3://Prod-Data/persist'; it must be s3://bucket/prefix or file:///absolute/path",
  ],
  [
    'a relative file URL',
    withRoot({ url: 'file://persist' }),
    "clusters.prod.roots[0].url is 'file://persist'; it must be s3://bucket/prefix or file:///absolute/path",
  ],
  [
    'a wildcard in a prefix',
    withRoot({ url: 's3://prod-data/*/persist' }),
    "clusters.prod.roots[0].url is 's3://prod-data/*/persist'; '*', '?' and '$' cannot be used in it",
  ],
  [
    'a prefix that climbs',
    withRoot({ url: 's3://prod-data/persist/../other' }),
    "clusters.prod.roots[0].url is 's3://prod-data/persist/../other'; it has an empty, '.' or '..' segment",
  ],
  [
    'a pattern without a rank',
    withRoot({ pattern: 'tom-{tom}' }),
    'clusters.prod.roots[0].pattern is not usable: Root pattern "tom-{tom}" must have exactly one {rank}.',
  ],
  [
    'a pattern with a rank that is fixed',
    withRoot({ rank: 3 }),
    'clusters.prod.roots[0].pattern is not usable: Root pattern "rank-{rank}/tom-{tom}" must not have {rank}, because the rank is fixed.',
  ],
  [
    'a pattern of KAgent with braces of its own',
    withProd({ source: { kind: 'kagent', path: 's3://kagent', pattern: 'rank-{rank}/{table}' } }),
    'clusters.prod.source.pattern is not usable: Root pattern "rank-{rank}/{table}" has braces that are neither {rank} nor {tom}.',
  ],
  ['a negative rank', withRoot({ rank: -1 }), 'clusters.prod.roots[0].rank is -1; it must be at least 0'],
  ['an empty exclude', withRoot({ exclude: [''] }), "clusters.prod.roots[0].exclude[0] is ''; it must not be empty"],
  [
    'a key that is no ARN',
    withRoot({ kmsKeyArn: 'alias/data' }),
    "clusters.prod.roots[0].kmsKeyArn is 'alias/data'; it must be the ARN of a KMS key",
  ],
  // Places on a mount
  [
    'a file root without a mount',
    withRoot({ url: 'file:///mnt/persist' }),
    "clusters.prod.roots[0].url is 'file:///mnt/persist'; a file:// place needs the cluster's 'mount'",
  ],
  [
    'a file root beside the mount',
    withProd({ ...onMount, roots: [{ name: 'a', url: 'file:///mnt/kinetica2/persist' }] }),
    "clusters.prod.roots[0].url is 'file:///mnt/kinetica2/persist', which is not below the mount at /mnt/kinetica",
  ],
  [
    'a path of KAgent without a mount',
    withProd({ roots: [], source: { kind: 'kagent', path: 'file:///backups' } }),
    "clusters.prod.source.path is 'file:///backups'; a file:// place needs the cluster's 'mount'",
  ],
  [
    'a mount without a network',
    withProd({ mount: MOUNT }),
    "clusters.prod.mount needs the cluster's 'network', where the file system is",
  ],
  [
    'a mount that Lambda does not take',
    withProd({ network: NETWORK, mount: { ...MOUNT, path: '/data' } }),
    "clusters.prod.mount.path is '/data'; it must be /mnt/<name>",
  ],
  [
    'a mount of something else',
    withProd({ network: NETWORK, mount: { ...MOUNT, accessPointArn: 'nfs.example.com:/data' } }),
    "clusters.prod.mount.accessPointArn is 'nfs.example.com:/data'; it must be the ARN of an EFS access point",
  ],
  [
    'a security group by its name',
    withProd({ network: { ...NETWORK, securityGroupIds: ['default'] } }),
    "clusters.prod.network.securityGroupIds[0] is 'default'; it must look like sg-0123456789abcdef0",
  ],
  [
    'a network without subnets',
    withProd({ network: { ...NETWORK, subnetIds: [] } }),
    'clusters.prod.network.subnetIds is a list of 0; it needs at least 1 entry',
  ],
  // Control
  [
    'a control URL of another scheme',
    withControl({ url: 'kinetica://head:9191' }),
    "clusters.prod.control.url is 'kinetica://head:9191'; it must be an http:// or https:// URL",
  ],
  [
    'a control URL that is none',
    withControl({ url: 'http://' }),
    "clusters.prod.control.url is 'http://'; it must be an http:// or https:// URL",
  ],
  [
    'a password in the URL',
    withControl({ url: 'https://admin:secret@kinetica.example.com' }),
    'clusters.prod.control.url holds a user or a password; put them into Secrets Manager and name the secret in clusters.prod.control.secret',
  ],
  [
    'a query in the URL',
    withControl({ url: 'https://kinetica.example.com/?a=1' }),
    'clusters.prod.control.url has a query or a fragment; leave it out',
  ],
  [
    'a secret instead of its name',
    withControl({ secret: '{"user":"admin","password":"secret"}' }),
    'clusters.prod.control.secret holds a secret; it must be the name or the ARN of one in Secrets Manager',
  ],
  [
    'a certificate that is none',
    withControl({ caPem: '/etc/ssl/ca.pem' }),
    'clusters.prod.control.caPem must be a PEM certificate, for an https:// URL',
  ],
  [
    'a certificate for plain http',
    withControl({ url: 'http://kinetica.example.com', caPem: '-----BEGIN CERTIFICATE-----' }),
    'clusters.prod.control.caPem must be a PEM certificate, for an https:// URL',
  ],
  [
    'a private address without a network',
    withControl({ url: 'http://10.0.0.5:9191' }),
    "clusters.prod.control.url is 'http://10.0.0.5:9191', which is reached from inside a network only; give the cluster its 'network'",
  ],
  [
    'this machine without a network',
    withControl({ url: 'http://localhost:9191' }),
    "clusters.prod.control.url is 'http://localhost:9191', which is reached from inside a network only; give the cluster its 'network'",
  ],
  // Topology
  [
    'a topology in another word',
    withProd({ topology: 'auto' }),
    "clusters.prod.topology must be 'discovered' or an object with the list 'ranks'",
  ],
  [
    'a topology without ranks',
    withProd({ topology: { ranks: [] } }),
    'clusters.prod.topology.ranks is a list of 0; it needs at least 1 entry',
  ],
  ['a rank twice', withProd({ topology: { ranks: [0, 1, 1] } }), 'clusters.prod.topology.ranks has 1 twice'],
  // Vault
  [
    'a lock of no days',
    withVault({ objectLock: { mode: 'COMPLIANCE', retainDays: 0 } }),
    'vault.objectLock.retainDays is 0; it must be more than 0',
  ],
  [
    'a lock of more than a century',
    withVault({ objectLock: { mode: 'COMPLIANCE', retainDays: 36_501 } }),
    'vault.objectLock.retainDays is 36501; it must be at most 36500, a hundred years',
  ],
  [
    'an unknown lock',
    withVault({ objectLock: { mode: 'compliance', retainDays: 30 } }),
    "vault.objectLock.mode is 'compliance'; it must be 'GOVERNANCE' or 'COMPLIANCE'",
  ],
  [
    'a class that is not readable in milliseconds',
    withVault({ transitions: [{ storageClass: 'DEEP_ARCHIVE', afterDays: 30 }] }),
    "vault.transitions[0].storageClass is 'DEEP_ARCHIVE'; it must be 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING' or 'GLACIER_IR'",
  ],
  [
    'infrequent access too early',
    withVault({ transitions: [{ storageClass: 'STANDARD_IA', afterDays: 7 }] }),
    'vault.transitions[0].afterDays is 7; STANDARD_IA takes objects after 30 days at the earliest',
  ],
  [
    'a class that S3 moves nothing to from there',
    withVault({
      transitions: [
        { storageClass: 'GLACIER_IR', afterDays: 30 },
        { storageClass: 'STANDARD_IA', afterDays: 90 },
      ],
    }),
    'vault.transitions[1].storageClass is STANDARD_IA; S3 does not move objects there from GLACIER_IR',
  ],
  [
    'infrequent access left too early',
    withVault({
      transitions: [
        { storageClass: 'STANDARD_IA', afterDays: 30 },
        { storageClass: 'GLACIER_IR', afterDays: 45 },
      ],
    }),
    'vault.transitions[1].afterDays is 45; after STANDARD_IA at 30 days it must be at least 60',
  ],
  [
    'an unknown removal policy',
    withVault({ removalPolicy: 'snapshot' }),
    "vault.removalPolicy is 'snapshot'; it must be 'retain' or 'destroy'",
  ],
];

describe('a configuration with', () => {
  test.each(CORPUS)('%s is refused in words that say where and why', (_, config, finding) => {
    expect(findingsOf(config)).toEqual([finding]);
  });
});

describe('a valid configuration', () => {
  test('has its defaults filled in', () => {
    const { deployment, vault, clusters, backups, alerts } = parseConfig(VALID);
    expect({ deployment, vault, alerts }).toEqual({
      deployment: 'rankvault',
      vault: { removalPolicy: 'retain', transitions: [] },
      alerts: { emails: [] },
    });
    expect(clusters['prod']).toMatchObject({ source: { kind: 'files' }, topology: 'discovered', scratch: false });
    expect(clusters['prod']?.roots[0]).toMatchObject({ pattern: 'rank-{rank}/tom-{tom}', exclude: [] });
    expect(backups['prod_system']).toMatchObject({
      retention: {
        keepFulls: 4,
        keepDays: 35,
        keepHourly: 0,
        keepDaily: 0,
        keepWeekly: 0,
        keepMonthly: 0,
        undeleteDays: 7,
        maxExpirePerRun: 30,
      },
      verify: {
        present: { expression: 'cron(0 6 ? * SUN *)', timeZone: 'UTC', enabled: true },
        read: { enabled: true, budget: { parts: 10_000, bytes: 53_687_091_200 } },
        drills: [],
      },
      maintain: { collect: { expression: 'cron(30 7 ? * SUN *)', enabled: true } },
      options: { maxQuiesceMinutes: 30, warmPass: true, copyConcurrency: 40, rankConcurrency: 40 },
      schedules: [{ timeZone: 'UTC', flexibleWindowMinutes: 0, enabled: true }],
    });
  });

  test.each([
    [
      'a private address in a network',
      withProd({ control: { kind: 'kinetica', url: 'http://10.0.0.5:9191' }, network: NETWORK }),
    ],
    [
      'file roots below the mount',
      withProd({ ...onMount, roots: [{ name: 'a', url: 'file:///mnt/kinetica/persist' }] }),
    ],
    [
      'KAgent without roots',
      withProd({ ...onMount, roots: [], source: { kind: 'kagent', path: 'file:///mnt/kinetica' } }),
    ],
    [
      'roots side by side',
      withProd({
        roots: [
          { name: 'a', url: 's3://one/x' },
          { name: 'b', url: 's3://one/xy' },
        ],
      }),
    ],
    ['a root of one rank', withRoot({ pattern: 'tom-{tom}', rank: 3 })],
    ['a time zone by another of its names', withSchedule({ timeZone: 'Asia/Calcutta' })],
    [
      'two steps down in storage classes',
      withVault({
        transitions: [
          { storageClass: 'STANDARD_IA', afterDays: 30 },
          { storageClass: 'GLACIER_IR', afterDays: 60 },
        ],
      }),
    ],
    ['no backups', { clusters: VALID.clusters, backups: {} }],
    ['a stopped cluster', withProd({ control: { kind: 'none' } })],
  ])('may have %s', (_, config) => {
    expect(findingsOf(config)).toEqual([]);
  });

  test('may have the same path on two mounts', () => {
    const roots = [{ name: 'a', url: 'file:///mnt/kinetica/persist' }];
    const other = { ...MOUNT, accessPointArn: `${MOUNT.accessPointArn}1` };
    const clusters = { prod: { ...PROD, ...onMount, roots }, dr: { ...DR, network: NETWORK, mount: other, roots } };
    expect(findingsOf({ clusters, backups: {} })).toEqual([]);
  });
});

describe('on a laptop', () => {
  const laptop = withProd({
    control: { kind: 'kinetica', url: 'http://127.0.0.1:9191' },
    roots: [{ name: 'a', url: 'file:///tmp/ranks' }],
  });

  test('clusters are on this machine, without mount and network', () => {
    expect(findingsOf(laptop, { laptop: true })).toEqual([]);
    expect(findingsOf(laptop)).toHaveLength(2);
  });

  test('everything else is checked as ever', () => {
    expect(findingsOf(withBackup({ cluster: 'prdo' }), { laptop: true })).toHaveLength(1);
  });
});

describe('an invalid configuration', () => {
  test('is told with every finding, one a line, and with what to do', () => {
    const config = { ...withBackup({ cluster: 'prdo' }), deployment: 'my_vault' };
    expect(() => parseConfig(config)).toThrow(ConfigInvalid);
    expect(() => parseConfig(config)).toThrow(
      [
        'The configuration is not valid:',
        "deployment is 'my_vault', which cannot begin the name of a stack; leave out the '_'",
        "backups.prod_system.cluster names 'prdo'; known clusters: dr, prod",
        ' Correct it in rankvault.config.ts, or in the file that you named.',
      ].join('\n'),
    );
  });

  test('never has a secret repeated in a message', () => {
    const findings = [
      ...findingsOf(withControl({ url: 'https://admin:hunter2@kinetica.example.com' })),
      ...findingsOf(withControl({ secret: '{"password":"hunter2"}' })),
      ...findingsOf(withControl({ url: 'kinetica://admin:hunter2@kinetica.example.com' })),
      ...findingsOf(withControl({ url: 'https://kinetica.example.com/?token=hunter2' })),
    ];
    expect(findings).toHaveLength(4);
    expect(findings.join()).not.toContain('hunter2');
  });
});

test('defineConfig gives back what it was given', () => {
  expect(defineConfig(VALID)).toBe(VALID);
});
