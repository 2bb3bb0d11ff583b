import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retentionSchema } from '../../core/config/schema.ts';
import { directoryOfId } from '../../core/ids.ts';
import type { SnapshotRecord } from '../../core/records.ts';
import { decideRetention, type RetentionQuestion } from '../../core/retention.ts';
import { NOTHING_VERIFIED, type OpenFindings, type VerifiedState } from '../../core/verification.ts';
import { snapshotRecord } from '../support/sample-lines.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
/** A Saturday. */
const NOW = Date.UTC(2026, 0, 31, 22);

/** Taken so many days before now. */
function taken(daysAgo: number, change: Partial<SnapshotRecord> = {}): SnapshotRecord {
  return takenAt(NOW - daysAgo * DAY, change);
}

function takenAt(epochMillis: number, change: Partial<SnapshotRecord> = {}): SnapshotRecord {
  const id = String(epochMillis);
  const snapshot = directoryOfId(id);
  return snapshotRecord({ id, snapshot, full: snapshot, takenAt: new Date(epochMillis).toISOString(), ...change });
}

const incremental = (daysAgo: number, base: SnapshotRecord) =>
  taken(daysAgo, { type: 'incremental', base: base.snapshot, full: base.full });
const differential = (daysAgo: number, full: SnapshotRecord) =>
  taken(daysAgo, { type: 'differential', base: full.snapshot, full: full.snapshot });

const finding = ({ snapshot }: SnapshotRecord, severity: 'damage' | 'risk'): OpenFindings => ({
  snapshot,
  level: 'present',
  severity,
  kinds: { [severity === 'damage' ? 'MissingObject' : 'LockEndsEarly']: 1 },
  example: 'one of them',
  since: '2026-01-31T21:00:00.000Z',
  verification: 'v',
});
const pin = ({ snapshot }: SnapshotRecord) => ({
  formatVersion: 1 as const,
  backup: 'prod',
  snapshot,
  reason: 'end of year',
  at: '2026-01-01T00:00:00.000Z',
  execution: 'pin-1',
});
const FREEZE = {
  formatVersion: 1 as const,
  backup: 'prod',
  reason: 'audit',
  at: '2026-01-01T00:00:00.000Z',
  execution: 'f',
};

/** The least that may be configured: one full and one day. */
const LEAST = retentionSchema.parse({ keepFulls: 1, keepDays: 1 });

const question = (change: Partial<RetentionQuestion>): RetentionQuestion => ({
  snapshots: [],
  policy: LEAST,
  nowEpochMillis: NOW,
  pins: [],
  frozen: undefined,
  state: NOTHING_VERIFIED,
  ...change,
});

const state = (change: Partial<VerifiedState>): VerifiedState => ({ ...NOTHING_VERIFIED, ...change });
const policy = (change: object) => retentionSchema.parse({ keepFulls: 1, keepDays: 1, ...change });

const expired = (asked: RetentionQuestion) =>
  decideRetention(asked)
    .filter(({ verdict }) => verdict === 'expire')
    .map(({ snapshot }) => snapshot);
const directories = (records: readonly SnapshotRecord[]) => records.map(({ snapshot }) => snapshot);
const reasonsFor = ({ snapshot }: SnapshotRecord, asked: RetentionQuestion) =>
  decideRetention(asked).find((verdict) => verdict.snapshot === snapshot)?.reasons ?? [];

const full60 = taken(60);
const inc55 = incremental(55, full60);
const dif54 = differential(54, full60);
const full40 = taken(40);
const inc39 = incremental(39, full40);
const inc38 = incremental(38, inc39);
const dif37 = differential(37, full40);
const full3 = taken(3);
const inc2 = incremental(2, full3);
const ALL = [full60, inc55, dif54, full40, inc39, inc38, dif37, full3, inc2];
const merged38 = taken(38, { mergedFrom: [full40.snapshot, inc39.snapshot] });

