import { describe, expect, it } from 'vitest';
import { costOf } from '../../../core/maintain/cost.ts';
import { nextStep } from '../../../core/maintain/next-step.ts';
import { emptyReport, type MaintenanceReport, resultOf } from '../../../core/maintain/report.ts';
import { NOTHING_SURVEYED } from '../../../core/maintain/survey.ts';

const NAME = 'snapshot.2026-01-31.22-00-00';
const RUN = { action: 'expire', backup: 'prod', dryRun: false };
const FACTS = { action: 'purge', totals: { overlaid: 0, unreadable: 0, doubtful: 0 }, unforeseen: 0 };

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

describe('what a merge costs', () => {
  const work = { parts: 1000, bytes: 1024 ** 4, ranks: 4, batches: 32, ranges: 0, uploads: 0, undeleteDays: 15 };
  const none = { units: 0, hidden: 0, totals: NOTHING_SURVEYED, frees: { parts: 0, bytes: 0 } };

  it('grows with the parts that it copies', () => {
    const some = costOf({ ...none, merge: work });
    const more = costOf({ ...none, merge: { ...work, parts: 1_001_000, batches: 1032 } });
    expect(more.requests - some.requests).toBeGreaterThanOrEqual(1_000_000);
    expect(more.dollars - some.dollars).toBeGreaterThanOrEqual(5);
    expect(more.stateTransitions - some.stateTransitions).toBe(5000);
  });

  it('grows with ranges and ranks', () => {
    const some = costOf({ ...none, merge: work });
    expect(costOf({ ...none, merge: { ...work, ranges: 8192 } }).requests - some.requests).toBe(8192);
    const ranks = costOf({ ...none, merge: { ...work, ranks: 5 } });
    expect(ranks.requests).toBeGreaterThan(some.requests);
    expect(ranks.stateTransitions).toBeGreaterThan(some.stateTransitions);
  });

  it('counts what is stored twice until the sources are gone', () => {
    expect(costOf({ ...none, merge: work }).dollarsKeptTwice).toBe(11.776);
    expect(costOf(none)).not.toHaveProperty('dollarsKeptTwice');
  });
});

describe('what the operator is told', () => {
  it('is that nothing is left, when nothing is', () => {
    expect(nextStep(emptyReport(''), { ...FACTS, dryRun: false, notes: [] })).toBe('Nothing is left to be done.');
  });

  it('is first what was noted, and last that a dry run changed nothing', () => {
    const report = { ...emptyReport(''), residue: { parts: 1, bytes: 1, for: [NAME] } };
    expect(nextStep(report, { ...FACTS, dryRun: true, notes: ['Noted.'] })).toBe(
      'Noted. Residue goes when the snapshots that name it are gone. Nothing was changed: start it again without "dryRun" to do it.',
    );
  });

  it('is to verify again what was repaired', () => {
    const report = { ...emptyReport(''), markers: 1 };
    const facts = { ...FACTS, action: 'repair', notes: [] };
    expect(nextStep(report, { ...facts, dryRun: false })).toBe(
      'Verify again (present): findings of what was repaired stay open until then.',
    );
    expect(nextStep(report, { ...facts, dryRun: true })).not.toContain('Verify again');
    expect(nextStep(report, { ...facts, action: 'collect', dryRun: false })).not.toContain('Verify again');
  });

  it('is for how many snapshots something stays, without naming all', () => {
    const residue = { parts: 2, bytes: 9, for: ['a', 'b', 'c', 'd', 'e'] };
    const later = { parts: 0, bytes: 0, residue, locked: { parts: 0, bytes: 0 }, at: '2026-02-07T22:00:00.000Z' };
    expect(nextStep({ ...emptyReport(''), later }, { ...FACTS, dryRun: false, notes: [] })).toContain(
      'deletes no parts. 2 parts (9 bytes) stay then, because a, b, c and 2 more name them.',
    );
  });
});
