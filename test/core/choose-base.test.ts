import { describe, expect, it } from 'vitest';
import { type BaseQuestion, chooseBase } from '../../core/choose-base.ts';
import { FIRST_SNAPSHOT, SECOND_SNAPSHOT, snapshotRecord } from '../support/sample-lines.ts';

const full = snapshotRecord();
const incremental = snapshotRecord({
  snapshot: SECOND_SNAPSHOT,
  full: FIRST_SNAPSHOT,
  type: 'incremental',
  takenAt: '2026-01-31T22:00:00.000Z',
});

const UNREADABLE = 'snapshot.2026-02-01.22-00-00';
const PROMISED = '2026-03-02T22:00:00.000Z';
const lock = {
  mode: 'GOVERNANCE' as const,
  promisedUntil: '2026-03-02T10:00:00.000Z',
  earliest: '2026-03-16T10:00:00.000Z',
  latest: '2026-03-16T12:00:00.000Z',
  chainUntil: PROMISED,
};
const locked = (change: Partial<typeof lock> | { readonly mode: 'COMPLIANCE' } = {}) => ({
  snapshots: [full, { ...incremental, lock: { ...lock, ...change } }],
});

const question = (change: Partial<BaseQuestion>): BaseQuestion => ({
  requested: 'incremental',
  snapshots: [full, incremental],
  unreadable: [],
  unsound: new Map(),
  definitionDigest: 'd',
  restoredAt: undefined,
  promise: undefined,
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
    [
      'a finding in the base forces a full that says which',
      { unsound: new Map([[SECOND_SNAPSHOT, 'verification (present) found 2 MissingObject in it: tom-0/a is gone.']]) },
      'full',
      undefined,
      `An incremental was asked for, but ${SECOND_SNAPSHOT} cannot be built upon: verification (present) found 2 MissingObject in it: tom-0/a is gone.`,
    ],
    [
      'a finding in what the base rests on forces a full that says which',
      {
        snapshots: [full, { ...incremental, chain: [FIRST_SNAPSHOT, SECOND_SNAPSHOT] }],
        unsound: new Map([[FIRST_SNAPSHOT, 'verification (read) found 1 ChangedObject in it: tom-0/a has rotted.']]),
      },
      'full',
      undefined,
      `An incremental was asked for, but ${SECOND_SNAPSHOT} builds on ${FIRST_SNAPSHOT}, which cannot be built upon: verification (read) found 1 ChangedObject in it: tom-0/a has rotted.`,
    ],
    [
      'a finding in another snapshot does not matter',
      { requested: 'differential', unsound: new Map([[SECOND_SNAPSHOT, 'verification found something']]) },
      'differential',
      FIRST_SNAPSHOT,
      `Builds on ${FIRST_SNAPSHOT}, the newest full.`,
    ],
    [
      'a verification that nobody can read forces a full',
      { unsound: 'unknown' },
      'full',
      undefined,
      `the newest verification cannot be read, which would say whether ${SECOND_SNAPSHOT} is sound`,
    ],
    [
      'an unreadable record is skipped and named',
      { unreadable: [UNREADABLE] },
      'incremental',
      SECOND_SNAPSHOT,
      `Builds on ${SECOND_SNAPSHOT}, the newest snapshot whose record can be read; that of ${UNREADABLE} cannot.`,
    ],
    [
      'an unreadable record that is older than the base is not',
      { unreadable: [FIRST_SNAPSHOT] },
      'incremental',
      SECOND_SNAPSHOT,
      `Builds on ${SECOND_SNAPSHOT}, the newest snapshot.`,
    ],
    [
      'records of which none can be read force a full that names them',
      { snapshots: [], unreadable: [UNREADABLE, FIRST_SNAPSHOT] },
      'full',
      undefined,
      `there is no earlier snapshot to build on; the record of ${FIRST_SNAPSHOT}, ${UNREADABLE} cannot be read.`,
    ],
    [
      'a lock of the chain that lasts as long as is promised carries',
      { ...locked(), promise: { mode: 'GOVERNANCE', until: PROMISED } },
      'incremental',
      SECOND_SNAPSHOT,
      'Builds on',
    ],
    [
      'a lock of the chain that ends earlier forces a full',
      { ...locked({ chainUntil: '2026-03-02T21:59:59.999Z' }), promise: { mode: 'GOVERNANCE', until: PROMISED } },
      'full',
      undefined,
      `the lock of ${FIRST_SNAPSHOT} ends before this snapshot's would (2026-03-02T21:59:59.999Z, ${PROMISED}).`,
    ],
    [
      'a base without a lock forces a full once there is Object Lock',
      { promise: { mode: 'GOVERNANCE', until: PROMISED } },
      'full',
      undefined,
      `${SECOND_SNAPSHOT} was taken without Object Lock.`,
    ],
    [
      'a weaker mode of the base forces a full',
      { ...locked(), promise: { mode: 'COMPLIANCE', until: PROMISED } },
      'full',
      undefined,
      `${SECOND_SNAPSHOT} is locked in mode GOVERNANCE.`,
    ],
    [
      'a stronger mode of the base does not matter',
      { ...locked({ mode: 'COMPLIANCE' }), promise: { mode: 'GOVERNANCE', until: PROMISED } },
      'incremental',
      SECOND_SNAPSHOT,
      'Builds on',
    ],
    [
      'without Object Lock nobody asks how long the base is locked',
      locked({ chainUntil: '2026-01-01T00:00:00.000Z' }),
      'incremental',
      SECOND_SNAPSHOT,
      'Builds on',
    ],
  ])('%s', (_what, change, ...[type, base, reason]) => {
    const choice = chooseBase(question(change));
    expect(choice.type).toBe(type);
    expect('base' in choice ? choice.base.snapshot : undefined).toBe(base);
    expect(choice.reason).toContain(reason);
  });
});
