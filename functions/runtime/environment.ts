import * as z from 'zod/mini';
import { siteFunctionsSchema } from '../../core/run.ts';

/**
 * Environment of a function: read once, frozen, and nowhere else. The AWS_ENDPOINT_URL_* variables are the AWS SDK's own
 * (SDK and tools reference guide, service-specific endpoints); unset on AWS.
 */
const environmentSchema = z.object({
  VAULT_BUCKET: z.string(),
  WORK_BUCKET: z.string(),
  DEPLOYMENT: z.string(),
  /** Account that owns both buckets: S3 refuses a bucket of the same name that somebody else has taken. */
  BUCKET_OWNER: z.optional(z.string()),
  AWS_LAMBDA_FUNCTION_NAME: z._default(z.string(), 'rankvault'),
  AWS_ENDPOINT_URL_S3: z.optional(z.string()),
  AWS_ENDPOINT_URL_SFN: z.optional(z.string()),
  AWS_ENDPOINT_URL_SCHEDULER: z.optional(z.string()),
  AWS_ENDPOINT_URL_SECRETS_MANAGER: z.optional(z.string()),
  SITE_FUNCTIONS: z.optional(z.string()),
  RELEASE_MACHINE_ARN: z.optional(z.string()),
  SCHEDULE_GROUP: z.optional(z.string()),
  SCHEDULE_ROLE_ARN: z.optional(z.string()),
  /** Name under which the local runtime keeps its clock; unset on AWS. */
  RANKVAULT_CLOCK: z.optional(z.string()),
  /** For tests; unset on AWS. */
  RANKVAULT_MACHINE_AHEAD_MILLIS: z._default(z.coerce.number(), 0),
});
export type Environment = Readonly<z.infer<typeof environmentSchema>>;

export const environment: Environment = Object.freeze(environmentSchema.parse(process.env));

/** An optional variable that this function cannot do without. */
export function required(name: keyof Environment): string {
  const value = environment[name];
  if (value === undefined) {
    throw new TypeError(`The environment variable ${name} is not set: deploy the stacks again.`);
  }
  return String(value);
}

const siteFunctionsBySite = z.record(z.string(), siteFunctionsSchema);

export function siteFunctions() {
  return siteFunctionsBySite.parse(JSON.parse(required('SITE_FUNCTIONS')));
}
