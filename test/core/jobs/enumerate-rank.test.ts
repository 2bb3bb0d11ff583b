import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DraftLine } from '../../../core/draft.ts';
import { readDraft, readEnumeration } from '../../../core/draft-io.ts';
import { streamOf } from '../../../core/draft-writer.ts';
import { FORMAT_VERSION } from '../../../core/format.ts';
import { enumerateRank } from '../../../core/jobs/enumerate-rank.ts';
import type { ManifestLine } from '../../../core/manifest.ts';
import { manifestBytes, ranksBytes } from '../../../core/manifest-io.ts';
import type { LiveEntry } from '../../../core/part.ts';
import { NO_TOTALS } from '../../../core/records.ts';
import type { Pass, SnapshotPlan } from '../../../core/run.ts';
import { compareUtf8 } from '../../../core/utf8-order.ts';
import { manifestKey, ranksKey } from '../../../core/vault-layout.ts';
import { collect } from '../../support/byte-streams.ts';
import { always, JobWorld, never } from '../../support/job-world.ts';
import { ListedSource, listedDirectory, listedPart, SAMPLE_ATTRIBUTES } from '../../support/listed-source.ts';
import { directoryLine, FIRST_SNAPSHOT, partLine } from '../../support/sample-lines.ts';

interface Scene {
  readonly world: JobWorld;
  readonly plan: SnapshotPlan;
}

/** A run whose base has one manifest, of rank 1, and whose source lists what is given. */
async function scene(live: readonly LiveEntry[], base?: readonly ManifestLine[]): Promise<Scene> {
  const world = new JobWorld();
  world.source = new ListedSource({ 1: live });
  const planned = await world.plan({ backup: 'held', type: 'full', execution: 'run-1' });
  if (base === undefined) {
    return { world, plan: { ...planned, run: { ...planned.run, warmPass: false } } };
  }
  const header = { formatVersion: 1, backup: 'held', snapshot: FIRST_SNAPSHOT, rank: 'rank-1' };
  const lines = async function* () {
    yield* base;
  };
  const manifest = await world.vault.createStream(
    manifestKey('held', FIRST_SNAPSHOT, 1),
    manifestBytes(header, lines()),
  );
  const { sha256, sizeBytes } = manifest;
  const ranks = streamOf([
    { rank: 1, sha256, sizeBytes, totals: NO_TOTALS, in: [{ snapshot: FIRST_SNAPSHOT, parts: 0, bytes: 0 }] },
  ]);
  const ranksHeader = { formatVersion: FORMAT_VERSION, backup: 'held', snapshot: FIRST_SNAPSHOT } as const;
  await world.vault.createStream(ranksKey('held', FIRST_SNAPSHOT), ranksBytes(ranksHeader, ranks));
  const run = { ...planned.run, type: 'incremental' as const, warmPass: false };
  return { world, plan: { ...planned, run, base: FIRST_SNAPSHOT, baseRanks: [1], allowedIn: [FIRST_SNAPSHOT] } };
}

async function found({ world, plan }: Scene, pass: Pass = 'final') {
  const enumeration = await readEnumeration(world.of(plan), pass, 1);
  const lines: DraftLine[] = await collect(readDraft(world.of(plan), pass, enumeration));
  return { enumeration, lines };
}

const copied = (path: string) => expect.objectContaining({ copy: true, path });

describe('enumerating a rank', () => {
  it('of a full copies every part and lists every directory', async () => {
    const there = await scene([listedDirectory('tom-0/'), listedPart('tom-0/a'), listedPart('b')]);
    await there.world.enumerate(there.plan, 'final', 1);
    const { enumeration, lines } = await found(there);
    expect(lines).toEqual([copied('b'), directoryLine('tom-0/'), copied('tom-0/a')]);
    expect(enumeration.totals).toEqual({
      parts: 2,
      bytes: 20,
      directories: 1,
      copyParts: 2,
      copyBytes: 20,
      removedParts: 0,
    });
    expect(enumeration.listedAt).toBe('2026-01-31T22:00:00.000Z');
  });

  it('with a base carries what is the same, with the attributes of now, and copies the rest', async () => {
    const attributes = { ...SAMPLE_ATTRIBUTES, mode: 0o600 };
    const there = await scene(
      [
        listedPart('same', { attributes }),
        listedPart('changed', { token: 'file:10:2:2:x' }),
        listedPart('new'),
        listedPart('x.mdb'),
      ],
      [partLine('changed'), directoryLine('gone/'), partLine('gone/a'), partLine('same'), partLine('x.mdb')],
    );
    await there.world.enumerate(there.plan, 'final', 1);
    const { enumeration, lines } = await found(there);
    expect(lines).toEqual([copied('changed'), copied('new'), { ...partLine('same'), attributes }, copied('x.mdb')]);
    expect(enumeration.totals).toEqual({
      parts: 4,
      bytes: 40,
      directories: 0,
      copyParts: 3,
      copyBytes: 30,
      removedParts: 1,
    });
  });

  it('copies again what was racy when the base was listed, and marks what is racy now', async () => {
    const there = await scene([listedPart('a'), listedPart('b', { racy: true })], [partLine('a', { racy: true })]);
    await there.world.enumerate(there.plan, 'final', 1);
    expect((await found(there)).lines).toEqual([
      expect.not.objectContaining({ racy: true }),
      expect.objectContaining({ copy: true, racy: true }),
    ]);
  });

  it('copies everything of a rank that the base does not have', async () => {
    const there = await scene([listedPart('a')], [partLine('a')]);
    const plan = { ...there.plan, baseRanks: [0, 'cluster' as const] };
    await there.world.enumerate(plan, 'final', 1);
    expect((await found(there)).lines).toEqual([copied('a')]);
  });

  it('of nothing is an empty enumeration', async () => {
    const there = await scene([]);
    expect(await there.world.enumerate(there.plan, 'final', 1)).toBe(1);
    expect((await found(there)).enumeration).toMatchObject({ totals: { parts: 0 } });
  });

  it('fails by name when the base’s manifest is gone', async () => {
    const there = await scene([listedPart('a')], []);
    await there.world.vault.delete(manifestKey('held', FIRST_SNAPSHOT, 1));
    await expect(there.world.enumerate(there.plan, 'final', 1)).rejects.toThrow('no such object');
  });

  it('refuses to build on a manifest that is not the one that was committed', async () => {
    const there = await scene([listedPart('a')], []);
    await there.world.vault.put(manifestKey('held', FIRST_SNAPSHOT, 1), Buffer.from('another'));
    await expect(there.world.enumerate(there.plan, 'final', 1)).rejects.toThrow('was recorded');
  });
});

