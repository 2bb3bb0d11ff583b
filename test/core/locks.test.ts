import { describe, expect, it } from 'vitest';
import { LockLost } from '../../core/errors.ts';
import { acquireLock, assertLockHeld, type LockOwner, releaseLock, STEAL_AFTER_MILLIS } from '../../core/locks.ts';
import { FixedClock } from '../support/fixed-clock.ts';
import { InMemoryExecutions } from '../support/in-memory-executions.ts';
import { MeddledStore } from '../support/meddled-store.ts';

const KEY = 'locks/backup/prod.json';

function owner(name: string): LockOwner {
  return { execution: name, executionArn: `arn:${name}`, nonce: `nonce-${name}` };
}

function locks() {
  const deps = { work: new MeddledStore(), executions: new InMemoryExecutions(), clock: new FixedClock() };
  return { ...deps, acquire: (name: string) => acquireLock(deps, KEY, owner(name)) };
}

describe('a lock', () => {
  it('that is free is acquired', async () => {
    const { acquire, work } = locks();
    expect(await acquire('a')).toEqual({ outcome: 'acquired' });
    await expect(assertLockHeld(work, KEY, 'nonce-a')).resolves.toBeUndefined();
  });

  it('goes to exactly one of those who come at the same time', async () => {
    const { acquire, executions } = locks();
    const names = ['a', 'b', 'c', 'd'];
    for (const name of names) {
      executions.states.set(`arn:${name}`, { status: 'running' });
    }
    const outcomes = await Promise.all(names.map(acquire));
    expect(outcomes.filter(({ outcome }) => outcome === 'acquired')).toHaveLength(1);
  });

  it('counts as acquired for who has it already', async () => {
    const { acquire } = locks();
    await acquire('a');
    expect(await acquire('a')).toEqual({ outcome: 'acquired' });
  });

  it('of a running execution is never stolen, however old it is', async () => {
    const { acquire, executions, clock } = locks();
    await acquire('a');
    executions.states.set('arn:a', { status: 'running' });
    clock.advanceMinutes(60 * 24 * 400);
    expect(await acquire('b')).toMatchObject({ outcome: 'held', by: { execution: 'a' } });
  });

  it('is stolen 16 minutes after its execution ended, and not a moment before', async () => {
    const { acquire, executions, clock, work } = locks();
    await acquire('a');
    clock.advanceMinutes(120);
    executions.states.set('arn:a', { status: 'ended', stoppedAtEpochMillis: clock.nowEpochMillis() });
    clock.advanceMillis(STEAL_AFTER_MILLIS - 1);
    expect(await acquire('b')).toMatchObject({ outcome: 'held' });
    clock.advanceMillis(1);
    expect(await acquire('b')).toMatchObject({ outcome: 'acquired', stolenFrom: { nonce: 'nonce-a' } });
    await expect(assertLockHeld(work, KEY, 'nonce-a')).rejects.toThrow(LockLost);
    await expect(assertLockHeld(work, KEY, 'nonce-a')).rejects.toThrow('is held by execution b, not by this execution');
  });

  it('of an execution that Step Functions does not know is stolen when it is old, not when it may only just have begun', async () => {
    const { acquire, clock } = locks();
    await acquire('a');
    expect(await acquire('b')).toMatchObject({ outcome: 'held' });
    clock.advanceMillis(STEAL_AFTER_MILLIS);
    expect(await acquire('b')).toMatchObject({ outcome: 'acquired', stolenFrom: { execution: 'a' } });
  });

  it('goes to one thief when two want to steal it', async () => {
    const { acquire, executions, clock, work } = locks();
    await acquire('a');
    clock.advanceMinutes(17);
    executions.states.set('arn:c', { status: 'running' });
    work.before('replace', KEY, () => acquire('c'));
    expect(await acquire('b')).toMatchObject({ outcome: 'held', by: { execution: 'c' } });
  });

  it('is acquired when it was given back between two looks', async () => {
    const { acquire, work } = locks();
    await acquire('a');
    work.before('get', KEY, () => work.delete(KEY));
    expect(await acquire('b')).toEqual({ outcome: 'acquired' });
  });

  it('is given back by its owner only', async () => {
    const { acquire, work } = locks();
    await acquire('a');
    await releaseLock(work, KEY, 'nonce-b');
    expect(work.keys()).toEqual([KEY]);
    await releaseLock(work, KEY, 'nonce-a');
    expect(work.keys()).toEqual([]);
    await releaseLock(work, KEY, 'nonce-a');
  });

  it('that nobody has is not held', async () => {
    await expect(assertLockHeld(new MeddledStore(), KEY, 'nonce-a')).rejects.toThrow('is held by nobody');
  });
});
