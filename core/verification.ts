import * as z from 'zod/mini';
import { formatVersionSchema } from './format.ts';
import { nameSchema, rankNameSchema, snapshotDirectorySchema } from './ids.ts';
import { epochMillisOfIso } from './utc.ts';

/**
 * What verifications find, record and prove. A level never speaks for another: `present` says that every object is there as listed,
 * `read` that bytes have their checksums, `restored` that a restore gave back what was taken.
 */
export const VERIFY_LEVELS = ['present', 'read', 'restored'] as const;
export const verifyLevelSchema = z.enum(VERIFY_LEVELS);
export type VerifyLevel = z.infer<typeof verifyLevelSchema>;

/**
 * damage: a restore of the snapshot would fail or give back something else; risk: it would succeed now, and less protects it than was
 * promised; note: nothing that a snapshot needs. A snapshot with open damage or risk is not built upon.
 */
export type Severity = 'damage' | 'risk' | 'note';

export const FINDING_KINDS = [
  'MissingObject',
  'TruncatedObject',
  'ChangedObject',
  'ArchivedObject',
  'BrokenCatalog',
  'BrokenManifest',
  'HiddenRecord',
  'RestoreFailed',
  'NoncurrentObject',
  'LockEndsEarly',
  'ExtraObject',
] as const;
export const findingKindSchema = z.enum(FINDING_KINDS);
export type FindingKind = z.infer<typeof findingKindSchema>;

const SEVERITIES = {
  /** The version that a manifest names is not there. */
  MissingObject: 'damage',
  /** Shorter than recorded. */
  TruncatedObject: 'damage',
  /** Another size, ETag or checksum than recorded. */
  ChangedObject: 'damage',
  /** A storage class that cannot be read in milliseconds. */
  ArchivedObject: 'damage',
  /** Record, ranks or manifest: missing, unreadable, or not of the digest that was recorded. */
  BrokenCatalog: 'damage',
  /** Lines out of order, outside of the chain, or other sums than recorded. */
  BrokenManifest: 'damage',
  /** A record without tombstone lies under a delete marker: the snapshot has vanished from the catalog. */
  HiddenRecord: 'damage',
  /** A drill failed, or gave back something else. */
  RestoreFailed: 'damage',
  /** The version that is named is there, and a delete marker or another version lies over it. */
  NoncurrentObject: 'risk',
  /** A byte of the snapshot may be deleted before the date that the snapshot promises. */
  LockEndsEarly: 'risk',
  /** Nothing names it; `collect` frees it. */
  ExtraObject: 'note',
} as const satisfies Record<FindingKind, Severity>;

export function severityOf(kind: FindingKind): Severity {
  return SEVERITIES[kind];
}

/** First line of `findings/<id>.jsonl.gz`. */
export const findingsHeaderSchema = z.object({
  formatVersion: formatVersionSchema,
  backup: nameSchema,
  id: z.string(),
});

/** A line of `findings/<id>.jsonl.gz` after its header. */
export const findingSchema = z.object({
  kind: findingKindSchema,
  /** The snapshot that suffers from it: whose record or manifest it is, or whose manifest names the object. */
  snapshot: snapshotDirectorySchema,
  rank: z.optional(rankNameSchema),
  key: z.optional(z.string()),
  versionId: z.optional(z.string()),
  /** What was found and what was expected, one sentence. */
  detail: z.string(),
  /** The directory that stored the version, and the part's path in its rank; of a version that a manifest names. */
  in: z.optional(z.string()),
  path: z.optional(z.string()),
  /** Of LockEndsEarly: when the version is free, ISO 8601. Absent: it is not locked at all. */
  lockedUntil: z.optional(z.string()),
  /** Of one that was found earlier, in another snapshot: the level that found it. @default - the level of the run */
  level: z.optional(verifyLevelSchema),
});
export type Finding = z.infer<typeof findingSchema>;

const count = z.int().check(z.nonnegative());
export const amountSchema = z.object({ parts: count, bytes: count });
export type Amount = z.infer<typeof amountSchema>;

export const NO_AMOUNT: Amount = { parts: 0, bytes: 0 };

export function addAmounts(left: Amount, right: Amount): Amount {
  return { parts: left.parts + right.parts, bytes: left.bytes + right.bytes };
}