describe('enumerating a rank in many invocations', () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'a.b', 'a/', 'a/b', 'b', 'b/', 'ü', '\u{ffe0}', '😀', 'z.mdb'), {
    minLength: 1,
  });

  it('gives what one invocation gives, wherever it stops', async () => {
    await fc.assert(
      fc.asyncProperty(names, names, fc.array(fc.boolean(), { minLength: 1 }), async (live, base, stops) => {
        const entries = live.map((path) => (path.endsWith('/') ? listedDirectory(path) : listedPart(path)));
        const lines = base
          .toSorted(compareUtf8)
          .map((path) => (path.endsWith('/') ? directoryLine(path) : partLine(path)));
        const [once, often, some] = [
          await scene(entries, lines),
          await scene(entries, lines),
          await scene(entries, lines),
        ];
        let asked = 0;
        const sometimes = () => stops[asked++ % stops.length] ?? false;
        await once.world.enumerate(once.plan, 'final', 1, never);
        const all = new Set([...live, ...base]);
        expect(await often.world.enumerate(often.plan, 'final', 1, always)).toBe(all.size);
        await some.world.enumerate(some.plan, 'final', 1, sometimes);
        const [expected, ...others] = [await found(once), await found(often), await found(some)];
        for (const other of others) {
          expect(other.lines).toEqual(expected?.lines);
          expect(other.enumeration.totals).toEqual(expected?.enumeration.totals);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('keeps the moment of the first', async () => {
    const there = await scene([listedPart('a'), listedPart('b')]);
    await there.world.enumerate(there.plan, 'final', 1, () => {
      there.world.clock.advanceMinutes(1);
      return true;
    });
    expect((await found(there)).enumeration.listedAt).toBe('2026-01-31T22:00:00.000Z');
  });

  it('is not disturbed by a ghost that goes on from an earlier place, nor by one that finishes later', async () => {
    const there = await scene([listedPart('a'), listedPart('b'), listedPart('c')]);
    const { world, plan } = there;
    const request = { plan, pass: 'final' as const, rank: 1, progress: { done: false } };
    const first = await enumerateRank(world.of(plan), { ...request, invocation: 'i1', shouldStop: always });
    const ghost = enumerateRank(world.of(plan), { ...request, invocation: 'ghost', shouldStop: never });
    const ours = enumerateRank(world.of(plan), { ...request, progress: first, invocation: 'i2', shouldStop: never });
    expect(await Promise.all([ghost, ours])).toEqual([{ done: true }, { done: true }]);
    const { lines, enumeration } = await found(there);
    expect(lines).toEqual([copied('a'), copied('b'), copied('c')]);
    world.source = new ListedSource({ 1: [listedPart('other')] });
    await enumerateRank(world.of(plan), { ...request, invocation: 'late', shouldStop: never });
    expect((await found(there)).enumeration).toEqual(enumeration);
  });
});

describe('a warm pass', () => {
  it('leaves what would have to be copied again, and the final pass copies just that', async () => {
    const live = [listedPart('a', { token: 's3:1' }), listedPart('b', { racy: true }), listedPart('x.mdb')];
    const { world, plan: planned } = await scene(live);
    const plan = { ...planned, run: { ...planned.run, warmPass: true } };
    const there = { world, plan };
    await world.enumerate(plan, 'warm', 1);
    expect((await found(there, 'warm')).lines).toEqual([copied('a')]);
    expect((await found(there, 'warm')).enumeration.totals).toMatchObject({ parts: 3, copyParts: 1 });
    world.copier = {
      copy: ({ part: { path, token, sizeBytes }, snapshot }) =>
        Promise.resolve({
          path,
          token,
          sizeBytes,
          checksum: 'CRC32:AAAAAA==',
          in: snapshot,
          etag: '"e"',
          versionId: 'v',
        }),
    };
    await world.work.put(plan.run.ranksKey, Buffer.from('[1]'));
    await world.enumerateAll(plan, 'warm');
    await world.copyAll(plan, 'warm');
    await world.enumerate(plan, 'final', 1);
    const { lines } = await found(there);
    expect(lines).toEqual([
      expect.objectContaining({ path: 'a', in: plan.run.snapshot }),
      copied('b'),
      copied('x.mdb'),
    ]);
  });
});
