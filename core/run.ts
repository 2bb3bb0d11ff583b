import * as z from 'zod/mini';
import { backupSchema, clusterSchema, objectLockSchema, snapshotTypeSchema } from './config/schema.ts';
import { formatVersionSchema } from './format.ts';
import { nameSchema, rankNameSchema, snapshotDirectorySchema, snapshotIdSchema } from './ids.ts';
import { topologySchema } from './topology.ts';

/** What travels through the states of an execution, and the frozen plan that its Lambdas read from the work bucket. */

/** The functions of the cluster's site: those that reach its network and mount. Names for Step Functions' FunctionName. */
export const siteFunctionsSchema = z.object({
  inspectCluster: z.string(),
  controlCluster: z.string(),
  enumerateRank: z.string(),
  copyParts: z.string(),
  fenceRank: z.string(),
  inspectTarget: z.string(),
  markTarget: z.string(),
  compareRank: z.string(),
  restoreParts: z.string(),
});
export type SiteFunctions = z.infer<typeof siteFunctionsSchema>;

const runShape = {
  execution: z.string(),
  executionArn: z.string(),
  nonce: z.string(),
  prefix: z.string(),
  backup: nameSchema,
  cluster: nameSchema,
  snapshot: snapshotDirectorySchema,
  ranksKey: z.string(),
  rankConcurrency: z.int(),
  copyConcurrency: z.int(),
  resultsPrefix: z.string(),
  functions: siteFunctionsSchema,
};

export const snapshotRunSchema = z.object({
  machine: z.literal('Snapshot'),
  ...runShape,
  type: snapshotTypeSchema,
  quiesce: z.boolean(),
  warmPass: z.boolean(),
  warmBatchesKey: z.string(),
  batchesKey: z.string(),
});
export type SnapshotRun = z.infer<typeof snapshotRunSchema>;

/**
 * In this order: old activation files away, condemned files away (a file may stand where a directory shall be), data, then what
 * lets a server start, then the times of directories.
 */
export const RESTORE_PHASES = ['aside', 'extras', 'data', 'activation', 'directories'] as const;
export const restorePhaseSchema = z.enum(RESTORE_PHASES);
export type RestorePhase = z.infer<typeof restorePhaseSchema>;

export const RESTORE_POLICIES = ['none', 'replace', 'rename'] as const;
export const restorePolicySchema = z.enum(RESTORE_POLICIES);
export type RestorePolicy = z.infer<typeof restorePolicySchema>;

export const restoreRunSchema = z.object({
  machine: z.literal('Restore'),
  ...runShape,
  policy: restorePolicySchema,
  dryRun: z.boolean(),
  asideBatchesKey: z.string(),
  dataBatchesKey: z.string(),
  extrasBatchesKey: z.string(),
  activationBatchesKey: z.string(),
  directoriesBatchesKey: z.string(),
});
export type RestoreRun = z.infer<typeof restoreRunSchema>;

const countSchema = z.int().check(z.nonnegative());

/** What travels through the states of `Maintain`; what was decided is in `plan.json` of the run. */
export const maintainRunSchema = z.object({
  machine: z.literal('Maintain'),
  execution: z.string(),
  executionArn: z.string(),
  nonce: z.string(),
  prefix: z.string(),
  action: z.string(),
  /** As it was written: `drop` takes patterns. */
  backup: z.string(),
  dryRun: z.boolean(),
  /** True: a full is made by copies before anything is surveyed. */
  merges: z.boolean(),
  /** Directory of the merged full. */
  snapshot: z.optional(snapshotDirectorySchema),
  /** Ranks and copy batches of a merge. */
  ranksKey: z.string(),
  batchesKey: z.string(),
  /** JSON Lines of {unit}: directories and ranks that are surveyed. */
  unitsKey: z.string(),
  units: countSchema,
  /** JSON Lines of {batch}: versions that are deleted. */
  deletionsKey: z.string(),
  rankConcurrency: z.int(),
  copyConcurrency: z.int(),
  resultsPrefix: z.string(),
});
export type MaintainRun = z.infer<typeof maintainRunSchema>;

