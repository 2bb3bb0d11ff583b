import { describe, expect, it } from 'vitest';
import { newestDirectory, readTombstones } from '../../core/catalog.ts';
import { acquireBackupLock, claimDirectory } from '../../core/claims.ts';
import { StoreUnavailable } from '../../core/errors.ts';
import { jsonBytes } from '../../core/format.ts';
import type { LockOwner } from '../../core/locks.ts';
import { attemptKey, recordKey, tombstoneKey } from '../../core/vault-layout.ts';
import { FixedClock } from '../support/fixed-clock.ts';
import { InMemoryExecutions } from '../support/in-memory-executions.ts';
import { MeddledStore } from '../support/meddled-store.ts';
import { snapshotRecord, tombstone } from '../support/sample-lines.ts';

const owner = (name: string): LockOwner => ({ execution: name, executionArn: `arn:${name}`, nonce: `nonce-${name}` });
const NOW = 'snapshot.2026-01-31.22-00-00';
const NEXT = 'snapshot.2026-01-31.22-00-01';

function world() {
  const deps = {
    work: new MeddledStore(),
    vault: new MeddledStore(),
    executions: new InMemoryExecutions(),
    clock: new FixedClock(),
  };
  return {
    ...deps,
    claim: (name: string) => claimDirectory(deps, { backup: 'prod', owner: owner(name), type: 'full' }),
    lock: (name: string) => acquireBackupLock(deps, 'prod', owner(name)),
  };
}

describe('claiming a directory', () => {
  it('says who claims it, for what, and when', async () => {
    const { vault, clock } = world();
    const claim = {
      backup: 'prod',
      owner: { ...owner('a'), brief: true as const },
      base: NOW,
      type: 'incremental' as const,
    };
    expect(await claimDirectory({ vault, clock }, claim)).toEqual({
      formatVersion: 1,
      backup: 'prod',
      snapshot: NOW,
      id: '1769896800000',
      ...owner('a'),
      type: 'incremental',
      base: NOW,
      claimedAt: '2026-01-31T22:00:00.000Z',
    });
    expect(vault.keys()).toEqual([attemptKey('prod', NOW)]);
  });

  it('is adopted by a second try of the same execution, and by no other', async () => {
    const { claim, clock, vault } = world();
    const first = await claim('a');
    clock.advanceMinutes(5);
    expect(await claim('a')).toEqual(first);
    expect((await claim('b')).snapshot).not.toBe(first.snapshot);
    expect(vault.keys()).toHaveLength(2);
  });

  it('takes another one when its own was hidden meanwhile: what is written there would never be seen', async () => {
    const { claim, vault } = world();
    await claim('a');
    await vault.create(tombstoneKey('prod', NOW), jsonBytes(tombstone({ snapshot: NOW })));
    expect((await claim('a')).snapshot).toBe(NEXT);
  });

  it('goes on beside a claim that cannot be read', async () => {
    const { claim, vault } = world();
    await vault.create(attemptKey('prod', NOW), Buffer.from('cut'));
    expect((await claim('a')).snapshot).toBe(NEXT);
    vault.get = () => Promise.reject(new StoreUnavailable('S3 is slow.', { hint: 'Wait.' }));
    await expect(claim('a')).rejects.toThrow(StoreUnavailable);
  });
});

describe('stealing the lock of a backup', () => {
  /** `dead` has ended 16 minutes ago, with the lock and a directory. */
  async function afterDeath() {
    const scene = world();
    await scene.lock('dead');
    const { snapshot } = await scene.claim('dead');
    scene.executions.states.set('arn:dead', { status: 'ended', stoppedAtEpochMillis: scene.clock.nowEpochMillis() });
    scene.clock.advanceMinutes(16);
    return { ...scene, snapshot };
  }
  const hidden = async (vault: MeddledStore) => (await readTombstones(vault, 'prod')).map((each) => each.snapshot);

  it('hides what the dead execution had claimed, and no other claim', async () => {
    const { lock, claim, vault, snapshot } = await afterDeath();
    await claim('merge');
    expect(await lock('thief')).toMatchObject({ outcome: 'acquired', stolenFrom: { nonce: 'nonce-dead' } });
    expect(await readTombstones(vault, 'prod')).toEqual([
      {
        formatVersion: 1,
        backup: 'prod',
        snapshot,
        action: 'steal',
        reason: 'Execution dead ended without giving back the lock of the backup, and thief took it.',
        at: '2026-01-31T22:16:00.000Z',
        execution: 'thief',
        executionArn: 'arn:thief',
        bytesKeptUntil: '2026-01-31T22:16:00.000Z',
      },
    ]);
    expect(await newestDirectory(vault, 'prod')).not.toBe(snapshot);
  });

  it('leaves what it had committed, and what has a tombstone already', async () => {
    const committed = await afterDeath();
    await committed.vault.create(recordKey('prod', NOW), jsonBytes(snapshotRecord({ snapshot: NOW })));
    await committed.lock('thief');
    expect(await hidden(committed.vault)).toEqual([]);
    const dropped = await afterDeath();
    await dropped.vault.create(tombstoneKey('prod', NOW), jsonBytes(tombstone({ snapshot: NOW, action: 'drop' })));
    await dropped.lock('thief');
    expect(await readTombstones(dropped.vault, 'prod')).toMatchObject([{ action: 'drop' }]);
  });

  it('hides nothing while the lock cannot be stolen, or when nobody had it', async () => {
    const scene = world();
    await scene.lock('alive');
    await scene.claim('alive');
    scene.executions.states.set('arn:alive', { status: 'running' });
    expect(await scene.lock('other')).toMatchObject({ outcome: 'held' });
    const free = world();
    await free.claim('dead');
    expect(await free.lock('other')).toEqual({ outcome: 'acquired' });
    expect([await hidden(scene.vault), await hidden(free.vault)]).toEqual([[], []]);
  });

  it('looks at the newest claims only, and past one that cannot be read', async () => {
    const { lock, vault, snapshot } = await afterDeath();
    await vault.create(attemptKey('prod', 'snapshot.2026-01-31.23-00-00'), Buffer.from('cut'));
    const names: string[] = [];
    const get = vault.get.bind(vault);
    vault.get = (key) => {
      names.push(key);
      return get(key);
    };
    for (let day = 10; day < 30; day += 1) {
      await vault.create(attemptKey('prod', `snapshot.2025-12-${day}.22-00-00`), Buffer.from('{}'));
    }
    await lock('thief');
    expect(await hidden(vault)).toEqual([snapshot]);
    expect(names.filter((key) => key.includes('/attempts/'))).toHaveLength(10);
  });
});
