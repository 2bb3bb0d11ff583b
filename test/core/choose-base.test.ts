import { describe, expect, it } from 'vitest';
import { type BaseQuestion, chooseBase } from '../../core/choose-base.ts';
import { FIRST_SNAPSHOT, SECOND_SNAPSHOT, snapshotRecord } from '../support/sample-lines.ts';

const full = snapshotRecord();
const incremental = snapshotRecord({
  snapshot: SECOND_SNAPSHOT,
  type: 'incremental',
  takenAt: '2026-01-31T22:00:00.000Z',
});

const question = (change: Partial<BaseQuestion>): BaseQuestion => ({
  requested: 'incremental',
  snapshots: [full, incremental],
  definitionDigest: 'd',
  restoredAt: undefined,
  ...change,
});

describe('choosing type and base', () => {
  it.each<[string, Partial<BaseQuestion>, string, string | undefined, string]>([
    ['a full stands on nothing', { requested: 'full' }, 'full', undefined, 'A full was asked for.'],
    [
      'an incremental builds on the newest of any type',
      {},
      'incremental',
      SECOND_SNAPSHOT,
      `Builds on ${SECOND_SNAPSHOT}, the newest snapshot.`,
    ],
    [
      'a differential builds on the newest full',
      { requested: 'differential' },
      'differential',
      FIRST_SNAPSHOT,
      `Builds on ${FIRST_SNAPSHOT}, the newest full.`,
    ],
    [
      'a first incremental is a full',
      { snapshots: [] },
      'full',
      undefined,
      'An incremental was asked for, but there is no earlier snapshot to build on.',
    ],
    [
      'a differential without any full is a full',
      { requested: 'differential', snapshots: [incremental] },
      'full',
      undefined,
      'A differential was asked for, but there is no earlier snapshot to build on.',
    ],
    [
      'another coverage forces a full',
      { definitionDigest: 'other' },
      'full',
      undefined,
      `An incremental was asked for, but what the backup covers has changed since ${SECOND_SNAPSHOT}.`,
    ],
    [
      'a restore after the base forces a full',
      { restoredAt: '2026-01-31T23:00:00.000Z' },
      'full',
      undefined,
      `An incremental was asked for, but the cluster was restored at 2026-01-31T23:00:00.000Z, after ${SECOND_SNAPSHOT}.`,
    ],
    [
      'a restore at the moment of the base forces a full',
      { restoredAt: incremental.takenAt },
      'full',
      undefined,
      'the cluster was restored',
    ],
    [
      'a restore before the base does not matter',
      { restoredAt: '2026-01-31T21:59:59.999Z' },
      'incremental',
      SECOND_SNAPSHOT,
      'Builds on',
    ],
    [
      'a restore between full and incremental matters to a differential',
      { requested: 'differential', restoredAt: '2026-01-31T10:00:00.000Z' },
      'full',
      undefined,
      `A differential was asked for, but the cluster was restored at 2026-01-31T10:00:00.000Z, after ${FIRST_SNAPSHOT}.`,
    ],
  ])('%s', (_what, change, ...[type, base, reason]) => {
    const choice = chooseBase(question(change));
    expect(choice.type).toBe(type);
    expect('base' in choice ? choice.base.snapshot : undefined).toBe(base);
    expect(choice.reason).toContain(reason);
  });
});