/** What travels through the states of `Verify`. */
export const verifyRunSchema = z.object({
  machine: z.literal('Verify'),
  execution: z.string(),
  executionArn: z.string(),
  nonce: z.string(),
  prefix: z.string(),
  level: z.enum(['present', 'read', 'restored']),
  backup: nameSchema,
  /** Of `restored`: what is restored, and into which scratch cluster. */
  snapshot: z.optional(snapshotDirectorySchema),
  cluster: z.optional(nameSchema),
  /** JSON Lines of {unit}: ranks of snapshots. */
  unitsKey: z.string(),
  units: countSchema,
  /** JSON Lines of {batch}: parts to be read. */
  batchesKey: z.string(),
  rankConcurrency: z.int(),
  copyConcurrency: z.int(),
  resultsPrefix: z.string(),
});
export type VerifyRun = z.infer<typeof verifyRunSchema>;

/** State of a poll loop: the Lambda counts, Step Functions waits. */
export const pollSchema = z.object({ count: z.int(), ready: z.boolean(), waitSeconds: z.int() });
export type Poll = z.infer<typeof pollSchema>;
export const FIRST_POLL: Poll = { count: 0, ready: false, waitSeconds: 0 };

export const passSchema = z.enum(['warm', 'final']);
export type Pass = z.infer<typeof passSchema>;

/** Frozen by PlanSnapshot: later changes of the configuration do not reach a running execution. */
export const snapshotPlanSchema = z.object({
  formatVersion: formatVersionSchema,
  run: snapshotRunSchema,
  id: snapshotIdSchema,
  requestedType: snapshotTypeSchema,
  reason: z.string(),
  base: z.optional(snapshotDirectorySchema),
  /** With Object Lock: `chainUntil` of the base. */
  baseLockedUntil: z.optional(z.string()),
  /** Snapshots that the manifests may name beside this one: its full for a differential, the base's chain for an incremental. */
  allowedIn: z.array(snapshotDirectorySchema),
  /** Ranks that have a manifest in the base. */
  baseRanks: z.array(rankNameSchema),
  /** The full that this snapshot rests on; itself for a full. */
  full: snapshotDirectorySchema,
  startedAt: z.string(),
  schedule: z.optional(z.string()),
  scheduledTime: z.optional(z.string()),
  definitionDigest: z.string(),
  /** KAgent sources: the newest of KAgent's directories that this backup has vaulted. */
  newestKagentDirectory: z.optional(z.string()),
  objectLock: z.optional(objectLockSchema),
  cluster: clusterSchema,
  backup: backupSchema,
});
export type SnapshotPlan = z.infer<typeof snapshotPlanSchema>;

export const restoreOptionsSchema = z.strictObject({
  policy: z._default(restorePolicySchema, 'none'),
  dryRun: z._default(z.boolean(), false),
  /** The operator's word that nothing runs on the target, where that cannot be asked. */
  targetIsStopped: z._default(z.boolean(), false),
  /** Equal size and modification time count as equal, without reading. Faster, and blind to rot. */
  trustTimes: z._default(z.boolean(), false),
  /** Fetches every part from the vault, also where an equal one is in place: what a drill has to prove. */
  placeAll: z._default(z.boolean(), false),
  copyConcurrency: z.optional(z.int().check(z.minimum(1), z.maximum(1000))),
});

export const restorePlanSchema = z.object({
  formatVersion: formatVersionSchema,
  run: restoreRunSchema,
  options: restoreOptionsSchema,
  startedAt: z.string(),
  /** The snapshot's own facts, so that no later step has to read the record again. */
  source: z.object({ kind: z.enum(['files', 'kagent']), directory: z.optional(z.string()) }),
  topology: topologySchema,
  cluster: clusterSchema,
});
export type RestorePlan = z.infer<typeof restorePlanSchema>;

/** Written by InspectCluster: facts of the cluster that only functions in its network can see. */
export const inspectionSchema = z.object({
  formatVersion: formatVersionSchema,
  topology: topologySchema,
  serverVersion: z.optional(z.string()),
  /** KAgent's directory that is vaulted. */
  kagentDirectory: z.optional(z.string()),
});
export type Inspection = z.infer<typeof inspectionSchema>;

/** Written by InspectTarget before anything is changed. */
export const targetStateSchema = z.object({
  formatVersion: formatVersionSchema,
  /** An earlier try of the same restore, by the same policy, has begun to place parts. */
  resumed: z.boolean(),
  /** Where old files are moved aside: the nonce of the execution that began it, so that no two restores ever share it. */
  label: z.string(),
});
export type TargetState = z.infer<typeof targetStateSchema>;

/** A batch as the copy Map's items name it. */
export const batchItemSchema = z.object({ rank: rankNameSchema, batch: z.string(), key: z.string() });
export type BatchItem = z.infer<typeof batchItemSchema>;
