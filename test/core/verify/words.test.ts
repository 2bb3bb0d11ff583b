import { describe, expect, it } from 'vitest';
import {
  NOTHING_VERIFIED,
  type OpenFindings,
  partsOfVerificationId,
  type Verification,
  verificationId,
} from '../../../core/verification.ts';
import { coverageInWords, tell, worstOf } from '../../../core/verify/words.ts';
import { FIRST_SNAPSHOT } from '../../support/sample-lines.ts';

const ID = '20260131T220300.000Z-present-46a21770';

function verification(change: Partial<Verification> = {}): Verification {
  return {
    formatVersion: 1,
    id: ID,
    backup: 'prod',
    level: 'present',
    scope: 'all',
    execution: 'v1',
    executionArn: 'arn:v1',
    startedAt: '2026-01-31T22:03:00.000Z',
    finishedAt: '2026-01-31T22:04:00.000Z',
    checked: { parts: 0, bytes: 0 },
    snapshots: [],
    findings: {},
    state: NOTHING_VERIFIED,
    ...change,
  };
}

function open(snapshot: string, change: Partial<OpenFindings> = {}): OpenFindings {
  return {
    snapshot,
    level: 'present',
    severity: 'damage',
    kinds: { MissingObject: 1 },
    example: 'e',
    since: '2026-01-31T22:04:00.000Z',
    verification: ID,
    ...change,
  };
}

const options = { findingsKey: 'findings/x', drill: undefined };
const amount = (parts: number) => ({ parts, bytes: parts });

describe('coverage in words', () => {
  it.each([
    [1_234, 1_234, 'read within 30 days: 100 % of 1,234 parts'],
    [1_233, 1_234, 'read within 30 days: 99 % of 1,234 parts'],
    [0, 1_234, 'read within 30 days: 0 % of 1,234 parts'],
    [0, 0, 'read within 30 days: there are no parts'],
  ])('of %d of %d parts calls only everything 100 %%', (within, total, words) => {
    expect(coverageInWords('read', { within30Days: amount(within), total: amount(total) })).toBe(words);
  });
});

describe('an answer', () => {
  it('names a few snapshots, lists some, and counts all', () => {
    const entries = Array.from({ length: 30 }, (_, day) =>
      open(`snapshot.2026-01-${String(day + 1).padStart(2, '0')}.00-00-00`),
    );
    const told = tell(
      verification({ findings: { MissingObject: 30 }, state: { ...NOTHING_VERIFIED, open: entries } }),
      options,
    );
    expect(told.hurt).toHaveLength(20);
    expect(told.hurtCount).toBe(30);
    expect(told.next).toContain('snapshot.2026-01-05.00-00-00 and 25 more: a restore would fail');
    expect(told.found).toBe('30 MissingObject');
  });

  it('tells risk from damage', () => {
    const entry = open(FIRST_SNAPSHOT, { severity: 'risk', kinds: { NoncurrentObject: 2 } });
    const found = verification({ findings: { NoncurrentObject: 2 }, state: { ...NOTHING_VERIFIED, open: [entry] } });
    expect(tell(found, options).next).toBe(
      `${FIRST_SNAPSHOT}: can be restored, with less protection than promised. ` +
        'Start Maintain with the action repair: it takes off stray delete markers. Then verify again. ' +
        'Until a verification finds them sound again, a snapshot that would build on one of these is a full. ' +
        'Every finding is a line of findings/x in the vault.',
    );
    expect(worstOf(found)).toBe('risk');
    expect(worstOf(verification({ findings: { NoncurrentObject: 1, MissingObject: 1 } }))).toBe('damage');
    expect(worstOf(verification({ findings: { ExtraObject: 1 } }))).toBeUndefined();
  });
});

describe('an id of a verification', () => {
  it('says when and at which level, and sorts by time', () => {
    const id = verificationId('2026-01-31T22:03:00.123Z', 'read', '0123456789abcdef');
    expect(id).toBe('20260131T220300.123Z-read-01234567');
    expect(partsOfVerificationId(id)).toEqual({
      plannedAtEpochMillis: Date.UTC(2026, 0, 31, 22, 3, 0, 123),
      level: 'read',
    });
    expect(id > ID).toBe(true);
  });

  it.each(['', 'readme', '20261399T000000.000Z-read-01234567'])('is not %j', (text) => {
    expect(partsOfVerificationId(text)).toBeUndefined();
  });
});
