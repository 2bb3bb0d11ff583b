import { describe, expect, it } from 'vitest';
import type { VersionName } from '../../../core/ports/vault-versions.ts';
import { recordKey, verificationKey, verificationsPrefix } from '../../../core/vault-layout.ts';
import { unsoundSnapshots } from '../../../core/verification.ts';
import { VerifyWorld } from '../../support/verify-world.ts';

const A = 'tom-0/a.seg';

async function taken() {
  const world = new VerifyWorld();
  const full = await world.snapshot({ type: 'full', execution: 's1' });
  const next = await world.snapshot({ type: 'incremental', execution: 's2' });
  const name = await world.version(full, 1, A);
  let runs = 0;
  const verify = (input: Readonly<Record<string, unknown>>) => {
    runs += 1;
    return world.verify({ execution: `v${runs}`, input });
  };
  return { world, full, next, name, verify };
}

/** Other bytes of the same length and ETag: only reading finds it. */
function rot(world: VerifyWorld, name: VersionName): () => void {
  const body = world.vault.version(name)?.body ?? new Uint8Array();
  world.vault.damage(name, { body: Buffer.alloc(body.byteLength) });
  return () => world.vault.damage(name, { body });
}

describe('an open finding', () => {
  it('is closed when it is repaired and the level has looked at the whole snapshot again', async () => {
    const { world, full, next, name, verify } = await taken();
    await world.vault.hide(name.key);
    const first = await verify({ level: 'present' });
    expect(first.record.state.open).toMatchObject(
      [full, next].map(({ snapshot }) => ({ snapshot, since: first.record.finishedAt })),
    );
    const second = await verify({ level: 'present' });
    expect(second.record.state.open).toMatchObject(
      [full, next].map(({ snapshot }) => ({
        snapshot,
        since: first.record.finishedAt,
        verification: second.record.id,
      })),
    );
    for await (const version of world.vault.listVersions(name.key)) {
      if (version.kind === 'deleteMarker') {
        world.vault.lose(version);
      }
    }
    const alone = await verify({ level: 'present', snapshot: next.snapshot });
    expect(alone.record.state.open.map(({ snapshot }) => snapshot)).toEqual([full.snapshot]);
    expect(alone.record.state.verified).toEqual([{ snapshot: next.snapshot, present: alone.record.finishedAt }]);
    const all = await verify({ level: 'present' });
    expect(all.record.state.open).toEqual([]);
    expect(all.record.state.verified).toHaveLength(2);
  });

  it('is not closed by another level, nor opened twice by it', async () => {
    const { world, name, verify } = await taken();
    const mend = rot(world, name);
    const read = await verify({ level: 'read' });
    expect(read.record.state.open).toHaveLength(2);
    const present = await verify({ level: 'present' });
    expect(present.record.state.open).toEqual(read.record.state.open);
    expect(present.record.state.verified).toHaveLength(2);
    expect(present.answer.failure).toBeUndefined();
    mend();
    expect((await verify({ level: 'present' })).record.state.open).toHaveLength(2);
    expect((await verify({ level: 'read' })).record.state.open).toEqual([]);
  });

  it('keeps the date on which the snapshot was last found sound', async () => {
    const { world, full, next, name, verify } = await taken();
    const sound = await verify({ level: 'read' });
    rot(world, name);
    const damaged = await verify({ level: 'read' });
    expect(damaged.record.state.verified).toEqual(
      [full, next].map(({ snapshot }) => ({ snapshot, read: sound.record.finishedAt })),
    );
    expect(damaged.record.snapshots).toEqual([full.snapshot, next.snapshot]);
  });

  it('stays with a hidden snapshot, and goes with the record', async () => {
    const { world, full, next, name, verify } = await taken();
    world.vault.lose(name);
    await verify({ level: 'present' });
    await world.tombstone(full);
    const hidden = await verify({ level: 'present' });
    expect(hidden.record.state.open).toMatchObject([
      { snapshot: full.snapshot, hidden: true },
      { snapshot: next.snapshot, verification: hidden.record.id },
    ]);
    expect(hidden.answer.verification.hurt).toEqual([next.snapshot]);
    expect(hidden.answer.verification.next).not.toContain(full.snapshot);
    world.vault.lose(world.vault.currentVersion(recordKey('prod', full.snapshot)));
    const { record } = await verify({ level: 'present' });
    expect(record.state.open.map(({ snapshot }) => snapshot)).toEqual([next.snapshot]);
    expect(record.state.verified).toEqual([]);
  });

  it('makes the next snapshot a full that says why', async () => {
    const { world, full, next, name, verify } = await taken();
    world.vault.lose(name);
    const { record, answer } = await verify({ level: 'present' });
    expect([...unsoundSnapshots(record.state).keys()]).toEqual([full.snapshot, next.snapshot]);
    const third = await world.snapshot({ type: 'incremental', execution: 's3' });
    expect(third).toMatchObject({ type: 'full', reason: expect.stringContaining('1 MissingObject') });
    expect(answer.failure).toEqual({
      error: 'DamageFound',
      cause:
        "The verification of backup 'prod' (present) found 1 MissingObject. " +
        `Do not rely on ${full.snapshot}, ${next.snapshot}: a restore would fail or give back something else. ` +
        'Until a verification finds them sound again, a snapshot that would build on one of these is a full. ' +
        `Every finding is a line of .rankvault/catalog/prod/findings/${record.id}.jsonl.gz in the vault.`,
    });
  });
});

