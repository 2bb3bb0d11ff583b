import * as z from 'zod/mini';

const rankSchema = z.union([z.int(), z.string()]);

/** What an item of a Map is about, itself or by its unit: batches name less than ranks do. */
const placeShape = {
  backup: z.optional(z.string()),
  snapshot: z.optional(z.string()),
  /** Where bytes lie that are to be freed. */
  directory: z.optional(z.string()),
  rank: z.optional(rankSchema),
  part: z.optional(z.string()),
};

/** What the requests of the state machines have in common: a run, or, where there is none yet or none any more, what is known. */
const requestSchema = z.looseObject({
  run: z.optional(
    z.looseObject({
      machine: z.enum(['Snapshot', 'Restore', 'Maintain', 'Verify']),
      execution: z.string(),
      backup: z.string(),
      snapshot: z.optional(z.string()),
      cluster: z.optional(z.string()),
    }),
  ),
  /** Planning and aborting. */
  execution: z.optional(z.string()),
  input: z.optional(z.unknown()),
  /** Releasing. */
  release: z.optional(z.unknown()),
  rank: z.optional(rankSchema),
  item: z.optional(z.looseObject({ ...placeShape, unit: z.optional(z.looseObject(placeShape)) })),
});
export type Subject = z.infer<typeof requestSchema>;

const namesSchema = z.looseObject({
  backup: z.optional(z.string()),
  snapshot: z.optional(z.string()),
  cluster: z.optional(z.string()),
  nonce: z.optional(z.string()),
});

/** @returns an empty subject for a request that is none */
export function subjectOf(request: unknown): Subject {
  const result = requestSchema.safeParse(request);
  return result.success ? result.data : {};
}

/** Keys of every log line of an invocation: execution, backup, snapshot and rank as far as the request knows them. */
export function logKeysOf(subject: Subject): Readonly<Record<string, string>> {
  const { run, execution, input, release, rank, item } = subject;
  const named = run ?? namesOf(release) ?? namesOf(input) ?? {};
  const place = item?.unit ?? item;
  const keys = {
    execution: run?.execution ?? execution,
    // A run of Maintain may be about several backups, and one of Verify about all snapshots: the item says which.
    backup: place?.backup ?? named.backup,
    snapshot: place?.snapshot ?? place?.directory ?? named.snapshot,
    cluster: named.cluster,
    nonce: run === undefined ? namesOf(release)?.nonce : undefined,
    rank: rank ?? place?.rank ?? place?.part,
  };
  const known = Object.entries(keys).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known.map(([key, value]) => [key, String(value)]));
}

function namesOf(value: unknown): z.infer<typeof namesSchema> | undefined {
  const result = namesSchema.safeParse(value);
  return value === undefined || !result.success ? undefined : result.data;
}
