import { describe, expect, it } from 'vitest';
import type { SnapshotRecord } from '../../../core/records.ts';
import { type Verification, verificationSchema } from '../../../core/verification.ts';
import { MOST_LOOKED_UP } from '../../../core/verify/hurt.ts';
import { MOST_LINES_A_UNIT } from '../../../core/verify/sightings.ts';
import { smallTree, VerifyWorld } from '../../support/verify-world.ts';

/** full, incremental that replaces 0.seg, incremental that changes nothing, full. */
async function taken(segments = 3) {
  const world = new VerifyWorld({ tree: smallTree(segments) });
  const full = await world.snapshot({ type: 'full', execution: 's1' });
  const unchanged = await world.snapshot({ type: 'incremental', execution: 's2' });
  world.write('rank-1/tom-0/0.seg', 'second 0');
  const replaced = await world.snapshot({ type: 'incremental', execution: 's3' });
  const later = await world.snapshot({ type: 'incremental', execution: 's4' });
  const fresh = await world.snapshot({ type: 'full', execution: 's5' });
  return { world, full, unchanged, replaced, later, fresh };
}

async function lose(world: VerifyWorld, record: SnapshotRecord, path: string): Promise<void> {
  world.vault.lose(await world.version(record, 1, path));
}

const openOf = ({ state }: Verification) => state.open.map(({ snapshot }) => snapshot);
const present = (world: VerifyWorld, snapshot = 'all', execution = 'v1') =>
  world.verify({ execution, input: { level: 'present', snapshot } });

describe('damage of a part', () => {
  it('that a later snapshot replaced hurts only those that name it', async () => {
    const { world, full, unchanged } = await taken();
    await lose(world, full, 'tom-0/0.seg');
    const { record, findings } = await present(world);
    expect(openOf(record)).toEqual([full.snapshot, unchanged.snapshot]);
    expect(findings.map(({ snapshot }) => snapshot).sort()).toEqual([full.snapshot, unchanged.snapshot]);
    expect(record.findings).toEqual({ MissingObject: 1 });
  });

  it('that later snapshots carry hurts all of them, and no other full', async () => {
    const { world, full, unchanged, replaced, later } = await taken();
    await lose(world, full, 'tom-0/1.seg');
    expect(openOf((await present(world)).record)).toEqual([full, unchanged, replaced, later].map((r) => r.snapshot));
  });

  it('that the second stored hurts the second and what builds on it', async () => {
    const { world, replaced, later } = await taken();
    await lose(world, replaced, 'tom-0/0.seg');
    expect(openOf((await present(world)).record)).toEqual([replaced.snapshot, later.snapshot]);
  });

  it('is told of all that suffer from it, whichever one is looked at', async () => {
    const { world, full, unchanged, replaced, later, fresh } = await taken();
    await lose(world, full, 'tom-0/1.seg');
    const hurt = [full, unchanged, replaced, later].map((record) => record.snapshot);
    for (const [number, record] of [full, later].entries()) {
      const { record: verification } = await present(world, record.snapshot, `v${number}`);
      expect(openOf(verification)).toEqual(hurt);
      expect(verification.snapshots).toEqual([record.snapshot]);
    }
    expect((await present(world, fresh.snapshot, 'v9')).record.findings).toEqual({});
  });

  it('is told once for each kind of it', async () => {
    const { world, full, unchanged } = await taken();
    const name = await world.version(full, 1, 'tom-0/0.seg');
    world.vault.damage(name, { body: Buffer.from('f') });
    await world.vault.hide(name.key);
    const { record, findings } = await present(world);
    expect(record.findings).toEqual({ TruncatedObject: 1, NoncurrentObject: 1 });
    expect(findings.map(({ kind, snapshot }) => `${kind} ${snapshot}`).sort()).toEqual([
      `NoncurrentObject ${full.snapshot}`,
      `NoncurrentObject ${unchanged.snapshot}`,
      `TruncatedObject ${full.snapshot}`,
      `TruncatedObject ${unchanged.snapshot}`,
    ]);
    expect(record.state.open).toMatchObject([
      { severity: 'damage', kinds: { TruncatedObject: 1, NoncurrentObject: 1 } },
      { severity: 'damage', kinds: { TruncatedObject: 1, NoncurrentObject: 1 } },
    ]);
  });

  it('that two snapshots look at themselves is not looked up once more', async () => {
    const world = new VerifyWorld({ tree: smallTree(3) });
    const full = await world.snapshot({ type: 'full', execution: 's1' });
    const differentials = [
      await world.snapshot({ type: 'differential', execution: 's2' }),
      await world.snapshot({ type: 'differential', execution: 's3' }),
    ];
    await lose(world, full, 'tom-0/1.seg');
    await world.tombstone(full);
    const { record, findings } = await present(world);
    const hurt = differentials.map(({ snapshot }) => snapshot);
    expect(findings.map(({ snapshot }) => snapshot)).toEqual(hurt);
    expect(record.state.open).toMatchObject(hurt.map((snapshot) => ({ snapshot, kinds: { MissingObject: 1 } })));
  });

  it('of too many parts to be looked up hurts all that name bytes of the same directory', async () => {
    const { world, full, unchanged, replaced, later } = await taken(MOST_LOOKED_UP + 2);
    for (let number = 0; number <= MOST_LOOKED_UP; number += 1) {
      await lose(world, full, `tom-0/${number}.seg`);
    }
    const { record, findings } = await present(world);
    expect(openOf(record)).toEqual([full, unchanged, replaced, later].map((each) => each.snapshot));
    expect(record.findings).toEqual({ MissingObject: MOST_LOOKED_UP + 1 });
    const derived = findings.filter(({ key }) => key === undefined);
    expect(derived.map(({ snapshot, detail }) => [snapshot, detail.slice(0, 13)])).toEqual(
      [unchanged, replaced, later].map(({ snapshot }) => [snapshot, '1001 objects ']),
    );
  });

  it('is counted to the last, and written down for the first so many of a rank', async () => {
    const segments = MOST_LINES_A_UNIT + 5;
    const world = new VerifyWorld({ tree: smallTree(1) });
    const full = await world.snapshot({ type: 'full', execution: 's1' });
    const next = await world.snapshot({ type: 'incremental', execution: 's2' });
    for (let number = 0; number < segments; number += 1) {
      await world.vault.put(`prod/${full.snapshot}/rank-1/tom-0/extra-${number}`, Buffer.from('x'));
    }
    await lose(world, full, 'tom-0/0.seg');
    const { record, findings } = await present(world);
    expect(record.findings).toEqual({ MissingObject: 1, ExtraObject: segments });
    expect(findings.filter(({ kind }) => kind === 'ExtraObject')).toHaveLength(MOST_LINES_A_UNIT - 1);
    expect(openOf(record)).toEqual([full.snapshot, next.snapshot]);
  });
});

describe('the state', () => {
  it('is small whatever was found, and says one finding in words', async () => {
    const { world, full } = await taken();
    await lose(world, full, 'tom-0/0.seg');
    const { record } = await present(world);
    expect(verificationSchema.parse(record).state.open[0]?.example).toBe(
      `prod/${full.snapshot}/rank-1/tom-0/0.seg: The version is not there.`,
    );
  });
});
