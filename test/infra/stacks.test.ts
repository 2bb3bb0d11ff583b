import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, test } from 'vitest';
import { siteKey } from '../../core/config/site.ts';
import { FIXED_FUNCTION_NAMES, SITE_FUNCTION_NAMES } from '../../infra/functions/function-names.ts';
import { CONFIG, fieldOf, flat, NETWORK, resourcesOf, type Synthesized, synthesize } from './synthesized.ts';

let synthesized: Synthesized;
beforeAll(() => {
  synthesized = synthesize();
});

const TLS_ONLY = {
  PolicyDocument: {
    Statement: Match.arrayWith([
      Match.objectLike({
        Effect: 'Deny',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        Principal: { AWS: '*' },
      }),
    ]),
  },
};

describe('the vault', () => {
  const bucket = (properties: object) => synthesized.vault.hasResourceProperties('AWS::S3::Bucket', properties);

  test('keeps every version', () => bucket({ VersioningConfiguration: { Status: 'Enabled' } }));

  test('is encrypted by a rotating key, with bucket keys', () => {
    bucket({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { BucketKeyEnabled: true, ServerSideEncryptionByDefault: Match.objectLike({ SSEAlgorithm: 'aws:kms' }) },
        ],
      },
    });
    synthesized.vault.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true });
  });

  test('is reached by TLS only', () => synthesized.vault.hasResourceProperties('AWS::S3::BucketPolicy', TLS_ONLY));

  test('is never public and has no ACLs', () =>
    bucket({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    }));

  test('enables Object Lock where it is configured, without a default retention', () =>
    bucket({ ObjectLockEnabled: true, ObjectLockConfiguration: Match.absent() }));

  test('aborts incomplete uploads after a week, moves what is configured, and expires nothing', () => {
    bucket({
      LifecycleConfiguration: {
        Rules: [
          {
            Id: 'abort-incomplete-uploads',
            Status: 'Enabled',
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
          },
          {
            Id: 'transitions',
            Status: 'Enabled',
            ObjectSizeGreaterThan: 131_072,
            Transitions: [{ StorageClass: 'GLACIER_IR', TransitionInDays: 30 }],
          },
        ],
      },
    });
  });

  test('stays when its stack goes', () => {
    synthesized.vault.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    synthesized.vault.hasResource('AWS::KMS::Key', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });

  test('is in a stack of its own, named by the deployment', () => {
    expect(readdirSync(synthesized.outdir)).toEqual(
      expect.arrayContaining(['acme-vault.template.json', 'acme-workflows.template.json']),
    );
    expect(synthesized.workflows.findResources('AWS::S3::Bucket')).not.toEqual({});
    expect(Object.keys(synthesized.vault.findResources('AWS::Lambda::Function'))).toEqual([]);
  });
});

describe('a vault configured otherwise', () => {
  test('goes with its stack, but is never emptied by it', () => {
    const { vault } = synthesize({ ...CONFIG, vault: { removalPolicy: 'destroy' } });
    vault.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'Delete',
      Properties: { ObjectLockEnabled: Match.absent() },
    });
    vault.resourceCountIs('Custom::S3AutoDeleteObjects', 0);
  });

  test('uses the key that exists, and creates none', () => {
    const kmsKeyArn = 'arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-0000-0000-0000-000000000000';
    const { vault, workflows } = synthesize({ ...CONFIG, vault: { kmsKeyArn } });
    vault.resourceCountIs('AWS::KMS::Key', 0);
    expect(JSON.stringify(workflows.toJSON())).toContain(kmsKeyArn);
  });
});

describe('the work bucket', () => {
  test('expires runs by age, and never locks, intent records or holds', () => {
    synthesized.workflows.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: [
          {
            Id: 'abort-incomplete-uploads',
            Status: 'Enabled',
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
          },
          { Id: 'expire-runs', Status: 'Enabled', Prefix: 'runs/', ExpirationInDays: 100 },
        ],
      },
      VersioningConfiguration: Match.absent(),
    });
  });

  test('is encrypted, reached by TLS only, and never public', () => {
    synthesized.workflows.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: { ServerSideEncryptionConfiguration: [Match.objectLike({ BucketKeyEnabled: true })] },
      PublicAccessBlockConfiguration: Match.objectLike({ BlockPublicPolicy: true, RestrictPublicBuckets: true }),
    });
    synthesized.workflows.hasResourceProperties('AWS::S3::BucketPolicy', TLS_ONLY);
  });
});

