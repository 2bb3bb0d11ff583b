import type { MaintenanceReport } from './report.ts';
import type { SurveyTotals } from './survey.ts';

/** What the operator should know and do now: what was noted while planning, then what the numbers mean. */
export function nextStep(
  report: Omit<MaintenanceReport, 'next' | 'cost'>,
  facts: {
    readonly dryRun: boolean;
    readonly notes: readonly string[];
    readonly totals: Pick<SurveyTotals, 'overlaid' | 'unreadable'>;
  },
): string {
  const { later, locked, residue } = report;
  const { overlaid, unreadable } = facts.totals;
  const known = [
    ...facts.notes,
    ...(later === undefined
      ? []
      : [
          `What is hidden can be undeleted until ${later.at} at least; the first expire or collect after that frees it.`,
        ]),
    ...(locked.parts > 0 ? [lockedNote(locked.until)] : []),
    ...(residue.parts > 0 ? ['Residue goes when the snapshots that name it are gone.'] : []),
    ...(overlaid > 0
      ? [
          `${overlaid} versions that are named lie under other versions: restores find them; look at the others by hand.`,
        ]
      : []),
    ...(unreadable > 0
      ? [
          `${unreadable} manifests could not be read: repair once more, now that what lay over them is gone, then verify.`,
        ]
      : []),
  ];
  const done = facts.dryRun ? ['Nothing was changed: start it again without "dryRun" to do it.'] : [];
  return [...known, ...done].join(' ') || 'Nothing is left to be done.';
}

function lockedNote(until: string | undefined): string {
  return until === undefined
    ? 'What is under a legal hold stays until somebody takes the hold off.'
    : `What is locked can be deleted after ${until}: the first expire or collect after that does it.`;
}