describe('retention', () => {
  it.each<[string, Partial<RetentionQuestion>, readonly SnapshotRecord[]]>([
    ['nothing of nothing', {}, []],
    ['nothing that is young', { snapshots: [full3, inc2], policy: policy({ keepDays: 7 }) }, []],
    [
      'all but the newest full with what is built on it, and what the window began with and that builds on',
      { snapshots: ALL, policy: policy({ keepDays: 7 }) },
      [full60, inc55, dif54, inc39, inc38],
    ],
    [
      'nothing between an incremental, with which the window began, and its full',
      { snapshots: [full60, full40, inc39, inc38, full3], policy: policy({ keepDays: 7 }) },
      [full60],
    ],
    [
      'nothing of two fulls when two are kept',
      { snapshots: ALL, policy: policy({ keepFulls: 2 }) },
      [full60, inc55, dif54],
    ],
    [
      'a merged full, which is no real one',
      { snapshots: [full60, merged38, inc2, full3], policy: policy({ keepFulls: 2 }) },
      [merged38],
    ],
    [
      'a damaged full instead of a good one',
      {
        snapshots: [full60, full40, full3, inc2],
        policy: policy({ keepFulls: 2 }),
        state: state({ open: [finding(full40, 'damage')] }),
      },
      [full40],
    ],
    [
      'a full with an open risk, as a full',
      {
        snapshots: [full60, full40, full3, inc2],
        policy: policy({ keepFulls: 2 }),
        state: state({ open: [finding(full40, 'risk')] }),
      },
      [full40],
    ],
    ['no pinned one', { snapshots: ALL, policy: policy({ keepFulls: 2 }), pins: [pin(full60)] }, [inc55, dif54]],
    ['nothing of a frozen backup', { snapshots: ALL, frozen: FREEZE }, []],
    [
      'not the newest verified one',
      {
        snapshots: [full60, full40, full3, inc2],
        state: state({
          verified: [
            { snapshot: full60.snapshot, restored: '2026-01-01T00:00:00.000Z' },
            { snapshot: full40.snapshot, present: '2026-01-01T00:00:00.000Z' },
          ],
        }),
      },
      [full60],
    ],
    [
      'a verified one in which something was found since',
      {
        snapshots: [full60, full40, full3, inc2],
        state: state({
          verified: [
            { snapshot: full60.snapshot, read: '2026-01-01T00:00:00.000Z' },
            { snapshot: full40.snapshot, read: '2026-01-01T00:00:00.000Z' },
          ],
          open: [finding(full40, 'risk')],
        }),
      },
      [full40],
    ],
    [
      'a snapshot of which no level ever found everything',
      { snapshots: [full60, full40, full3, inc2], state: state({ verified: [{ snapshot: full60.snapshot }] }) },
      [full60, full40],
    ],
    [
      'damaged ones, never the newest good one before them',
      {
        snapshots: [full60, full40, inc39, inc38],
        state: state({ open: [finding(full40, 'damage'), finding(inc39, 'damage'), finding(inc38, 'damage')] }),
      },
      [full40, inc39, inc38],
    ],
    [
      'nothing when no snapshot is good',
      { snapshots: [full60, full40], state: state({ open: [finding(full60, 'damage'), finding(full40, 'damage')] }) },
      [],
    ],
    [
      'no snapshot whose time makes no sense',
      { snapshots: [taken(50, { takenAt: '', type: 'incremental' }), full60, full40, full3, inc2] },
      [full60, full40],
    ],
  ])('expires %s', (_what, change, gone) => {
    expect(expired(question(change))).toEqual(directories(gone));
  });

  it('keeps a snapshot of exactly so many days', () => {
    const snapshots = [taken(40), takenAt(NOW - 7 * DAY - 1), taken(7), taken(1)];
    const asked = question({ snapshots, policy: policy({ keepDays: 7 }) });
    expect(decideRetention(asked).map(({ verdict }) => verdict)).toEqual(['expire', 'keep', 'keep', 'keep']);
    expect(reasonsFor(taken(7), asked)).toEqual(['of the last 7 days']);
  });

  it('takes the newest good one as what the window began with', () => {
    const asked = question({
      snapshots: [full60, full40, full3],
      policy: policy({ keepDays: 7 }),
      state: state({ open: [finding(full40, 'damage')] }),
    });
    expect(expired(asked)).toEqual([full40.snapshot]);
    expect(reasonsFor(full60, asked)).toEqual(['what the last 7 days began with']);
  });

  it('keeps what a snapshot of the window builds on, also when another was taken between', () => {
    const late = differential(2, full60);
    const asked = question({ snapshots: [full60, inc55, full40, late, full3], policy: policy({ keepDays: 7 }) });
    expect(expired(asked)).toEqual([inc55.snapshot]);
    expect(reasonsFor(full60, asked)).toEqual(['the last 7 days build on it']);
  });

  it('follows a chain as far as it is visible, and a broken one without end', () => {
    const hiddenBase = incremental(38, inc39);
    const asked = question({ snapshots: [full40, hiddenBase, full3, inc2], policy: policy({ keepDays: 7 }) });
    expect(expired(asked)).toEqual([full40.snapshot]);
    const loop = [taken(40, { type: 'incremental', base: inc39.snapshot }), incremental(39, full40)];
    expect(expired(question({ snapshots: [...loop, full3], policy: policy({ keepDays: 7 }) }))).toEqual([]);
  });

  it('lets the oldest go first when too many would go, and says that the others are next', () => {
    const asked = question({ snapshots: ALL, policy: policy({ keepDays: 7, maxExpirePerRun: 2 }) });
    expect(expired(asked)).toEqual([full60.snapshot, inc55.snapshot]);
    expect(reasonsFor(dif54, asked)).toEqual([
      'next run: no rule keeps it, but one run expires 2 at most (maxExpirePerRun), the oldest first',
    ]);
  });
});

