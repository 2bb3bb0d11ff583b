import { describe, expect, it } from 'vitest';
import type { VersionName } from '../../../core/ports/vault-versions.ts';
import { manifestsPrefix, recordKey, verificationKey } from '../../../core/vault-layout.ts';
import { VerifyWorld } from '../../support/verify-world.ts';

const B = 'tom-1/b.seg';

/** Other bytes of the same length: only reading finds it. */
function rot(world: VerifyWorld, name: VersionName): () => void {
  const body = world.vault.version(name)?.body ?? new Uint8Array();
  world.vault.damage(name, { body: Buffer.alloc(body.byteLength) });
  return () => world.vault.damage(name, { body });
}

/** An incremental is planned before the verification of its base concludes, and committed after it. */
async function committedBeside() {
  const world = new VerifyWorld();
  const full = await world.snapshot({ type: 'full', execution: 's1' });
  const name = await world.version(full, 1, B);
  const mend = rot(world, name);
  world.write('rank-2/tom-0/c.seg', 'second c');
  world.clock.advanceMinutes(1);
  const plan = await world.plan({ type: 'incremental', execution: 's2' });
  await world.inspect(plan);
  const first = await world.verify({ execution: 'v1', input: { level: 'read' } });
  await world.enumerateAll(plan, 'final');
  await world.copyAll(plan, 'final');
  const next = await world.finish(plan);
  expect((await world.line(next, 1, B)).versionId).toBe(name.versionId);
  return { world, full, next, mend, first };
}

const night = { level: 'read', budget: { parts: 1 } };

describe('a snapshot that is committed beside a verification', () => {
  it('inherits what was found in its base, whatever the next verification reads', async () => {
    const { world, full, next, first } = await committedBeside();
    expect(first.record.state.open.map(({ snapshot }) => snapshot)).toEqual([full.snapshot]);
    const { record, findings, answer } = await world.verify({ execution: 'v2', input: night });
    expect(record.state.open).toMatchObject([
      { snapshot: full.snapshot, verification: first.record.id },
      { snapshot: next.snapshot, level: 'read', verification: record.id, kinds: { ChangedObject: 1 } },
    ]);
    expect(record.state.verified).toEqual([]);
    expect(findings).toMatchObject([{ kind: 'ChangedObject', snapshot: next.snapshot, path: B }]);
    expect(answer.failure?.error).toBe('DamageFound');
    expect(answer.verification.hurt).toEqual([next.snapshot]);
    const third = await world.verify({ execution: 'v3', input: night });
    expect(third.record.findings).toEqual({});
    expect(third.record.state.open).toEqual(record.state.open);
  });

  it('inherits it also from a verification of another level, and keeps it to its own', async () => {
    const { world, next } = await committedBeside();
    const { record } = await world.verify({ execution: 'v2', input: { level: 'present' } });
    expect(record.state.open.map(({ snapshot, level }) => [snapshot, level])).toContainEqual([next.snapshot, 'read']);
    expect(record.state.open.map(({ level }) => level)).toEqual(['read', 'read']);
    expect(record.state.verified.every(({ read }) => read === undefined)).toBe(true);
  });

  it('is not hurt by what was repaired meanwhile', async () => {
    const { world, mend } = await committedBeside();
    mend();
    const { record, answer } = await world.verify({ execution: 'v2', input: { level: 'read' } });
    expect(record.state.open).toEqual([]);
    expect(answer.failure).toBeUndefined();
  });

  it('inherits it also when its base is gone for good since', async () => {
    const { world, full, next } = await committedBeside();
    await world.tombstone(full);
    world.vault.lose(world.vault.currentVersion(recordKey('prod', full.snapshot)));
    const { record } = await world.verify({ execution: 'v2', input: night });
    expect(record.state.open.map(({ snapshot }) => snapshot)).toEqual([next.snapshot]);
  });

  it('is a full at once when its base would be built on what is damaged', async () => {
    const { world, full, next } = await committedBeside();
    const third = await world.plan({ type: 'incremental', execution: 's3' });
    expect(third.run.type).toBe('full');
    expect(third.reason).toContain(`${next.snapshot} builds on ${full.snapshot}`);
  });

  it('suffers from it too when the findings cannot be looked up one by one', async () => {
    const { world, next, first } = await committedBeside();
    world.breakObject(`.rankvault/catalog/prod/findings/${first.record.id}.jsonl.gz`);
    const { record } = await world.verify({ execution: 'v2', input: night });
    expect(record.state.open.map(({ snapshot }) => snapshot)).toContain(next.snapshot);
  });
});