describe('a budget over many nights', () => {
  /** Six parts; three a night. */
  async function nights() {
    const found = await taken();
    found.world.write('rank-1/tom-1/b.seg', 'second b');
    await found.world.snapshot({ type: 'incremental', execution: 's3' });
    const night = (budget: Readonly<Record<string, number>> = { parts: 2 }) => {
      found.world.clock.advanceMinutes(24 * 60);
      return found.verify({ level: 'read', budget });
    };
    return { ...found, night };
  }

  it('reads everything in turn, oldest first, and begins anew', async () => {
    const { night } = await nights();
    const read: string[] = [];
    for (let number = 0; number < 6; number += 1) {
      const { record, slices, answer } = await night();
      expect(record.checked.parts).toBe(2);
      expect(record.scope).toBe('budget');
      read.push(...slices.map(({ rank, through, complete }) => `${rank} ${through} ${complete}`));
      const percent = Math.min(100, Math.floor(((number + 1) * 200) / 6));
      expect(answer.verification.coverage.read).toBe(`read within 30 days: ${percent} % of 6 parts`);
    }
    const everything = [
      '0 meta.mdb true',
      '1 tom-0/a.seg false',
      '1 tom-1/b.seg true',
      '2 tom-0/c.seg true',
      'cluster cluster.conf true',
      '1 tom-1/b.seg true',
    ];
    expect(read).toEqual([...everything, ...everything]);
  });

  it('calls a snapshot read when all nights together have read it', async () => {
    const { full, night } = await nights();
    await night();
    expect((await night()).record.state.verified).toEqual([]);
    const third = await night();
    expect(third.record.state.verified.map(({ snapshot }) => snapshot)).toContain(full.snapshot);
    expect(third.record.snapshots).toEqual([]);
    // Since when: the first of the nights.
    expect(third.record.state.verified[0]?.read).toBe(
      new Date(Date.parse(third.record.finishedAt) - 2 * (24 * 60 + 1) * 60_000).toISOString(),
    );
  });

  it('forgets after 30 days', async () => {
    const { world, night, verify } = await nights();
    await night();
    await night();
    const { record } = await night();
    expect(record.state.coverage.read.within30Days).toEqual(record.state.coverage.read.total);
    world.clock.advanceMinutes(28 * 24 * 60);
    // The first night is 30 days ago and more, the other two are not.
    const later = await verify({ level: 'present' });
    expect(later.record.state.coverage.read.within30Days.parts).toBe(4);
    world.clock.advanceMinutes(3 * 24 * 60);
    const last = await verify({ level: 'present' });
    expect(last.record.state.coverage.read.within30Days.parts).toBe(0);
    expect(last.record.state.coverage.present.within30Days).toEqual(last.record.state.coverage.present.total);
  });

  it('closes a finding when every part of the snapshot was read again since', async () => {
    const { world, name, night } = await nights();
    const mend = rot(world, name);
    const first = await night();
    expect(first.record.findings).toEqual({ ChangedObject: 1 });
    expect(first.answer.failure?.error).toBe('DamageFound');
    expect(first.record.state.open).toHaveLength(3);
    mend();
    // The rest of this round says nothing about the part. The next one does, and what it has not come to yet was read since the finding.
    for (let number = 0; number < 3; number += 1) {
      const { record, answer } = await night();
      expect(record.state.open).toHaveLength(3);
      expect(answer.failure).toBeUndefined();
      expect(answer.verification.next).toMatch(/^Still open from earlier verifications: /);
    }
    const done = await night();
    expect(done.record.state.open).toEqual([]);
    expect(done.record.state.verified).toHaveLength(3);
  });

  it('of bytes stops before it is overdrawn, but always reads one part', async () => {
    const { night } = await nights();
    expect((await night({ bytes: 50 })).record.checked).toEqual({ parts: 2, bytes: 45 });
    const { record } = await night({ bytes: 1 });
    expect(record.checked).toEqual({ parts: 1, bytes: 24 });
  });

  it('of dollars reads less than one of ten times as many', async () => {
    const { night } = await nights();
    const little = await night({ dollars: 0.000_001 });
    const more = await night({ dollars: 0.000_01 });
    expect(little.record.checked.parts).toBe(1);
    expect(more.record.checked.parts).toBeGreaterThan(1);
  });

  it('begins a snapshot anew when the one that it was built on is hidden: there is more to look at', async () => {
    const { world, full, night } = await nights();
    await night({ parts: 100 });
    await world.tombstone(full);
    const { record, slices } = await night({ parts: 100 });
    expect(slices[0]).toMatchObject({ ins: expect.arrayContaining([full.snapshot]), complete: true });
    expect(record.checked.parts).toBe(6);
    expect(record.state.coverage.read.within30Days.parts).toBe(6);
  });

  it('does not spend a night on a snapshot whose catalog is broken', async () => {
    const { world, full, night } = await nights();
    world.breakObject(`.rankvault/catalog/prod/manifests/${full.snapshot}/rank-1.jsonl.gz`);
    const first = await night({ parts: 4 });
    expect(first.record.findings).toHaveProperty('BrokenCatalog');
    const second = await night({ parts: 1 });
    expect(second.slices.map(({ snapshot }) => snapshot)).not.toContain(full.snapshot);
    expect(second.record.checked.parts).toBe(1);
  });

  it('counts a whole read by a person as a round', async () => {
    const { full, verify, night } = await nights();
    await verify({ level: 'read', snapshot: full.snapshot });
    const { slices } = await night();
    // The only part of the backup that was not read yet, and then the oldest again.
    expect(slices[0]?.snapshot).not.toBe(full.snapshot);
    expect(slices[0]).toMatchObject({ parts: 1, complete: true });
  });
});

describe('a verification’s record', () => {
  it('that cannot be read loses what its run found, and no more', async () => {
    const { world, name, verify } = await taken();
    world.vault.lose(name);
    const first = await verify({ level: 'present' });
    const second = await verify({ level: 'read' });
    world.breakObject(verificationKey('prod', second.record.id));
    const { record } = await verify({ level: 'read', budget: { parts: 1 } });
    expect(record.state.open).toEqual(first.record.state.open);
  });

  it('is newer than all before it, whatever the clock says', async () => {
    const { world, verify } = await taken();
    const { record } = await verify({ level: 'present' });
    world.clock.advanceMinutes(-60);
    const second = await verify({ level: 'read' });
    expect(second.record.id > record.id).toBe(true);
    const keys = world.vault.keys().filter((key) => key.startsWith(verificationsPrefix('prod')));
    expect(keys.at(-1)).toBe(verificationKey('prod', second.record.id));
  });
});
