import { beforeAll, describe, expect, test } from 'vitest';
import { permissionsOf, rolesThatMay, shortRole } from './permissions.ts';
import { type Synthesized, synthesize } from './synthesized.ts';

const ROOTS = /^arn:aws:s3:::(prod-data|west-data|dr-data|scratch-data)\//;
const CHANGES = /^s3:(Put|Delete|Abort|Restore|Replicate|Bypass)/;

let synthesized: Synthesized;
beforeAll(() => {
  synthesized = synthesize();
});

const may = (action: RegExp, resource: RegExp) => [
  ...new Set(rolesThatMay(synthesized.workflows, action, resource).map(shortRole)),
];
const statements = () => [...permissionsOf(synthesized.workflows).values()].flat();
const resourcesFor = (role: RegExp, action: RegExp) =>
  [...permissionsOf(synthesized.workflows)]
    .filter(([id]) => role.test(id))
    .flatMap(([, granted]) => granted)
    .filter((statement) => statement.actions.some((each) => action.test(each)))
    .flatMap((statement) => statement.resources);

describe('all roles', () => {
  test('are granted no action by a wildcard', () => {
    expect(
      statements()
        .flatMap(({ actions }) => actions)
        .filter((action) => action.includes('*')),
    ).toEqual([]);
  });

  test('are granted any resource only for tracing, network interfaces and delivery of logs', () => {
    const open = statements().filter(({ resources }) => resources.includes('*'));
    const services = new Set(open.flatMap(({ actions }) => actions).map((action) => action.split(':')[0]));
    expect([...services].toSorted()).toEqual(['ec2', 'logs', 'xray']);
  });

  test('have no managed policy', () => {
    const roles = Object.values(synthesized.workflows.findResources('AWS::IAM::Role'));
    expect(roles.length).toBeGreaterThan(30);
    expect(JSON.stringify(roles)).not.toContain('ManagedPolicyArns');
  });

  test('of functions are one each', () => {
    const functions = Object.values(synthesized.workflows.findResources('AWS::Lambda::Function'));
    const roles = functions.map(({ Properties }) => JSON.stringify(Properties.Role));
    expect(roles).toEqual([...new Set(roles)]);
  });
});

describe('the roots of clusters', () => {
  test('are written by restore-parts and, for its markers, by mark-target alone', () => {
    expect(may(CHANGES, ROOTS).toSorted()).toEqual(['MarkTarget', 'RestoreParts']);
  });

  test('are marked by mark-target without touching any other file', () => {
    const keys = resourcesFor(/MarkTargetRole/, /^s3:PutObject$/).filter((resource) => ROOTS.test(resource));
    expect(keys.toSorted()).toEqual([
      'arn:aws:s3:::dr-data/persist/.rankvault-restoring.json',
      'arn:aws:s3:::prod-data/persist/.rankvault-restoring.json',
      'arn:aws:s3:::scratch-data/.rankvault-restoring.json',
      'arn:aws:s3:::west-data/.rankvault-restoring.json',
    ]);
  });

  test('are reached by the functions of their own site only', () => {
    const dr = rolesThatMay(synthesized.workflows, /^s3:/, /^arn:aws:s3:::dr-data/);
    expect(dr.length).toBeGreaterThan(5);
    expect(dr.filter((role) => !role.startsWith('Sitedefault'))).toEqual([]);
  });

  test('on a mount are written by the same two functions alone', () => {
    const writers = may(/^elasticfilesystem:ClientWrite$/, /file-system/);
    expect(writers.toSorted()).toEqual(['MarkTarget', 'RestoreParts']);
    expect(may(/^elasticfilesystem:ClientMount$/, /file-system/)).toHaveLength(9);
  });

  test('with a key of their own are decrypted by those who read them', () => {
    expect(may(/^kms:Decrypt$/, /key\/prod$/).toSorted()).toEqual([
      'CompareRank',
      'CopyParts',
      'EnumerateRank',
      'FenceRank',
      'InspectCluster',
      'InspectTarget',
      'MarkTarget',
      'RestoreParts',
    ]);
    expect(may(/^kms:GenerateDataKey$/, /key\/prod$/).toSorted()).toEqual(['MarkTarget', 'RestoreParts']);
  });
});

describe('secrets', () => {
  test('are read by the functions that talk to the cluster, and by no other', () => {
    expect(may(/^secretsmanager:GetSecretValue$/, /secret:kinetica\/prod-/).toSorted()).toEqual([
      'ControlCluster',
      'InspectCluster',
      'InspectTarget',
    ]);
  });
});

