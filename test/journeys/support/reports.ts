import { expect } from 'vitest';
import type { JsonObject } from '../../../local/workflow/json.ts';
import type { Journey } from './journey.ts';
import type { MaintenanceReport } from './outcomes.ts';
import { wholeVaultOf } from './vault-contents.ts';

/** What a report says will be, or was, done; not how much it cost to say so, and no time of day. */
function deeds({ cost: _, next: __, ...report }: MaintenanceReport) {
  const { later, hiddenBefore, merged } = report;
  return {
    ...report,
    hidden: report.hidden.map(({ snapshot, backup }) => ({ snapshot, backup })),
    later: later && { ...later, at: undefined, locked: { ...later.locked, until: undefined } },
    hiddenBefore: hiddenBefore && { ...hiddenBefore, at: undefined },
    // Of a dry run the directory that it would have claimed at that second.
    merged: merged && { ...merged, snapshot: undefined },
  };
}

/** First as a dry run, which must change nothing and must tell exactly what the real run then does. */
export async function tryThenDo(
  journey: Journey,
  of: { readonly backup: string },
  action: string,
  more: JsonObject = {},
): Promise<MaintenanceReport> {
  const before = await wholeVaultOf(journey.laptop, of.backup);
  const plan = await journey.maintain(of, action, { ...more, dryRun: true });
  expect(await wholeVaultOf(journey.laptop, of.backup)).toEqual(before);
  const done = await journey.maintain(of, action, more);
  expect([plan.outcome, done.outcome]).toEqual(['planned', 'done']);
  expect(deeds(done.report)).toEqual(deeds(plan.report));
  return done.report;
}