/** What is wrong with a snapshot as far as one level knows. Open until the same level finds the whole snapshot without it. */
export const openFindingsSchema = z.object({
  snapshot: snapshotDirectorySchema,
  level: verifyLevelSchema,
  severity: z.enum(['damage', 'risk']),
  kinds: z.partialRecord(findingKindSchema, count),
  /** One of them, in words. */
  example: z.string(),
  since: z.string(),
  /** The verification that found it last. */
  verification: z.string(),
  /** The snapshot was hidden when the verification ended; it can be taken back. */
  hidden: z.optional(z.literal(true)),
});
export type OpenFindings = z.infer<typeof openFindingsSchema>;

/**
 * The state of the backup after a verification, carried forward from the one before: the newest record is all that anybody has to
 * read. What is open of a snapshot stays while it has a record, hidden or not.
 */
export const verifiedStateSchema = z.object({
  open: z.array(openFindingsSchema),
  /** When each level last found the whole snapshot without damage or risk. */
  verified: z.array(
    z.object({
      snapshot: snapshotDirectorySchema,
      present: z.optional(z.string()),
      read: z.optional(z.string()),
      restored: z.optional(z.string()),
    }),
  ),
  coverage: z.object({
    /** Of all parts that visible snapshots name: looked at within 30 days. What was wrong with them is in `open`. */
    present: z.object({ within30Days: amountSchema, total: amountSchema }),
    read: z.object({ within30Days: amountSchema, total: amountSchema }),
    restored: z.optional(
      z.object({ snapshot: snapshotDirectorySchema, at: z.string(), recoverySeconds: z.number(), bytes: count }),
    ),
  }),
});
export type VerifiedState = z.infer<typeof verifiedStateSchema>;

export const NOTHING_VERIFIED: VerifiedState = {
  open: [],
  verified: [],
  coverage: {
    present: { within30Days: { parts: 0, bytes: 0 }, total: { parts: 0, bytes: 0 } },
    read: { within30Days: { parts: 0, bytes: 0 }, total: { parts: 0, bytes: 0 } },
  },
};

/** `verifications/<id>.json`: one run, write-once, the last write of the run. */
export const verificationSchema = z.object({
  formatVersion: formatVersionSchema,
  id: z.string(),
  backup: nameSchema,
  level: verifyLevelSchema,
  /** `latest`, `all`, `budget`, or a snapshot, as it was asked for. */
  scope: z.string(),
  execution: z.string(),
  executionArn: z.string(),
  startedAt: z.string(),
  finishedAt: z.string(),
  /** What this run looked at. */
  checked: amountSchema,
  /** Snapshots of which this run has looked at everything that its level looks at. */
  snapshots: z.array(snapshotDirectorySchema),
  findings: z.partialRecord(findingKindSchema, count),
  /** Snapshots that were visible when it ended: held against everything that was open then. @default - nobody knows */
  visible: z.optional(z.array(snapshotDirectorySchema)),
  /** Of a drill. */
  drill: z.optional(
    z.object({
      snapshot: snapshotDirectorySchema,
      cluster: nameSchema,
      restoreExecution: z.string(),
      /** From the start to the end of the restore. */
      recoverySeconds: z.number(),
      ...amountSchema.shape,
    }),
  ),
  state: verifiedStateSchema,
});
export type Verification = z.infer<typeof verificationSchema>;

/** `20261123T070000.123Z-read-0a1b2c3d`: sorts by the time when the run got its turn, and no two executions share one. */
export function verificationId(plannedAtIso: string, level: VerifyLevel, nonce: string): string {
  return `${plannedAtIso.replaceAll(/[-:]/g, '')}-${level}-${nonce.slice(0, 8)}`;
}

const ID = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})([\d.]+Z)-([a-z]+)-/;

/** When and at which level; undefined when the text is no verification's id. */
export function partsOfVerificationId(
  id: string,
): { readonly plannedAtEpochMillis: number; readonly level: string } | undefined {
  const [, year, month, day, hours, minutes, seconds, level] = ID.exec(id) ?? [];
  const plannedAtEpochMillis = epochMillisOfIso(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}`);
  return plannedAtEpochMillis === undefined || level === undefined ? undefined : { plannedAtEpochMillis, level };
}

/** Snapshots that must not be built upon, each with why, in words for the record of the next snapshot. */
export function unsoundSnapshots(state: VerifiedState): ReadonlyMap<string, string> {
  const reasons = new Map<string, string>();
  for (const { snapshot, level, kinds, example } of state.open) {
    const counted = Object.entries(kinds).map(([kind, found]) => `${found} ${kind}`);
    reasons.set(snapshot, `verification (${level}) found ${counted.join(', ')} in it: ${example}`);
  }
  return reasons;
}