/** Two fulls, the second of them damaged. */
async function damagedFull() {
  const world = new VerifyWorld();
  const good = await world.snapshot({ type: 'full', execution: 's1' });
  world.write('rank-1/tom-1/b.seg', 'second b');
  const bad = await world.snapshot({ type: 'full', execution: 's2' });
  rot(world, await world.version(bad, 1, B));
  const first = await world.verify({ execution: 'v1', input: { level: 'read', budget: { parts: 1_000 } } });
  expect(first.record.state.open.map(({ snapshot }) => snapshot)).toEqual([bad.snapshot]);
  return { world, good, bad, first };
}

describe('an open finding of a snapshot that is hidden', () => {
  it('is still open when the snapshot is taken back', async () => {
    const { world, bad, first } = await damagedFull();
    await world.maintain({ action: 'purge', snapshot: bad.snapshot });
    const second = await world.verify({ execution: 'v2', input: night });
    expect(second.record.state.open).toMatchObject([{ snapshot: bad.snapshot, hidden: true }]);
    expect(second.answer.verification.next).toBe('Nothing to do.');
    await world.maintain({ action: 'undelete', snapshot: bad.snapshot });
    const third = await world.verify({ execution: 'v3', input: night });
    expect(third.record.state.open).toEqual(first.record.state.open);
    expect(third.record.state.verified.map(({ snapshot }) => snapshot)).not.toContain(bad.snapshot);
    expect((await world.plan({ type: 'incremental', execution: 's3' })).run.type).toBe('full');
  });

  it('goes when its record is gone', async () => {
    const { world, bad } = await damagedFull();
    await world.maintain({ action: 'purge', snapshot: bad.snapshot });
    world.vault.lose(world.vault.currentVersion(recordKey('prod', bad.snapshot)));
    expect((await world.verify({ execution: 'v2', input: night })).record.state.open).toEqual([]);
  });
});

describe('a newest verification that cannot be read', () => {
  it('proves nothing by what it has read', async () => {
    const { world, bad, first } = await damagedFull();
    world.breakObject(verificationKey('prod', first.record.id), Buffer.from('rot'));
    const { record } = await world.verify({ execution: 'v2', input: night });
    expect(record.state.verified).toEqual([]);
    expect(record.state.coverage.read.within30Days.parts).toBe(1);
    const again = await world.verify({ execution: 'v3', input: { level: 'read', budget: { parts: 1_000 } } });
    expect(again.record.state.open.map(({ snapshot }) => snapshot)).toEqual([bad.snapshot]);
  });
});

describe('the open finding of a record that has vanished', () => {
  async function vanished() {
    const { world, good, bad } = await damagedFull();
    await world.verify({ execution: 'v2', input: { level: 'present' } });
    world.vault.lose(world.vault.currentVersion(recordKey('prod', good.snapshot)));
    const told = await world.verify({ execution: 'v3', input: { level: 'present' } });
    const isOpen = ({ record }: typeof told) =>
      record.state.open.some(({ snapshot, level }) => snapshot === good.snapshot && level === 'present');
    expect(isOpen(told)).toBe(true);
    return { world, good, bad, isOpen };
  }

  it('stays while anything of the snapshot is left in the catalog, and goes with the last of it', async () => {
    const { world, good, isOpen } = await vanished();
    expect(isOpen(await world.verify({ execution: 'v4', input: night }))).toBe(true);
    const left = (key: string) =>
      key.startsWith(manifestsPrefix('prod', good.snapshot)) || key.endsWith(`attempts/${good.snapshot}.json`);
    for (const key of world.vault.keys().filter(left)) {
      world.vault.lose(world.vault.currentVersion(key));
    }
    expect(isOpen(await world.verify({ execution: 'v5', input: night }))).toBe(false);
  });

  it('goes with a tombstone', async () => {
    const { world, good, isOpen } = await vanished();
    await world.tombstone(good);
    expect(isOpen(await world.verify({ execution: 'v4', input: night }))).toBe(false);
  });
});
