import * as z from 'zod/mini';
import { nameSchema } from '../ids.ts';

/** Shapes of `rankvault.config.ts`; what the parts mean to each other is checked in `validate.ts`. */

const positiveInt = z.int().check(z.positive());
const text = z.string().check(z.minLength(1));
const rootUrl = z
  .string()
  .check(
    z.regex(
      /^(s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/.*)?|file:\/\/\/.+)$/,
      'must be s3://bucket/prefix or file:///absolute/path',
    ),
  );

const kmsKeyArn = z.string().check(z.regex(/^arn:[^:]+:kms:[^:]+:\d{12}:key\/.+$/, 'must be the ARN of a KMS key'));

export const rootSchema = z.strictObject({
  name: nameSchema,
  url: rootUrl,
  /** See core/root-pattern.ts. @default 'rank-{rank}/tom-{tom}' */
  pattern: z._default(z.string(), 'rank-{rank}/tom-{tom}'),
  /** The rank of a root that holds one rank only. @default - the pattern says */
  rank: z.optional(z.int().check(z.nonnegative())),
  /** Globs on the path inside the root, `*` within a segment, `**` across. @default - nothing is excluded */
  exclude: z._default(z.array(text), []),
  /** Key of your own that encrypts the bucket of an s3:// root. @default - none: SSE-S3, or the AWS managed key */
  kmsKeyArn: z.optional(kmsKeyArn),
});
export type RootConfig = z.infer<typeof rootSchema>;

export const controlSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('kinetica'),
    /** Head rank or proxy, any path prefix: http://head:9191, https://host:8082/gpudb-0 */
    url: z.string().check(z.regex(/^https?:\/\/[^\s]+$/, 'must be an http:// or https:// URL')),
    /** Name or ARN of a Secrets Manager secret: {"user","password"} or {"token"}. @default - no authentication */
    secret: z.optional(text),
    /** Key of your own that encrypts the secret. @default - none: the AWS managed key */
    secretKmsKeyArn: z.optional(kmsKeyArn),
    /** Where a stopped cluster can be told from an unreachable one. @default - what the running server says, else 9300 */
    hostManagerPort: z.optional(z.int().check(z.minimum(1), z.maximum(65_535))),
    /** PEM of the certificate authority of an https URL. @default - public authorities */
    caPem: z.optional(text),
  }),
  z.strictObject({
    /** Nobody can be asked to hold still: for stopped or append-only stores. The fence still refuses a source that changed. */
    kind: z.literal('none'),
  }),
]);
export type ControlConfig = z.infer<typeof controlSchema>;

export const sourceSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('files') }),
  z.strictObject({
    kind: z.literal('kagent'),
    /** URL of KAgent's backup path on shared storage; below it lies <cluster>/snapshot.<date>.<time>/ */
    path: rootUrl,
    /** KAgent's name of the cluster. @default - the cluster's name here */
    clusterName: z.optional(text),
    /** See core/root-pattern.ts; paths inside one snapshot directory. @default 'rank-{rank}/tom-{tom}' */
    pattern: z._default(z.string(), 'rank-{rank}/tom-{tom}'),
    exclude: z._default(z.array(text), []),
    /** A directory counts as complete when nothing in it is younger. @default 15 */
    settleMinutes: z._default(z.int().check(z.nonnegative()), 15),
    /** Key of your own that encrypts the bucket of an s3:// path. @default - none: SSE-S3, or the AWS managed key */
    kmsKeyArn: z.optional(kmsKeyArn),
  }),
]);

function idOf(prefix: string) {
  return z
    .string()
    .check(z.regex(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), `must look like ${prefix}-0123456789abcdef0`));
}

const networkSchema = z.strictObject({
  vpcId: idOf('vpc'),
  availabilityZones: z.array(text).check(z.minLength(1)),
  subnetIds: z.array(idOf('subnet')).check(z.minLength(1)),
  securityGroupIds: z.array(idOf('sg')).check(z.minLength(1)),
});

const mountSchema = z.strictObject({
  /** EFS access point; NFS that is not EFS cannot be mounted by Lambda (AWS Lambda guide, file system access). */
  accessPointArn: z.string().check(z.regex(/^arn:[^:]+:elasticfilesystem:/, 'must be the ARN of an EFS access point')),
  fileSystemArn: z.string().check(z.regex(/^arn:[^:]+:elasticfilesystem:/, 'must be the ARN of an EFS file system')),
  /** Where functions see it; Lambda takes only /mnt/<name>. */
  path: z.string().check(z.regex(/^\/mnt\/[A-Za-z0-9_.-]+$/, 'must be /mnt/<name>')),
});

