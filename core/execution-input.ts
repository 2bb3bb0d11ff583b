import * as z from 'zod/mini';
import { readBudgetSchema, snapshotTypeSchema } from './config/schema.ts';
import { shapeFindings } from './config/shape-findings.ts';
import { InputInvalid } from './errors.ts';
import { nameSchema } from './ids.ts';
import { restoreOptionsSchema } from './run.ts';

/** Inputs of the state machines, as a person or a schedule writes them. */

export const snapshotInputSchema = z.strictObject({
  backup: nameSchema,
  type: snapshotTypeSchema,
  schedule: z.optional(nameSchema),
  /** ISO 8601, from EventBridge Scheduler. */
  scheduledTime: z.optional(z.string()),
  options: z.optional(
    z.strictObject({
      warmPass: z.optional(z.boolean()),
      maxQuiesceMinutes: z.optional(z.int().check(z.positive())),
      copyConcurrency: z.optional(z.int().check(z.minimum(1), z.maximum(1000))),
      rankConcurrency: z.optional(z.int().check(z.minimum(1), z.maximum(1000))),
    }),
  ),
});
export type SnapshotInput = z.infer<typeof snapshotInputSchema>;

const EXACTLY = String.raw`\d{13}|snapshot\.\d{4}-\d{2}-\d{2}\.\d{2}-\d{2}-\d{2}`;
const IN_WORDS = 'an id of 13 digits, or a directory like snapshot.2026-01-31.23-59-59';

/** Words beside an id or a directory. */
function snapshotNameOf(...words: readonly string[]) {
  const pattern = new RegExp(`^(${[...words, EXACTLY].join('|')})$`);
  const inWords = [...words.map((word) => `"${word}"`), IN_WORDS].join(', ');
  return z.string().check(z.regex(pattern, `must be ${inWords}`));
}

const snapshotNameSchema = snapshotNameOf('latest');
/** What removes something never takes "latest", which may be another one by the time it runs. */
const exactSnapshotNameSchema = snapshotNameOf();

export const restoreInputSchema = z.strictObject({
  backup: nameSchema,
  /** `latest`, an id or a directory. */
  snapshot: z._default(snapshotNameSchema, 'latest'),
  /** Target cluster; may be another than the one backed up. */
  cluster: nameSchema,
  options: z._default(restoreOptionsSchema, {
    policy: 'none',
    dryRun: false,
    targetIsStopped: false,
    trustTimes: false,
    placeAll: false,
  }),
});
export type RestoreInput = z.infer<typeof restoreInputSchema>;

export const releaseInputSchema = z.object({ cluster: nameSchema, nonce: z.string(), reason: z.optional(z.string()) });

const maintainShape = {
  backup: nameSchema,
  /** Decides and surveys, prints the plan, changes nothing. @default false */
  dryRun: z._default(z.boolean(), false),
  /** Wait while a snapshot or another maintenance of the backup runs. @default false - fail with BackupInProgress */
  wait: z._default(z.boolean(), false),
};
/** Bytes go at once, and the snapshot cannot be undeleted. @default false - they stay for `undeleteDays` */
const immediately = z._default(z.boolean(), false);
const reason = z.optional(z.string().check(z.minLength(1), z.maxLength(500)));

const dropInputSchema = z
  .strictObject({
    action: z.literal('drop'),
    ...maintainShape,
    /** A name, `name*`, or `*` for all; the latter two only with `deleteAllBackups`. */
    backup: z
      .string()
      .check(
        z.regex(
          /^(\*|[A-Za-z][A-Za-z0-9_]{0,62}\*?)$/,
          "must be the name of a backup, the beginning of names like 'test_*', or '*' for all",
        ),
      ),
    deleteAllBackups: z._default(z.boolean(), false),
    immediately,
    reason,
  })
  .check(
    z.refine(({ backup, deleteAllBackups }) => deleteAllBackups || !backup.endsWith('*'), {
      error: "is a pattern; to drop every backup that it fits, say 'deleteAllBackups': true",
      path: ['backup'],
    }),
  );

export const maintainInputSchema = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('purge'),
    ...maintainShape,
    snapshot: exactSnapshotNameSchema,
    immediately,
    reason,
  }),
  /** `snapshot` and all that it builds on become one full. */
  z.strictObject({ action: z.literal('merge'), ...maintainShape, snapshot: z._default(snapshotNameSchema, 'latest') }),
  /** `after`: the snapshot whose commit started this, for the log. */
  z.strictObject({ action: z.literal('expire'), ...maintainShape, after: z.optional(z.string()) }),
  dropInputSchema,
  z.strictObject({ action: z.literal('pin'), ...maintainShape, snapshot: snapshotNameSchema, reason }),
  z.strictObject({ action: z.literal('unpin'), ...maintainShape, snapshot: exactSnapshotNameSchema }),
  z.strictObject({ action: z.literal('freeze'), ...maintainShape, reason }),
  z.strictObject({ action: z.literal('thaw'), ...maintainShape }),
  /** Without `snapshot`: all that can be undeleted, as after a `drop`. */
  z.strictObject({ action: z.literal('undelete'), ...maintainShape, snapshot: z.optional(exactSnapshotNameSchema) }),
  z.strictObject({ action: z.literal('collect'), ...maintainShape }),
  /** Takes stray delete markers off objects that a snapshot names. */
  z.strictObject({ action: z.literal('repair'), ...maintainShape, snapshot: z.optional(exactSnapshotNameSchema) }),
]);
export type MaintainInput = z.infer<typeof maintainInputSchema>;
export type MaintainAction = MaintainInput['action'];

const verifyShape = {
  backup: nameSchema,
  /** Wait while another verification of the backup runs. @default false - fail with BackupInProgress */
  wait: z._default(z.boolean(), false),
};
/** One snapshot, `latest`, or `all` of the backup. */
const verifyScope = snapshotNameOf('all', 'latest');

export const verifyInputSchema = z.discriminatedUnion('level', [
  z.strictObject({ level: z.literal('present'), ...verifyShape, snapshot: z._default(verifyScope, 'all') }),
  z.strictObject({
    level: z.literal('read'),
    ...verifyShape,
    /** With a budget it is 'all': those parts first that were not read for longest. */
    snapshot: z._default(verifyScope, 'all'),
    /** @default - everything in the scope */
    budget: z.optional(readBudgetSchema),
  }),
  z.strictObject({
    level: z.literal('restored'),
    ...verifyShape,
    snapshot: z._default(snapshotNameSchema, 'latest'),
    /** Overwritten; must be declared as `scratch`. */
    cluster: nameSchema,
    /** Name of the drill's schedule. */
    drill: z.optional(nameSchema),
  }),
]);
export type VerifyInput = z.infer<typeof verifyInputSchema>;

/** What every first state is given from the context object. */
export const executionStartSchema = z.object({
  execution: z.string(),
  executionArn: z.string(),
  startedAt: z.string(),
  input: z.unknown(),
});
export type ExecutionStart = z.infer<typeof executionStartSchema>;

/** @throws InputInvalid naming every finding */
export function parseInput<S extends z.ZodMiniType>(
  schema: S,
  input: unknown,
  machine: string,
  example: string,
): z.output<S> {
  const result = schema.safeParse(input, { reportInput: true });
  if (result.success) {
    return result.data;
  }
  const findings = shapeFindings(result.error.issues, 'it');
  throw new InputInvalid(`The input of ${machine} is not valid: ${findings.join('; ')}.`, {
    hint: `Start it again with an input like ${example}`,
  });
}
