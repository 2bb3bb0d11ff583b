import { describe, expect, it } from 'vitest';
import { chooseKagentSnapshot, type KagentCandidate } from '../../../core/kagent.ts';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 0, 31, 12);
const [FIRST, SECOND, THIRD] = [
  'snapshot.2026-01-29.22-00-00',
  'snapshot.2026-01-30.22-00-00',
  'snapshot.2026-01-31.11-00-00',
];

function candidate(directory: string, quietMinutes: number, holdsFiles = true): KagentCandidate {
  return { directory, newestChangeEpochMillis: NOW - quietMinutes * MINUTE, holdsFiles };
}

const choose = (candidates: readonly KagentCandidate[], vaulted: readonly string[] = []) =>
  chooseKagentSnapshot(candidates, NOW, 15, new Set(vaulted));

describe('choosing a directory of KAgent', () => {
  it.each([
    [
      'the newest, in whatever order they come',
      [candidate(FIRST, 900), candidate(THIRD, 20), candidate(SECOND, 500)],
      [],
      'chosen',
      THIRD,
    ],
    ['the newest, at exactly the settling time', [candidate(THIRD, 15)], [], 'chosen', THIRD],
    [
      'to wait for the newest while it changes, whatever older ones there are',
      [candidate(SECOND, 500), candidate(THIRD, 14.9)],
      [],
      'wait',
      THIRD,
    ],
    [
      'to wait for a directory that is still empty',
      [candidate(SECOND, 500), candidate(THIRD, 1, false)],
      [],
      'wait',
      THIRD,
    ],
    ['to wait when the storage has the later clock', [candidate(THIRD, -3)], [], 'wait', THIRD],
    [
      'the one before, when the newest has stayed empty',
      [candidate(SECOND, 500), candidate(THIRD, 60, false)],
      [],
      'chosen',
      SECOND,
    ],
    [
      'one that came after the vaulted ones',
      [candidate(SECOND, 500), candidate(THIRD, 60)],
      [FIRST, SECOND],
      'chosen',
      THIRD,
    ],
    [
      'none when the newest is vaulted, though an older one is not',
      [candidate(FIRST, 900), candidate(SECOND, 500)],
      [SECOND],
      'none',
      SECOND,
    ],
    ['none when there is none', [], [], 'none', 'no snapshot directory'],
    ['none when all have stayed empty', [candidate(THIRD, 60, false)], [], 'none', THIRD],
  ] as const)('takes %s', (...[, candidates, vaulted, outcome, named]) => {
    const choice = choose(candidates, vaulted);
    expect(choice.outcome).toBe(outcome);
    expect(choice.outcome === 'chosen' ? choice.directory : choice.reason).toContain(named);
  });
});