export const clusterSchema = z.strictObject({
  control: controlSchema,
  source: z._default(sourceSchema, { kind: 'files' }),
  /** @default [] - none; required for the files source */
  roots: z._default(z.array(rootSchema), []),
  /** 'discovered': asked of the control endpoint, or read from the roots where there is none. @default 'discovered' */
  topology: z._default(
    z.union(
      [
        z.literal('discovered'),
        z.strictObject({
          ranks: z.array(z.int().check(z.nonnegative())).check(z.minLength(1)),
          tomsPerRank: z.optional(positiveInt),
        }),
      ],
      "must be 'discovered' or an object with the list 'ranks'",
    ),
    'discovered',
  ),
  /** @default - functions run outside of any VPC */
  network: z.optional(networkSchema),
  /** @default - no file system is mounted */
  mount: z.optional(mountSchema),
  /** Restore drills may overwrite it. No backup can have it as its cluster. @default false */
  scratch: z._default(z.boolean(), false),
});
export type ClusterConfig = z.infer<typeof clusterSchema>;

export const SNAPSHOT_TYPES = ['full', 'incremental', 'differential'] as const;
export const snapshotTypeSchema = z.enum(SNAPSHOT_TYPES);
export type SnapshotType = z.infer<typeof snapshotTypeSchema>;

export const scheduleSchema = z.strictObject({
  name: nameSchema,
  type: snapshotTypeSchema,
  /** EventBridge Scheduler: cron(minutes hours day-of-month month day-of-week year) or rate(value unit) */
  expression: z.string(),
  /** IANA name. @default 'UTC' */
  timeZone: z._default(text, 'UTC'),
  /** Start anywhere within so many minutes after the time. @default 0 - off */
  flexibleWindowMinutes: z._default(z.int().check(z.minimum(0), z.maximum(1440)), 0),
  /** ISO 8601. @default - at once */
  startDate: z.optional(z.string()),
  /** @default true */
  enabled: z._default(z.boolean(), true),
});
export type ScheduleConfig = z.infer<typeof scheduleSchema>;

const count = z.int().check(z.nonnegative());

/**
 * A snapshot is kept while any of these is a reason to keep it. Days are of 24 hours, calendar periods are of UTC. Beside them the
 * newest good snapshot, the newest verified one and pinned ones are always kept, and nothing goes while the backup is frozen.
 */
export const retentionSchema = z.strictObject({
  /** So many real fulls (read from the cluster, not merged), with everything built on them. @default 4 */
  keepFulls: z._default(positiveInt, 4),
  /** All of the last so many days, and the newest chain before them: what the first of these days began with. @default 35 */
  keepDays: z._default(positiveInt, 35),
  /** The newest of each of the last so many hours that have one. @default 0 */
  keepHourly: z._default(count, 0),
  keepDaily: z._default(count, 0),
  /** Weeks begin on Monday (ISO 8601). @default 0 */
  keepWeekly: z._default(count, 0),
  keepMonthly: z._default(count, 0),
  /** How long the bytes of a hidden snapshot stay, so that it can be undeleted. 0: they go at once. @default 7 */
  undeleteDays: z._default(count, 7),
  /** A mistake in the configuration costs so many snapshots a run at most. @default 30 */
  maxExpirePerRun: z._default(positiveInt, 30),
});
export type RetentionConfig = z.infer<typeof retentionSchema>;

const DEFAULT_RETENTION: RetentionConfig = {
  keepFulls: 4,
  keepDays: 35,
  keepHourly: 0,
  keepDaily: 0,
  keepWeekly: 0,
  keepMonthly: 0,
  undeleteDays: 7,
  maxExpirePerRun: 30,
};

/** What a `read` verification reads at most in one run; the first limit that is met counts. */
export const readBudgetSchema = z
  .strictObject({
    parts: z.optional(positiveInt),
    bytes: z.optional(positiveInt),
    /** At list prices, see core/pricing.ts. */
    dollars: z.optional(z.number().check(z.positive())),
  })
  .check(
    z.refine(
      ({ parts, bytes, dollars }) => parts !== undefined || bytes !== undefined || dollars !== undefined,
      'is empty; it must have parts, bytes or dollars',
    ),
  );
export type ReadBudget = z.infer<typeof readBudgetSchema>;

/** When EventBridge Scheduler starts something beside snapshots. */
const timerShape = {
  /** EventBridge Scheduler: cron(...) or rate(...) */
  expression: z.string(),
  /** IANA name. @default 'UTC' */
  timeZone: z._default(text, 'UTC'),
  /** @default true */
  enabled: z._default(z.boolean(), true),
};

const DEFAULT_PRESENT = { expression: 'cron(0 6 ? * SUN *)', timeZone: 'UTC', enabled: true };
const DEFAULT_READ = {
  expression: 'cron(0 5 * * ? *)',
  timeZone: 'UTC',
  enabled: true,
  budget: { parts: 10_000, bytes: 50 * 1024 ** 3 },
};
const DEFAULT_COLLECT = { expression: 'cron(30 7 ? * SUN *)', timeZone: 'UTC', enabled: true };

