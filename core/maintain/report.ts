import * as z from 'zod/mini';
import { snapshotDirectorySchema } from '../ids.ts';
import type { MaintainRun } from '../run.ts';
import { amountSchema } from '../verification.ts';

const count = z.int().check(z.nonnegative());

export const hiddenEntrySchema = z.object({
  backup: z.string(),
  snapshot: snapshotDirectorySchema,
  reason: z.string(),
  /** ISO 8601; until then it can be undeleted. */
  bytesKeptUntil: z.string(),
});

export const keptEntrySchema = z.object({ snapshot: snapshotDirectorySchema, reasons: z.array(z.string()) });
export type KeptEntry = z.infer<typeof keptEntrySchema>;

const residueSchema = z.object({ ...amountSchema.shape, for: z.array(snapshotDirectorySchema) });
const lockedSchema = z.object({ ...amountSchema.shape, until: z.optional(z.string()) });

/** What becomes of it when the last window of what this run hides is over, as far as nothing else changes until then. */
const laterSchema = z.object({
  /** Can be deleted then: also residue of older snapshots that only these name. */
  ...amountSchema.shape,
  /** Stays then of what this run hides, because these snapshots name it. */
  residue: residueSchema,
  /** Free, and not deletable before a still later date. */
  locked: lockedSchema,
  at: z.string(),
});
export type Later = z.infer<typeof laterSchema>;

/** What a run of Maintain did, or would do; all numbers are of this run alone. */
export const maintenanceReportSchema = z.object({
  /** At most `MOST_LISTED`; `hiddenCount` is all. */
  hidden: z.array(hiddenEntrySchema),
  hiddenCount: count,
  /** Of `expire`: what stays, and why; at most `MOST_LISTED`. */
  kept: z.optional(z.array(keptEntrySchema)),
  /** Versions of parts that are deleted. */
  frees: amountSchema,
  /** What stays of hidden snapshots, because these snapshots name it; at most `MOST_NAMED` are listed. */
  residue: residueSchema,
  /** Free, and not deletable before then; no date: under a legal hold. */
  locked: lockedSchema,
  /** Of what this run hides and what may be undeleted; none when there is no such thing. */
  later: z.optional(laterSchema),
  /** What earlier runs hid and may still be undeleted: all that it stored, and the earliest date at which some of it goes. */
  hiddenBefore: z.optional(z.object({ ...amountSchema.shape, at: z.string() })),
  /** Versions of records, manifests and attempts that are deleted. */
  catalogObjects: count,
  /** Attempts without a snapshot that are hidden. */
  orphans: count,
  /** Multipart uploads that are aborted. */
  uploads: count,
  staleHolds: count,
  /** Delete markers that are taken away. */
  markers: count,
  merged: z.optional(z.object({ snapshot: snapshotDirectorySchema, ...amountSchema.shape })),
  cost: z.object({
    requests: count,
    stateTransitions: count,
    dollars: z.number(),
    dollarsSavedPerMonth: z.number(),
    /** Of `merge`: storage of the sources beside the new full, as long as they may be undeleted. */
    dollarsKeptTwice: z.optional(z.number()),
  }),
  /** For the operator. */
  next: z.string(),
});
export type MaintenanceReport = z.infer<typeof maintenanceReportSchema>;

/** The output of an execution of Maintain. `planned`: a dry run. */
export const maintenanceResultSchema = z.object({
  outcome: z.enum(['done', 'planned']),
  action: z.string(),
  backup: z.string(),
  report: maintenanceReportSchema,
});
export type MaintenanceResult = z.infer<typeof maintenanceResultSchema>;

/** State of an execution holds 256 KiB; work bucket and vault have the whole report. */
export const MOST_LISTED = 100;
export const MOST_NAMED = 20;

export const NO_COST: MaintenanceReport['cost'] = {
  requests: 0,
  stateTransitions: 0,
  dollars: 0,
  dollarsSavedPerMonth: 0,
};

export function emptyReport(next: string): MaintenanceReport {
  return {
    hidden: [],
    hiddenCount: 0,
    frees: { parts: 0, bytes: 0 },
    residue: { parts: 0, bytes: 0, for: [] },
    locked: { parts: 0, bytes: 0 },
    catalogObjects: 0,
    orphans: 0,
    uploads: 0,
    staleHolds: 0,
    markers: 0,
    cost: NO_COST,
    next,
  };
}

/** As the execution answers it: with bounded lists. */
export function resultOf(
  run: Pick<MaintainRun, 'action' | 'backup' | 'dryRun'>,
  report: MaintenanceReport,
): MaintenanceResult {
  const { hidden, kept, residue, later } = report;
  return {
    outcome: run.dryRun ? 'planned' : 'done',
    action: run.action,
    backup: run.backup,
    report: {
      ...report,
      hidden: hidden.slice(0, MOST_LISTED),
      ...(kept === undefined ? {} : { kept: kept.slice(0, MOST_LISTED) }),
      residue: named(residue),
      ...(later === undefined ? {} : { later: { ...later, residue: named(later.residue) } }),
    },
  };
}

function named(residue: z.infer<typeof residueSchema>): z.infer<typeof residueSchema> {
  return { ...residue, for: residue.for.slice(0, MOST_NAMED) };
}
