import { describe, expect, it } from 'vitest';
import { isDirectoryLine, type PartLine } from '../../../core/manifest.ts';
import { readManifest } from '../../../core/manifest-io.ts';
import { manifestKey } from '../../../core/vault-layout.ts';
import { collect } from '../../support/byte-streams.ts';
import { VerifyWorld } from '../../support/verify-world.ts';

/** An incremental, whose carried line of rank 2 is as it was when it was committed. */
async function taken(change: Partial<PartLine>) {
  const world = new VerifyWorld();
  const full = await world.snapshot({ type: 'full', execution: 's1' });
  const next = await world.snapshot({ type: 'incremental', execution: 's2' });
  const lines = await collect(readManifest(world.vault, { backup: 'prod', snapshot: next.snapshot, rank: 2 }));
  expect(lines.filter((line) => !isDirectoryLine(line)).map((line) => ('in' in line ? line.in : ''))).toEqual([
    full.snapshot,
  ]);
  await world.forge(next, 2, (all) => all.map((line) => (isDirectoryLine(line) ? line : { ...line, ...change })));
  return { world, full, next };
}

const present = (world: VerifyWorld) => world.verify({ execution: 'v1', input: { level: 'present' } });

describe('what a snapshot carries', () => {
  it.each<[string, Partial<PartLine>, RegExp]>([
    ['another version', { versionId: 'other' }, /versionId other instead of/],
    ['another checksum', { checksum: 'CRC64NVME:AAAAAAAAAAA=' }, /checksum CRC64NVME:AAAAAAAAAAA= instead of/],
    ['another place', { key: 'prod/elsewhere' }, /key prod\/elsewhere instead of/],
    ['a part that is not there', { path: 'tom-9/z.seg' }, /does not name it\.$/],
  ])('must be as its base names it: %s is told', async (_what, change, detail) => {
    const { world, full, next } = await taken(change);
    const { findings, record } = await present(world);
    expect(findings).toMatchObject([
      {
        kind: 'BrokenManifest',
        snapshot: next.snapshot,
        key: manifestKey('prod', next.snapshot, 2),
        detail: expect.stringMatching(detail),
      },
    ]);
    expect(record.snapshots).toEqual([full.snapshot]);
    expect(record.state.open.map(({ snapshot }) => snapshot)).toEqual([next.snapshot]);
  });

  it('proves nothing of what was built on a snapshot that carries another version', async () => {
    const { world, full, next } = await taken({ versionId: 'other' });
    const last = await world.snapshot({ type: 'incremental', execution: 's3' });
    expect(last.base).toBe(next.snapshot);
    const { record } = await present(world);
    expect(record.state.open.map(({ snapshot }) => snapshot)).toEqual([next.snapshot]);
    expect(record.snapshots).toEqual([full.snapshot]);
    expect((await world.plan({ type: 'incremental', execution: 's4' })).run.type).toBe('full');
  });

  it('is not held against a base whose manifest is not the one that was committed', async () => {
    const { world, full } = await taken({});
    world.breakObject(manifestKey('prod', full.snapshot, 2));
    const { findings } = await present(world);
    expect(new Set(findings.map(({ snapshot }) => snapshot))).toEqual(new Set([full.snapshot]));
  });

  it('is looked at alike when every invocation stops after one line', async () => {
    const { world } = await taken({ versionId: 'other' });
    const { record } = await world.verify({ execution: 'v1', input: { level: 'present' }, shouldStop: () => true });
    expect(record.findings).toEqual({ BrokenManifest: 1 });
  });
});