export const verifySchema = z.strictObject({
  /** Every object of every snapshot is there as its manifest says. @default Sundays at six, UTC */
  present: z._default(z.strictObject(timerShape), DEFAULT_PRESENT),
  /** Bytes against checksums, those first that were not read for longest. @default every day at five, UTC: 10,000 parts, 50 GiB */
  read: z._default(z.strictObject({ ...timerShape, budget: readBudgetSchema }), DEFAULT_READ),
  /** The latest snapshot is restored into a scratch cluster, compared and timed. @default [] */
  drills: z._default(z.array(z.strictObject({ ...timerShape, name: nameSchema, cluster: nameSchema })), []),
});
export type VerifyConfig = z.infer<typeof verifySchema>;

const maintainSchema = z.strictObject({
  /** Frees what nothing names any more: orphans, residue, stale uploads. @default Sundays at half past seven, UTC */
  collect: z._default(z.strictObject(timerShape), DEFAULT_COLLECT),
});

export const backupOptionsSchema = z.strictObject({
  /** Stop before the quiesce when the plan expects it to last longer. @default 30 */
  maxQuiesceMinutes: z._default(positiveInt, 30),
  /** Copy what is there before the quiesce, so that only changes are copied while writers wait. @default true */
  warmPass: z._default(z.boolean(), true),
  /** Lambdas that copy at a time. @default 40 */
  copyConcurrency: z._default(z.int().check(z.minimum(1), z.maximum(1000)), 40),
  /** Ranks enumerated, fenced and sealed at a time. @default 40 */
  rankConcurrency: z._default(z.int().check(z.minimum(1), z.maximum(1000)), 40),
});
export type BackupOptions = z.infer<typeof backupOptionsSchema>;

export const backupSchema = z.strictObject({
  kind: z.literal('system'),
  cluster: nameSchema,
  /** @default [] - only started by hand */
  schedules: z._default(z.array(scheduleSchema), []),
  retention: z._default(retentionSchema, DEFAULT_RETENTION),
  verify: z._default(verifySchema, { present: DEFAULT_PRESENT, read: DEFAULT_READ, drills: [] }),
  maintain: z._default(maintainSchema, { collect: DEFAULT_COLLECT }),
  options: z._default(backupOptionsSchema, {
    maxQuiesceMinutes: 30,
    warmPass: true,
    copyConcurrency: 40,
    rankConcurrency: 40,
  }),
});
export type BackupConfig = z.infer<typeof backupSchema>;

export const objectLockSchema = z.strictObject({
  mode: z.enum(['GOVERNANCE', 'COMPLIANCE']),
  /** Each snapshot's promise: nothing that it names can be deleted for so many days. */
  retainDays: positiveInt,
  /**
   * Objects are locked for so many days more, because later snapshots carry them and promise the same. A snapshot that would build on
   * older bytes is a full. So: at least the days between two fulls, and at least 1, because
   * parts are stored before the moment that the snapshot shows. @default 14
   */
  chainDays: z._default(positiveInt, 14),
});

export type ObjectLockConfig = z.infer<typeof objectLockSchema>;

const vaultSchema = z.strictObject({
  /** Set on every object at its creation, never as a bucket default. @default - no Object Lock */
  objectLock: z.optional(objectLockSchema),
  /** ARN of an existing KMS key. @default - a key is created */
  kmsKeyArn: z.optional(kmsKeyArn),
  /** What `cdk destroy` does with the vault. @default 'retain' */
  removalPolicy: z._default(z.enum(['retain', 'destroy']), 'retain'),
  /** Only classes that are readable in milliseconds. @default [] */
  transitions: z._default(
    z.array(
      z.strictObject({
        storageClass: z.enum(
          ['STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR'],
          'is not readable in milliseconds, or unknown',
        ),
        afterDays: z.int().check(z.nonnegative()),
      }),
    ),
    [],
  ),
});

export const configSchema = z.strictObject({
  /** Prefix of the stacks' names. @default 'rankvault' */
  deployment: z._default(nameSchema, 'rankvault'),
  vault: z._default(vaultSchema, { removalPolicy: 'retain', transitions: [] }),
  clusters: z.record(nameSchema, clusterSchema),
  backups: z.record(nameSchema, backupSchema),
  alerts: z._default(z.strictObject({ emails: z._default(z.array(z.email()), []) }), { emails: [] }),
});

/** What a user writes: defaults left out. */
export type RankvaultConfigInput = z.input<typeof configSchema>;
/** What the program uses: defaults filled in. */
export type RankvaultConfig = z.infer<typeof configSchema>;
