import { defineConfig } from './core/config/validate.ts';

/**
 * A sample. Copy it, or point to a file of your own by `-c config=PATH` or RANKVAULT_CONFIG; then `npx cdk deploy --all`.
 * Secrets are only named here. Every setting is described in core/config/schema.ts.
 */
export default defineConfig({
  // The stacks are called rankvault-vault and rankvault-workflows.
  deployment: 'rankvault',

  vault: {
    // With Object Lock nobody, not even an administrator, can delete a snapshot before its date. It can only be chosen now. Each
    // snapshot is safe for retainDays; parts are locked for chainDays longer, at least the days between two fulls.
    // objectLock: { mode: 'COMPLIANCE', retainDays: 35, chainDays: 14 },
    transitions: [{ storageClass: 'GLACIER_IR', afterDays: 30 }],
  },

  clusters: {
    // Ranks on S3, asked to hold still over Kinetica's REST interface while they are copied.
    prod: {
      control: {
        kind: 'kinetica',
        url: 'https://kinetica.prod.internal:8082/gpudb-0',
        // In Secrets Manager: {"user":"...","password":"..."}. The user needs system_admin.
        secret: 'kinetica/prod/backup',
      },
      roots: [
        {
          name: 'persist',
          url: 's3://example-kinetica-prod/persist',
          // Which directories are ranks, and which TOMs. This is the default.
          pattern: 'rank-{rank}/tom-{tom}',
          exclude: ['**/*.lock', 'logs/**'],
        },
      ],
      // Functions that face the cluster run here. The network needs a gateway endpoint for S3 and an interface endpoint for
      // Secrets Manager, or NAT; the security group must let them reach the cluster.
      network: {
        vpcId: 'vpc-0a1b2c3d4e5f60718',
        availabilityZones: ['eu-central-1a', 'eu-central-1b'],
        subnetIds: ['subnet-0a1b2c3d4e5f60718', 'subnet-0b1c2d3e4f5061728'],
        securityGroupIds: ['sg-0a1b2c3d4e5f60718'],
      },
    },

    // Where restores are tried, and where the service goes on if prod is lost. It is stopped unless it is needed.
    dr: {
      control: { kind: 'none' },
      roots: [{ name: 'persist', url: 's3://example-kinetica-dr/persist' }],
    },

    // Where drills restore to, once a month. Whatever lies there is overwritten.
    scratch: {
      control: { kind: 'none' },
      roots: [{ name: 'persist', url: 's3://example-kinetica-scratch/persist' }],
      scratch: true,
    },

    // Ranks on local disks: KAgent copies them to shared storage (EFS), and Rankvault vaults what KAgent has completed.
    analytics: {
      control: { kind: 'none' },
      source: { kind: 'kagent', path: 'file:///mnt/kagent/backups' },
      network: {
        vpcId: 'vpc-0a1b2c3d4e5f60718',
        availabilityZones: ['eu-central-1a'],
        subnetIds: ['subnet-0a1b2c3d4e5f60718'],
        securityGroupIds: ['sg-0c1d2e3f405162738'],
      },
      mount: {
        accessPointArn: 'arn:aws:elasticfilesystem:eu-central-1:111122223333:access-point/fsap-0a1b2c3d4e5f60718',
        fileSystemArn: 'arn:aws:elasticfilesystem:eu-central-1:111122223333:file-system/fs-0a1b2c3d4e5f60718',
        path: '/mnt/kagent',
      },
    },
  },

  backups: {
    prod_system: {
      kind: 'system',
      cluster: 'prod',
      schedules: [
        // Minutes, hours, day of month, month, day of week, year: Sundays at two, and every other night.
        { name: 'weekly', type: 'full', expression: 'cron(0 2 ? * SUN *)', timeZone: 'Europe/Berlin' },
        {
          name: 'nightly',
          type: 'incremental',
          expression: 'cron(0 2 ? * MON-SAT *)',
          timeZone: 'Europe/Berlin',
          flexibleWindowMinutes: 15,
        },
      ],
      // Five fulls with all that is built on them, all of five weeks, and one a month for a year. What expires can be undeleted
      // for a week.
      retention: { keepFulls: 5, keepDays: 35, keepMonthly: 12, undeleteDays: 7 },
      verify: {
        // Every night, those parts first that were not read for longest, until one of the limits is met.
        read: {
          expression: 'cron(0 5 * * ? *)',
          timeZone: 'Europe/Berlin',
          budget: { parts: 20_000, bytes: 100 * 1024 ** 3, dollars: 1 },
        },
        drills: [{ name: 'monthly', cluster: 'scratch', expression: 'cron(0 9 1 * ? *)', timeZone: 'Europe/Berlin' }],
      },
      options: { maxQuiesceMinutes: 20 },
    },
    analytics_system: {
      kind: 'system',
      cluster: 'analytics',
      schedules: [{ name: 'daily', type: 'differential', expression: 'rate(1 day)' }],
    },
  },

  // Each address gets a mail that asks for confirmation.
  alerts: { emails: ['operations@example.com'] },
});
