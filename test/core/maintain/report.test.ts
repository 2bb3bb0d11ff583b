import { describe, expect, it } from 'vitest';
import { costOf } from '../../../core/maintain/cost.ts';
import { nextStep } from '../../../core/maintain/next-step.ts';
import { emptyReport, type MaintenanceReport, resultOf } from '../../../core/maintain/report.ts';
import { NOTHING_SURVEYED } from '../../../core/maintain/survey.ts';

const NAME = 'snapshot.2026-01-31.22-00-00';
const RUN = { action: 'expire', backup: 'prod', dryRun: false };
const SOUND = { overlaid: 0, unreadable: 0 };

function manySnapshots(count: number): MaintenanceReport {
  const hidden = {
    backup: 'prod',
    snapshot: NAME,
    reason: 'x'.repeat(500),
    bytesKeptUntil: '2026-02-07T22:00:00.000Z',
  };
  const empty = emptyReport('Nothing.');
  return {
    ...empty,
    hidden: Array.from({ length: count }, () => hidden),
    hiddenCount: count,
    kept: Array.from({ length: count }, () => ({ snapshot: NAME, reasons: ['y'.repeat(500)] })),
    residue: { ...empty.residue, for: Array.from({ length: count }, () => NAME) },
  };
}

describe('the answer of a maintenance', () => {
  it('fits into the state of an execution, however many snapshots it is about', () => {
    const result = resultOf(RUN, manySnapshots(10_000));
    expect(JSON.stringify(result).length).toBeLessThan(262_144);
    expect(result.report.hiddenCount).toBe(10_000);
    expect([result.report.hidden.length, result.report.kept?.length, result.report.residue.for.length]).toEqual([
      100, 100, 20,
    ]);
  });

  it('says whether anything was done', () => {
    expect(resultOf(RUN, manySnapshots(0)).outcome).toBe('done');
    expect(resultOf({ ...RUN, dryRun: true }, manySnapshots(0)).outcome).toBe('planned');
  });
});

describe('what a maintenance costs', () => {
  it('is a request of listing and one of deletion for 1,000 versions, and little beside', () => {
    const totals = { ...NOTHING_SURVEYED, listed: 1_000_000, freeParts: 1_000_000, freeBytes: 1024 ** 4 };
    const frees = { parts: 1_000_000, bytes: 1024 ** 4 };
    const cost = costOf({ units: 1, hidden: 1, totals, frees });
    expect(cost.requests / 1_000_000).toBeLessThan(0.003);
    expect(cost).toMatchObject({ stateTransitions: 419, dollarsSavedPerMonth: 23.552 });
  });
});

describe('what the operator is told', () => {
  it('is that nothing is left, when nothing is', () => {
    expect(nextStep(emptyReport(''), { dryRun: false, notes: [], totals: SOUND })).toBe('Nothing is left to be done.');
  });

  it('is first what was noted, and last that a dry run changed nothing', () => {
    const report = { ...emptyReport(''), residue: { parts: 1, bytes: 1, for: [NAME] } };
    expect(nextStep(report, { dryRun: true, notes: ['Noted.'], totals: SOUND })).toBe(
      'Noted. Residue goes when the snapshots that name it are gone. Nothing was changed: start it again without "dryRun" to do it.',
    );
  });
});
