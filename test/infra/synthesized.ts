import { fileURLToPath } from 'node:url';
import { Template } from 'aws-cdk-lib/assertions';
import * as z from 'zod/mini';
import type { RankvaultConfigInput } from '../../core/config/schema.ts';
import { parseConfig } from '../../core/config/validate.ts';
import { createRankvaultApp } from '../../infra/rankvault-app.ts';
import { temporaryDirectory } from './temporary.ts';

const STUB = fileURLToPath(new URL('stub-function.ts', import.meta.url));

/** 2027-01-01T00:00:00Z */
const NOW = 1_798_761_600_000;

export const NETWORK = {
  vpcId: 'vpc-0123456789abcdef0',
  availabilityZones: ['eu-central-1a'],
  subnetIds: ['subnet-0123456789abcdef0'],
  securityGroupIds: ['sg-0123456789abcdef0'],
};

/** Three sites: prod in a network, dr and scratch in none, analytics with a mount; west shares prod's. */
export const CONFIG: RankvaultConfigInput = {
  deployment: 'acme',
  vault: {
    objectLock: { mode: 'GOVERNANCE', retainDays: 30 },
    transitions: [{ storageClass: 'GLACIER_IR', afterDays: 30 }],
  },
  clusters: {
    prod: {
      control: { kind: 'kinetica', url: 'https://prod.internal:8082/gpudb-0', secret: 'kinetica/prod' },
      roots: [
        { name: 'persist', url: 's3://prod-data/persist', kmsKeyArn: 'arn:aws:kms:eu-central-1:111122223333:key/prod' },
      ],
      network: NETWORK,
    },
    west: {
      control: { kind: 'kinetica', url: 'http://10.1.2.3:9191' },
      roots: [{ name: 'persist', url: 's3://west-data' }],
      network: NETWORK,
    },
    dr: { control: { kind: 'none' }, roots: [{ name: 'persist', url: 's3://dr-data/persist/' }] },
    scratch: { control: { kind: 'none' }, roots: [{ name: 'persist', url: 's3://scratch-data' }], scratch: true },
    analytics: {
      control: { kind: 'none' },
      source: { kind: 'kagent', path: 'file:///mnt/kagent/backups' },
      roots: [{ name: 'persist', url: 'file:///mnt/kagent/restored' }],
      network: NETWORK,
      mount: {
        accessPointArn: 'arn:aws:elasticfilesystem:eu-central-1:111122223333:access-point/fsap-0123456789abcdef0',
        fileSystemArn: 'arn:aws:elasticfilesystem:eu-central-1:111122223333:file-system/fs-0123456789abcdef0',
        path: '/mnt/kagent',
      },
    },
  },
  backups: {
    prod_system: {
      kind: 'system',
      cluster: 'prod',
      schedules: [
        {
          name: 'weekly',
          type: 'full',
          expression: 'cron(0 2 ? * SUN *)',
          timeZone: 'Europe/Berlin',
          flexibleWindowMinutes: 15,
        },
        {
          name: 'nightly',
          type: 'incremental',
          expression: 'rate(1 day)',
          enabled: false,
          startDate: '2027-06-01T00:00:00Z',
        },
        { name: 'past', type: 'full', expression: 'rate(30 days)', startDate: '2026-06-01T00:00:00Z' },
      ],
      verify: {
        present: { expression: 'rate(7 days)', enabled: false },
        read: { expression: 'cron(30 4 * * ? *)', timeZone: 'Europe/Berlin', budget: { dollars: 2.5 } },
        drills: [{ name: 'monthly', cluster: 'scratch', expression: 'cron(0 9 1 * ? *)' }],
      },
    },
    dr_system: { kind: 'system', cluster: 'dr' },
  },
  alerts: { emails: ['operations@example.com'] },
};

export interface Synthesized {
  readonly outdir: string;
  readonly vault: Template;
  readonly workflows: Template;
}

/** Synthesizes in process into a temporary directory; cdk-nag and the template checks fail it as they fail `cdk synth`. */
export function synthesize(config: RankvaultConfigInput = CONFIG): Synthesized {
  const outdir = temporaryDirectory('synth');
  const { vaultStack, workflowsStack } = createRankvaultApp({
    config: parseConfig(config),
    outdir,
    entryOf: () => STUB,
    nowEpochMillis: NOW,
  });
  return { outdir, vault: Template.fromStack(vaultStack), workflows: Template.fromStack(workflowsStack) };
}

const resourceSchema = z.looseObject({ Properties: z.looseObject({}), Metadata: z.optional(z.looseObject({})) });
type Resource = z.infer<typeof resourceSchema>;

export function resourcesOf(template: Template, type: string): Readonly<Record<string, Resource>> {
  return z.record(z.string(), resourceSchema).parse(template.findResources(type));
}

/** A value of a template as text: `<Vault.Arn>/runs/*`. References to the other stack keep the name of the export. */
export function flat(value: unknown): string {
  const intrinsic = z
    .union([
      z.string(),
      z.strictObject({ Ref: z.string() }),
      z.strictObject({ 'Fn::GetAtt': z.array(z.string()) }),
      z.strictObject({ 'Fn::ImportValue': z.string() }),
      z.strictObject({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) }),
    ])
    .safeParse(value);
  if (!intrinsic.success) {
    return JSON.stringify(value);
  }
  const found = intrinsic.data;
  if (typeof found === 'string') {
    return found;
  }
  if ('Ref' in found) {
    return found.Ref === 'AWS::Partition' ? 'aws' : `<${found.Ref}>`;
  }
  if ('Fn::GetAtt' in found) {
    return `<${found['Fn::GetAtt'].join('.')}>`;
  }
  if ('Fn::ImportValue' in found) {
    return `<${found['Fn::ImportValue']}>`;
  }
  return found['Fn::Join'][1].map(flat).join(found['Fn::Join'][0]);
}

export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}
