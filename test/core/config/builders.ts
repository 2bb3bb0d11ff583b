import type { RankvaultConfigInput } from '../../../core/config/schema.ts';
import { parseConfig, type ValidationOptions } from '../../../core/config/validate.ts';
import { ConfigInvalid } from '../../../core/errors.ts';

type Cluster = RankvaultConfigInput['clusters'][string];
type Backup = RankvaultConfigInput['backups'][string];
type Schedule = NonNullable<Backup['schedules']>[number];

export const NETWORK = {
  vpcId: 'vpc-0123456789abcdef0',
  availabilityZones: ['eu-central-1a'],
  subnetIds: ['subnet-0123456789abcdef0'],
  securityGroupIds: ['sg-0123456789abcdef0'],
};

export const MOUNT = {
  accessPointArn: 'arn:aws:elasticfilesystem:eu-central-1:111122223333:access-point/fsap-0123456789abcdef0',
  fileSystemArn: 'arn:aws:elasticfilesystem:eu-central-1:111122223333:file-system/fs-0123456789abcdef0',
  path: '/mnt/kinetica',
};

export const PROD: Cluster = {
  control: { kind: 'kinetica', url: 'https://kinetica.example.com:8082/gpudb-0', secret: 'kinetica/prod' },
  roots: [{ name: 'persist', url: 's3://prod-data/persist' }],
};
export const DR: Cluster = { control: { kind: 'none' }, roots: [{ name: 'persist', url: 's3://dr-data/persist' }] };
export const SCRATCH: Cluster = {
  control: { kind: 'none' },
  roots: [{ name: 'persist', url: 's3://scratch-data/persist' }],
  scratch: true,
};
export const NIGHTLY: Schedule = { name: 'nightly', type: 'incremental', expression: 'cron(0 2 * * ? *)' };
export const PROD_SYSTEM: Backup = { kind: 'system', cluster: 'prod', schedules: [NIGHTLY] };

export const VALID = { clusters: { prod: PROD, dr: DR }, backups: { prod_system: PROD_SYSTEM } };

export const withProd = (change: object) => ({
  ...VALID,
  clusters: { ...VALID.clusters, prod: { ...PROD, ...change } },
});
export const withControl = (change: object) => withProd({ control: { ...PROD.control, ...change } });
export const withRoot = (change: object) =>
  withProd({ roots: [{ name: 'persist', url: 's3://prod-data/persist', ...change }] });
export const withBackup = (change: object) => ({ ...VALID, backups: { prod_system: { ...PROD_SYSTEM, ...change } } });
export const withSchedule = (change: object) => withBackup({ schedules: [{ ...NIGHTLY, ...change }] });
export const withVerify = (verify: object) => withBackup({ verify });
/** A drill into `scratch`, which is there beside the others. */
export const withDrills = (...drills: readonly object[]) => ({
  clusters: { ...VALID.clusters, scratch: SCRATCH },
  backups: { prod_system: { ...PROD_SYSTEM, verify: { drills: drills.map((drill) => ({ ...DRILL, ...drill })) } } },
});
const DRILL = { name: 'monthly', cluster: 'scratch', expression: 'cron(0 9 1 * ? *)' };
/** As `withDrills`, into another scratch cluster than the usual. */
export const withScratch = (change: object) => ({
  ...withDrills({}),
  clusters: { ...VALID.clusters, scratch: { ...SCRATCH, ...change } },
});
export const withVault = (vault: object) => ({ ...VALID, vault });

/** The findings of a configuration, one each line of the error; empty when it is valid. */
export function findingsOf(config: unknown, options?: ValidationOptions): readonly string[] {
  try {
    parseConfig(config, options);
    return [];
  } catch (error) {
    if (error instanceof ConfigInvalid) {
      return error.problem.split('\n').slice(1, -1);
    }
    throw error;
  }
}