describe('the work bucket', () => {
  test('has its locks taken by those who plan or decide alone', () => {
    expect(may(/^s3:PutObject$/, /<Work[^>]*>\/locks\//).toSorted()).toEqual([
      'CommitMerged',
      'HideMerged',
      'PlanMaintenance',
      'PlanRestore',
      'PlanSnapshot',
      'PlanVerification',
    ]);
  });

  test('has its locks and holds given back by those who took them, and by those who end runs', () => {
    expect(may(/^s3:DeleteObject$/, /<Work[^>]*>\/locks\//).toSorted()).toEqual([
      'AbortRun',
      'CommitMerged',
      'ConcludeVerification',
      'HideMerged',
      'PlanMaintenance',
      'PlanRestore',
      'PlanSnapshot',
      'PlanVerification',
      'UnlockRun',
    ]);
    expect(may(/^s3:DeleteObject$/, /<Work[^>]*>\/holds\//).toSorted()).toEqual([
      'AbortRun',
      'ConcludeVerification',
      'FinishMaintenance',
      'HideMerged',
      'PlanMaintenance',
      'PlanRestore',
      'PlanVerification',
      'UnlockRun',
    ]);
  });

  test('has the marks of sweeps written by those who finish them alone', () => {
    expect(may(/^s3:(PutObject|DeleteObject)$/, /<Work[^>]*>\/swept\//)).toEqual(['FinishMaintenance']);
  });

  test('loses records of finished uploads to those who copy, and nothing else of a run to anybody', () => {
    expect(may(/^s3:DeleteObject$/, /<Work[^>]*>\/runs\/\*\/uploads\//).toSorted()).toEqual([
      'CopyParts',
      'MergeParts',
    ]);
    expect(may(/^s3:DeleteObject$/, /<Work[^>]*>\/runs\/\*$/)).toEqual([]);
  });

  test('has intent records written by those who quiesce and release alone', () => {
    expect(may(/^s3:PutObject$/, /<Work[^>]*>\/quiesce\//).toSorted()).toEqual([
      'ArmRelease',
      'ControlCluster',
      'SettleRelease',
    ]);
  });

  test('can be decrypted by the machines whose Maps read from it and write to it', () => {
    const machines = rolesThatMay(synthesized.workflows, /^kms:GenerateDataKey$/, /^<Key/).map(shortRole);
    expect(machines).toEqual(expect.arrayContaining(['Maintain', 'Restore', 'Snapshot', 'Verify']));
    expect(may(/^s3:PutObject$/, /<Work[^>]*>\/\*/)).toEqual([]);
  });
});

describe('schedules', () => {
  test.each([
    ['Snapshot', 'BackupsRole'],
    ['Maintain', 'BackupsMaintainRole'],
    ['Verify', 'BackupsVerifyRole'],
  ])('start %s by a role that may do nothing else', (machine, role) => {
    const [, granted] =
      [...permissionsOf(synthesized.workflows)].find(([id]) => id.replace(/[0-9A-F]{8}$/, '') === role) ?? [];
    expect(
      granted?.map(({ actions, resources }) => [actions, resources.map((each) => each.replace(/[0-9A-F]{8}.*/, ''))]),
    ).toEqual([
      [['states:StartExecution'], [`<${machine}`]],
      [['sqs:SendMessage'], ['<BackupsDeadLetters']],
    ]);
  });

  test('of releases start Release by a role that may do nothing else', () => {
    const [, granted] =
      [...permissionsOf(synthesized.workflows)].find(([role]) => role.startsWith('ArmingScheduleRole')) ?? [];
    expect(granted?.map(({ actions }) => actions)).toEqual([['states:StartExecution']]);
    expect(granted?.[0]?.resources).toEqual([expect.stringMatching(/^<Release/)]);
  });

  test('are made and deleted by the functions of the release, in a group of their own', () => {
    const groups = resourcesFor(/ArmReleaseRole|SettleReleaseRole/, /^scheduler:/);
    expect(new Set(groups).size).toBe(1);
    expect(groups[0]).toContain('Releasing-Schedules');
    expect(may(/^scheduler:/, /./).toSorted()).toEqual(['ArmRelease', 'SettleRelease']);
  });

  test('get a role passed by arm-release, and only to EventBridge Scheduler', () => {
    const passing = statements().filter(({ actions }) => actions.includes('iam:PassRole'));
    expect(passing).toHaveLength(1);
    expect(passing[0]?.conditions).toEqual({ StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } });
    expect(passing[0]?.resources).toEqual([expect.stringMatching(/^<ArmingScheduleRole/)]);
  });
});

describe('executions', () => {
  test.each(['Snapshot', 'Restore', 'Maintain', 'Verify'])(
    'of %s are described by those who meet its locks and holds',
    (machine) => {
      expect(may(/^states:DescribeExecution$/, new RegExp(`execution:<${machine}[^>]*>:\\*`)).toSorted()).toEqual([
        'CommitMerged',
        'FinishMaintenance',
        'HideMerged',
        'PlanMaintenance',
        'PlanRestore',
        'PlanSnapshot',
        'PlanVerification',
      ]);
    },
  );

  test('of Maintain are started by Snapshot, of Restore by Verify, of Release by Snapshot', () => {
    const starters = (machine: string) =>
      may(/^states:StartExecution$/, new RegExp(`^<${machine}[0-9A-F]{8}>$`)).filter(
        (role) => !role.startsWith('Backups') && role !== 'ScheduleRole',
      );
    // A machine starts its own children: the Map runs.
    expect(starters('Maintain').toSorted()).toEqual(['Maintain', 'Snapshot']);
    expect(starters('Restore').toSorted()).toEqual(['Restore', 'Verify']);
    expect(starters('Release').filter((role) => role !== 'Schedule')).toEqual(['Snapshot']);
  });
});