describe('functions', () => {
  const functions = () =>
    Object.values(resourcesOf(synthesized.workflows, 'AWS::Lambda::Function')).map(({ Properties, Metadata }) => ({
      properties: Properties,
      mark: Metadata?.['rankvault'],
    }));

  test('exist once each, and once a site where they face clusters', () => {
    const marks = functions()
      .map(({ mark }) => JSON.stringify(mark))
      .toSorted();
    const prod = siteKey({ network: NETWORK });
    const mounted = siteKey({ network: NETWORK, mount: mountOf() });
    const expected = [
      ...FIXED_FUNCTION_NAMES.map((name) => JSON.stringify({ function: name })),
      ...['default', prod, mounted].flatMap((site) =>
        SITE_FUNCTION_NAMES.map((name) => JSON.stringify({ function: name, site })),
      ),
    ];
    expect(marks).toEqual(expected.toSorted());
  });

  test('run on Node 24, on ARM, traced, with a log group of their own', () => {
    for (const { properties } of functions()) {
      expect(properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
        TracingConfig: { Mode: 'Active' },
        LoggingConfig: { LogGroup: { Ref: expect.any(String) } },
      });
    }
  });

  test('share the code of a function over its sites', () => {
    const keys = functions()
      .filter(({ mark }) => JSON.stringify(mark).includes('copy-parts'))
      .map(({ properties }) => JSON.stringify(properties['Code']));
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
  });

  test('of a site run in its network, with its mount, and the others outside', () => {
    synthesized.workflows.allResourcesProperties('AWS::Lambda::Function', Match.objectLike({ Runtime: 'nodejs24.x' }));
    for (const { properties, mark } of functions()) {
      const site = typeof mark === 'object' && mark !== null && 'site' in mark ? mark.site : undefined;
      const inside = site === siteKey({ network: NETWORK }) || site === siteKey({ network: NETWORK, mount: mountOf() });
      expect('VpcConfig' in properties).toBe(inside);
      expect('FileSystemConfigs' in properties).toBe(site === siteKey({ network: NETWORK, mount: mountOf() }));
    }
    synthesized.workflows.hasResourceProperties('AWS::Lambda::Function', {
      VpcConfig: { SubnetIds: NETWORK.subnetIds, SecurityGroupIds: NETWORK.securityGroupIds },
      FileSystemConfigs: [{ Arn: mountOf().accessPointArn, LocalMountPath: '/mnt/kagent' }],
    });
  });

  test('reserve concurrency for control-cluster alone', () => {
    const reserving = functions().filter(({ properties }) => 'ReservedConcurrentExecutions' in properties);
    expect(reserving.map(({ mark }) => JSON.stringify(mark).includes('control-cluster'))).toEqual([true, true, true]);
  });

  test('that plan know the functions of every site', () => {
    const planning = functions().filter(({ properties }) =>
      JSON.stringify(properties['Environment']).includes('SITE_FUNCTIONS'),
    );
    expect(planning).toHaveLength(2);
    const variables = fieldOf(fieldOf(planning[0]?.properties, 'Environment'), 'Variables');
    const sites = JSON.parse(flat(fieldOf(variables, 'SITE_FUNCTIONS')));
    expect(Object.keys(sites).toSorted()).toEqual(
      ['default', siteKey({ network: NETWORK }), siteKey({ network: NETWORK, mount: mountOf() })].toSorted(),
    );
    expect(sites.default.copyParts).toMatch(/^<SitedefaultCopyPartsFunction/);
  });

  test('are given the buckets and the deployment by name', () => {
    synthesized.workflows.allResourcesProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: Match.objectLike({
          DEPLOYMENT: 'acme',
          WORK_BUCKET: Match.anyValue(),
          VAULT_BUCKET: Match.anyValue(),
        }),
      },
    });
  });
});

describe('state machines', () => {
  test('log errors below /aws/vendedlogs/, without the data of executions, and are traced', () => {
    synthesized.workflows.allResourcesProperties('AWS::StepFunctions::StateMachine', {
      LoggingConfiguration: Match.objectLike({ Level: 'ERROR', IncludeExecutionData: false }),
      TracingConfiguration: { Enabled: true },
      StateMachineType: 'STANDARD',
    });
    for (const machine of ['Snapshot', 'Restore', 'Release', 'Maintain', 'Verify']) {
      synthesized.workflows.hasResourceProperties('AWS::Logs::LogGroup', {
        LogGroupName: `/aws/vendedlogs/states/acme-workflows-${machine}`,
        RetentionInDays: 90,
      });
    }
  });
});

describe('alerts', () => {
  test('go to an encrypted topic that takes TLS only, and to every address', () => {
    synthesized.workflows.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
    synthesized.workflows.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      },
    });
    synthesized.workflows.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'operations@example.com',
    });
  });

  test('can be published by alarms and events, which have to use the key', () => {
    const publishing = {
      Principal: { Service: ['cloudwatch.amazonaws.com', 'events.amazonaws.com'] },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
    };
    synthesized.workflows.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: { Statement: Match.arrayWith([Match.objectLike(publishing)]) },
    });
  });
});

describe('the assembly', () => {
  test('has no resource that waits for itself', () => {
    expect(() => Template.fromJSON(synthesized.workflows.toJSON())).not.toThrow();
    expect(() => Template.fromJSON(synthesized.vault.toJSON())).not.toThrow();
  });

  test('has no finding that nobody acknowledged', () => {
    const report = JSON.parse(readFileSync(join(synthesized.outdir, 'validation-report.json'), 'utf8'));
    const findings = report.pluginReports.flatMap((plugin: { violations: unknown[] }) => plugin.violations);
    expect(report.pluginReports.length).toBeGreaterThan(0);
    expect(findings).toEqual([]);
  });

  test('names what a terminal needs in its outputs', () => {
    const names = Object.keys(synthesized.workflows.findOutputs('*'));
    expect(names).toEqual(
      expect.arrayContaining([
        'WorkBucketName',
        'AlertTopicArn',
        'SnapshotMachineArn',
        'RestoreMachineArn',
        'ReleaseMachineArn',
        'MaintainMachineArn',
        'VerifyMachineArn',
      ]),
    );
    expect(Object.keys(synthesized.vault.findOutputs('*'))).toContain('VaultBucketName');
  });
});

function mountOf() {
  const mount = CONFIG.clusters['analytics']?.mount;
  if (mount === undefined) {
    throw new Error('the sample has no mount');
  }
  return mount;
}
