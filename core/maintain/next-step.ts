import type { Later, MaintenanceReport } from './report.ts';
import type { SurveyTotals } from './survey.ts';

interface Facts {
  readonly action: string;
  readonly dryRun: boolean;
  readonly notes: readonly string[];
  readonly totals: Pick<SurveyTotals, 'overlaid' | 'unreadable' | 'doubtful'>;
  /** Lists and manifests that could not be read, so that `later` lacks what they name. */
  readonly unforeseen: number;
}

type Reported = Omit<MaintenanceReport, 'next' | 'cost'>;

/** What the operator should know and do now: what was noted while planning, then what the numbers mean. */
export function nextStep(report: Reported, facts: Facts): string {
  const { later, locked, residue } = report;
  const known = [
    ...facts.notes,
    ...(later === undefined ? [] : laterNotes(report, later)),
    ...(facts.unforeseen > 0
      ? [
          `What goes later is not all known, because ${facts.unforeseen} lists or manifests could not be read: verify (present).`,
        ]
      : []),
    ...(locked.parts > 0 ? [lockedNote(locked.until)] : []),
    ...(residue.parts > 0 ? ['Residue goes when the snapshots that name it are gone.'] : []),
    ...findings(report, facts),
  ];
  const done = facts.dryRun ? ['Nothing was changed: start it again without "dryRun" to do it.'] : [];
  return [...known, ...done].join(' ') || 'Nothing is left to be done.';
}

/** Windows of several backups may differ: the first end is what an operator must not miss, the last is when all of it is due. */
function laterNotes({ hidden }: Reported, { parts, bytes, residue, locked, at }: Later): readonly string[] {
  const first = hidden.map(({ bytesKeptUntil }) => bytesKeptUntil).sort()[0] ?? at;
  const names = residue.for.slice(0, MOST_WRITTEN).join(', ');
  const more = residue.for.length > MOST_WRITTEN ? ` and ${residue.for.length - MOST_WRITTEN} more` : '';
  const what = parts > 0 ? `deletes ${parts} parts (${bytes} bytes)` : 'deletes no parts';
  return [
    `What is hidden can be undeleted until ${first} at least. The first expire or collect after ${at} ${what}.`,
    ...(residue.parts > 0
      ? [
          `${residue.parts} parts (${residue.bytes} bytes) stay then, because ${names}${more} ${residue.for.length === 1 ? 'names' : 'name'} them.`,
        ]
      : []),
    ...(locked.parts > 0
      ? [`${locked.parts} parts (${locked.bytes} bytes) are locked then, and can be deleted after ${locked.until}.`]
      : []),
  ];
}

/** A sentence takes so many names; the report has more. */
const MOST_WRITTEN = 3;

function findings({ markers }: Reported, { action, dryRun, totals }: Facts): readonly string[] {
  const { overlaid, unreadable, doubtful } = totals;
  return [
    ...(overlaid > 0
      ? [
          `${overlaid} versions that are named lie under other versions: restores find them; look at the others by hand.`,
        ]
      : []),
    ...(doubtful > 0
      ? [
          `${doubtful} versions or delete markers stay that nothing names, because the named version of their part is missing or not the current one: look at them by hand.`,
        ]
      : []),
    ...(unreadable > 0
      ? [
          `${unreadable} manifests could not be read: repair once more, now that what lay over them is gone, then verify.`,
        ]
      : []),
    ...(action === 'repair' && markers > 0 && !dryRun
      ? ['Verify again (present): findings of what was repaired stay open until then.']
      : []),
  ];
}

function lockedNote(until: string | undefined): string {
  return until === undefined
    ? 'What is under a legal hold stays until somebody takes the hold off.'
    : `What is locked can be deleted after ${until}: the first expire or collect after that does it.`;
}
