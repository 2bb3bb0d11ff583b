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
  residue: z.object({ ...amountSchema.shape, for: z.array(snapshotDirectorySchema) }),
  /** Free, and not deletable before then; no date: under a legal hold. */
  locked: z.object({ ...amountSchema.shape, until: z.optional(z.string()) }),
  /** What hidden snapshots stored and may be undeleted; the earliest date at which some of it goes. */
  later: z.optional(z.object({ ...amountSchema.shape, at: z.string() })),
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
  const { hidden, kept, residue } = report;
  return {
    outcome: run.dryRun ? 'planned' : 'done',
    action: run.action,
    backup: run.backup,
    report: {
      ...report,
      hidden: hidden.slice(0, MOST_LISTED),
      ...(kept === undefined ? {} : { kept: kept.slice(0, MOST_LISTED) }),
      residue: { ...residue, for: residue.for.slice(0, MOST_NAMED) },
    },
  };
}
