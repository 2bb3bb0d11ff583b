import { describe, expect, test } from 'vitest';
import { functionNamed, journey } from './support/keeping-journey.ts';
import { beginLife, DAY_MILLIS, tryThenDo, twoDays } from './support/keeping-life.ts';
import type { Life } from './support/life.ts';
import { expectFailure } from './support/outcomes.ts';
import { expectNothingLeftOver, namedBy, storedBelow } from './support/vault-contents.ts';

describe('merge', () => {
  test('makes one full of a chain, which every later snapshot builds on, and nobody misses the chain', async () => {
    const life = await beginLife();
    const other = await life.day('full');
    const chain = [
      await life.day('full', ['a']),
      await life.day('incremental', ['b']),
      await life.day('differential', ['c']),
    ];
    const newest = await life.day('incremental', ['a']);
    const report = await tryThenDo(life, 'merge', { snapshot: newest });
    const merged = report.merged?.snapshot ?? '';
    // The differential builds on the full: the incremental between them is no part of the chain.
    const sources = await life.oracle.chainOf(newest);
    expect(sources.map(({ snapshot }) => snapshot)).toEqual([chain[0], chain[2], newest]);
    expect(report).toMatchObject({ hiddenCount: 3, merged: { parts: 4 }, frees: { parts: 0 } });
    life.oracle.merge(merged, sources, 7);
    await life.oracle.expectKept();
    const named = await namedBy(journey.laptop, life.backup, merged);
    expect(new Set(named.map(({ directory }) => directory))).toEqual(new Set([merged]));
    const next = await life.oracle.snapshot('incremental');
    expect(next).toMatchObject({ type: 'incremental', base: merged, totals: { storedParts: 0 } });
    journey.laptop.clock.jump(8 * DAY_MILLIS);
    await tryThenDo(life, 'collect');
    await life.oracle.expectAllThere();
    const kept = life.oracle.visible.map(({ snapshot }) => snapshot);
    expect(kept).toEqual([other, chain[1], merged, next.snapshot]);
    await expectNothingLeftOver(journey.laptop, life.backup, kept);
  });

  test('leaves to a snapshot that was committed meanwhile what it needs', async () => {
    const { life, full, next: first } = await twoDays();
    const copying = journey.laptop.s3.faults.hold({
      where: { operation: 'CopyObject', bucket: journey.laptop.vaultBucket, caller: functionNamed('MergeParts') },
    });
    const merging = journey.tryMaintain(life, 'merge', { snapshot: first });
    await copying.reached;
    const files = await life.source.files();
    const meanwhile = await journey.snapshotBeside(life, 'incremental');
    life.oracle.took(meanwhile, files);
    expect(meanwhile.base).toBe(first);
    copying.release();
    expect((await merging).status).toBe('SUCCEEDED');
    const [merged] = (await namesOfSnapshots(life)).filter((name) => ![full, first, meanwhile.snapshot].includes(name));
    life.oracle.merge(merged ?? '', await life.oracle.chainOf(first), 7);
    journey.laptop.clock.jump(8 * DAY_MILLIS);
    const { report } = await journey.maintain(life, 'collect');
    expect(report.residue).toMatchObject({ parts: 4, for: [meanwhile.snapshot] });
    await life.oracle.expectAllThere();
  });

  test('hides no pinned source, and takes no full by itself', async () => {
    const { life, full, next } = await twoDays();
    expectFailure(await journey.tryMaintain(life, 'merge', { snapshot: full }), {
      error: 'InputInvalid',
      problem: /is a full: there is nothing to merge/,
      hint: /Name an incremental or a differential/,
    });
    await journey.maintain(life, 'pin', { snapshot: full });
    life.oracle.pinned.add(full);
    const report = await tryThenDo(life, 'merge');
    expect(report.hidden.map(({ snapshot }) => snapshot)).toEqual([next]);
    life.oracle.merge(report.merged?.snapshot ?? '', await life.oracle.chainOf(next), 7);
    await life.oracle.expectAllThere();
    await journey.maintain(life, 'unpin', { snapshot: full });
  });
});

async function namesOfSnapshots(life: Life): Promise<string[]> {
  const prefix = `.rankvault/catalog/${life.backup}/snapshots/`;
  return (await storedBelow(journey.laptop, prefix)).map(({ key }) => key.slice(prefix.length, -'.json'.length));
}