describe('periods', () => {
  const at = (text: string) => takenAt(Date.parse(text));
  /** Kept by its period alone. */
  const keptOf = (setting: string, number: number, ...texts: readonly string[]) => {
    const young = [taken(0.2), taken(0.1)];
    const asked = question({
      snapshots: [...texts.map(at), at('2026-01-29T00:00:00Z'), ...young],
      policy: policy({ [setting]: number }),
    });
    const reasons = decideRetention(asked).map((verdict) =>
      verdict.reasons.filter((reason) => reason.includes(setting)),
    );
    return texts.filter((_, index) => (reasons[index] ?? []).length > 0);
  };

  it.each<[string, number, readonly string[], readonly string[]]>([
    [
      'keepHourly',
      5,
      ['2026-01-20T10:59:59.999Z', '2026-01-20T11:00:00Z', '2026-01-20T11:59:59Z'],
      ['2026-01-20T10:59:59.999Z', '2026-01-20T11:59:59Z'],
    ],
    [
      'keepDaily',
      4,
      ['2026-01-10T00:00:00Z', '2026-01-20T00:00:00Z', '2026-01-20T23:59:59Z'],
      ['2026-01-10T00:00:00Z', '2026-01-20T23:59:59Z'],
    ],
    // Sunday and Monday; the year does not matter.
    [
      'keepWeekly',
      3,
      ['2025-12-28T23:59:59Z', '2025-12-29T00:00:00Z', '2026-01-04T23:59:59Z'],
      ['2025-12-28T23:59:59Z', '2026-01-04T23:59:59Z'],
    ],
    [
      'keepMonthly',
      3,
      ['2025-11-30T00:00:00Z', '2025-12-01T00:00:00Z', '2025-12-31T23:59:59Z'],
      ['2025-11-30T00:00:00Z', '2025-12-31T23:59:59Z'],
    ],
    ['keepMonthly', 2, ['2025-11-30T00:00:00Z', '2025-12-31T00:00:00Z'], ['2025-12-31T00:00:00Z']],
    ['keepMonthly', 0, ['2025-11-30T00:00:00Z', '2025-12-31T00:00:00Z'], []],
  ])('%s: %i keeps the newest of each, of those that have one', (setting, number, texts, kept) => {
    expect(keptOf(setting, number, ...texts)).toEqual(kept);
  });

  it('never count a damaged snapshot', () => {
    const [good, damaged] = [at('2025-12-30T00:00:00Z'), at('2025-12-31T00:00:00Z')];
    const asked = question({
      snapshots: [good, damaged, at('2026-01-28T00:00:00Z'), at('2026-01-29T00:00:00Z')],
      policy: policy({ keepMonthly: 2 }),
      state: state({ open: [finding(damaged, 'damage')] }),
    });
    expect(reasonsFor(good, asked)).toEqual(['the newest of 2025-12 (keepMonthly: 2)']);
    expect(reasonsFor(damaged, asked)).toContain('a verification found it unsound');
  });

  it('are named in words', () => {
    const asked = question({
      snapshots: [at('2025-12-31T23:00:00Z'), full3, inc2],
      policy: policy({ keepHourly: 9, keepDaily: 9, keepWeekly: 9, keepMonthly: 9 }),
    });
    expect(reasonsFor(at('2025-12-31T23:00:00Z'), asked)).toEqual([
      'the newest of 2025-12-31T23h (keepHourly: 9)',
      'the newest of 2025-12-31 (keepDaily: 9)',
      'the newest of the week from 2025-12-29 (keepWeekly: 9)',
      'the newest of 2025-12 (keepMonthly: 9)',
    ]);
  });
});

