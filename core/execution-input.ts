import * as z from 'zod/mini';
import { snapshotTypeSchema } from './config/schema.ts';
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

export const restoreInputSchema = z.strictObject({
  backup: nameSchema,
  /** `latest`, an id or a directory. */
  snapshot: z._default(
    z
      .string()
      .check(
        z.regex(
          /^(latest|\d{13}|snapshot\.\d{4}-\d{2}-\d{2}\.\d{2}-\d{2}-\d{2})$/,
          'must be "latest", an id of 13 digits, or a directory like snapshot.2026-01-31.23-59-59',
        ),
      ),
    'latest',
  ),
  /** Target cluster; may be another than the one backed up. */
  cluster: nameSchema,
  options: z._default(restoreOptionsSchema, {
    policy: 'none',
    dryRun: false,
    targetIsStopped: false,
    trustTimes: false,
  }),
});
export type RestoreInput = z.infer<typeof restoreInputSchema>;

export const releaseInputSchema = z.object({ cluster: nameSchema, nonce: z.string(), reason: z.optional(z.string()) });

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