describe('the reasons', () => {
  it('to keep are all told', () => {
    const asked = question({
      snapshots: ALL,
      policy: policy({ keepFulls: 2, keepDays: 7 }),
      pins: [pin(full40)],
      frozen: FREEZE,
      state: state({ verified: [{ snapshot: inc2.snapshot, present: 'x', restored: 'y' }] }),
    });
    expect(reasonsFor(full40, asked)).toEqual([
      'the backup is frozen: audit',
      'pinned: end of year',
      'one of the newest fulls (keepFulls: 2)',
      'the last 7 days build on it',
    ]);
    expect(reasonsFor(inc2, asked)).toEqual([
      'the backup is frozen: audit',
      'the newest good snapshot',
      'the newest verified snapshot (present, restored)',
      `built on ${full3.snapshot}, one of the newest fulls (keepFulls: 2)`,
      'of the last 7 days',
    ]);
  });

  it('to let go say what no rule found', () => {
    const asked = question({ snapshots: ALL, policy: policy({ keepDays: 7, keepMonthly: 1 }) });
    expect(reasonsFor(inc39, asked)).toEqual([
      'older than the last 7 days',
      'neither one of the newest fulls (keepFulls: 1) nor built on one',
      'not the newest of a period that is kept',
    ]);
  });
});

/** Any series: bases are earlier snapshots, also hidden ones; findings, pins and verifications anywhere. */
const questions = fc
  .record({
    gaps: fc.array(fc.integer({ min: 1, max: 30 * 24 }), { maxLength: 25 }),
    seeds: fc.array(fc.nat(), { minLength: 25, maxLength: 25 }),
    hidden: fc.array(fc.nat(24), { maxLength: 5 }),
    policy: fc.record({
      keepFulls: fc.integer({ min: 1, max: 4 }),
      keepDays: fc.integer({ min: 1, max: 60 }),
      keepHourly: fc.nat(5),
      keepDaily: fc.nat(5),
      keepWeekly: fc.nat(5),
      keepMonthly: fc.nat(5),
      maxExpirePerRun: fc.integer({ min: 1, max: 30 }),
    }),
    pinned: fc.array(fc.nat(24), { maxLength: 3 }),
    damaged: fc.array(fc.nat(24), { maxLength: 12 }),
    risky: fc.array(fc.nat(24), { maxLength: 6 }),
    verified: fc.array(fc.nat(24), { maxLength: 6 }),
    frozen: fc.boolean(),
  })
  .map(({ gaps, seeds, hidden, policy: settings, ...marks }): RetentionQuestion => {
    const all: SnapshotRecord[] = [];
    let hoursAgo = gaps.reduce((sum, gap) => sum + gap, 0);
    for (const [index, gap] of gaps.entries()) {
      const seed = seeds[index] ?? 0;
      const base = seed % 3 === 0 ? undefined : all[Math.floor(seed / 3) % Math.max(1, all.length)];
      const change =
        base === undefined
          ? { ...(seed % 2 === 0 ? { mergedFrom: [full40.snapshot] } : {}) }
          : { type: 'incremental' as const, base: base.snapshot, full: base.full };
      all.push(takenAt(NOW - hoursAgo * HOUR, change));
      hoursAgo -= gap;
    }
    const at = (indexes: readonly number[]) => indexes.flatMap((index) => all[index] ?? []);
    const gone = new Set(at(hidden));
    return question({
      snapshots: all.filter((record) => !gone.has(record)),
      policy: retentionSchema.parse(settings),
      pins: at(marks.pinned).map(pin),
      frozen: marks.frozen ? FREEZE : undefined,
      state: state({
        open: [
          ...at(marks.damaged).map((each) => finding(each, 'damage')),
          ...at(marks.risky).map((each) => finding(each, 'risk')),
        ],
        verified: at(marks.verified).map(({ snapshot }) => ({ snapshot, read: '2026-01-30T00:00:00.000Z' })),
      }),
    });
  });
/** Most questions should not be frozen, or nothing is tested. */
const thawed = questions.map((asked) => ({ ...asked, frozen: undefined }));
const without = (records: readonly SnapshotRecord[], open: readonly OpenFindings[], severities: readonly string[]) => {
  const found = new Set(open.filter(({ severity }) => severities.includes(severity)).map(({ snapshot }) => snapshot));
  return records.filter(({ snapshot }) => !found.has(snapshot));
};

describe('whatever the snapshots, settings and findings, retention', () => {
  it('gives one verdict for each, with a reason, oldest first', () => {
    fc.assert(
      fc.property(questions, (asked) => {
        const verdicts = decideRetention(asked);
        expect(verdicts.map(({ snapshot }) => snapshot)).toEqual(directories(asked.snapshots));
        expect(verdicts.every(({ reasons }) => reasons.length > 0)).toBe(true);
      }),
    );
  });

  it('never lets go the newest good, the newest verified, or a pinned one, and nothing frozen', () => {
    fc.assert(
      fc.property(questions, (asked) => {
        const gone = new Set(expired(asked));
        const good = without(asked.snapshots, asked.state.open, ['damage']);
        const verified = new Set(asked.state.verified.map(({ snapshot }) => snapshot));
        const sound = without(asked.snapshots, asked.state.open, ['damage', 'risk']);
        const safe = [
          good.at(-1)?.snapshot,
          sound.findLast(({ snapshot }) => verified.has(snapshot))?.snapshot,
          ...asked.pins.map(({ snapshot }) => snapshot),
          ...(asked.frozen === undefined ? [] : directories(asked.snapshots)),
        ];
        expect(safe.filter((snapshot) => snapshot !== undefined && gone.has(snapshot))).toEqual([]);
      }),
    );
  });

  it('leaves a good one whenever there was one, and everything when there was none', () => {
    fc.assert(
      fc.property(thawed, (asked) => {
        const gone = new Set(expired(asked));
        const good = without(asked.snapshots, asked.state.open, ['damage']);
        const left = good.filter(({ snapshot }) => !gone.has(snapshot));
        expect(good.length === 0 ? gone.size === 0 : left.length > 0).toBe(true);
      }),
    );
  });

  it('never lets go more than the maximum, nor a younger one before an older one that no rule keeps', () => {
    fc.assert(
      fc.property(thawed, (asked) => {
        const gone = expired(asked);
        const all = expired({ ...asked, policy: { ...asked.policy, maxExpirePerRun: 1_000 } });
        expect(gone).toEqual(all.slice(0, asked.policy.maxExpirePerRun));
      }),
    );
  });

  it('lets go no other one when a rule is added', () => {
    const settings = ['keepFulls', 'keepDays', 'keepHourly', 'keepDaily', 'keepWeekly', 'keepMonthly'] as const;
    fc.assert(
      fc.property(thawed, fc.constantFrom(...settings), fc.integer({ min: 1, max: 40 }), (asked, setting, more) => {
        const unlimited = { ...asked, policy: { ...asked.policy, maxExpirePerRun: 1_000 } };
        const before = new Set(expired(unlimited));
        const grown = { ...unlimited.policy, [setting]: unlimited.policy[setting] + more };
        expect(expired({ ...unlimited, policy: grown }).filter((snapshot) => !before.has(snapshot))).toEqual([]);
      }),
    );
  });

  it('lets go no other one when one more is pinned or the backup is frozen', () => {
    fc.assert(
      fc.property(thawed, fc.nat(24), (asked, index) => {
        const before = new Set(expired({ ...asked, policy: { ...asked.policy, maxExpirePerRun: 1_000 } }));
        const record = asked.snapshots[index];
        const pins = [...asked.pins, ...(record === undefined ? [] : [pin(record)])];
        const policyOfMany = { ...asked.policy, maxExpirePerRun: 1_000 };
        expect(expired({ ...asked, pins, policy: policyOfMany }).filter((snapshot) => !before.has(snapshot))).toEqual(
          [],
        );
        expect(expired({ ...asked, frozen: FREEZE })).toEqual([]);
      }),
    );
  });

  it('decides the same in whatever order it is told of them', () => {
    fc.assert(
      fc.property(
        questions.chain((asked) =>
          fc.tuple(
            fc.constant(asked),
            fc.shuffledSubarray([...asked.snapshots], { minLength: asked.snapshots.length }),
          ),
        ),
        ([asked, shuffled]) => {
          expect(decideRetention({ ...asked, snapshots: shuffled })).toEqual(decideRetention(asked));
        },
      ),
    );
  });
});
