import { describe, expect, it } from 'vitest';
import type { RankName } from '../../core/ids.ts';
import type { LivePart } from '../../core/part.ts';
import type { SourceRoots } from '../../core/ports/source-root.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';
import { collect } from '../support/byte-streams.ts';
import type { RootShape } from '../support/in-memory-tree.ts';

/** A source under test and the means to put files where it looks. */
export interface SourceRootsSubject {
  readonly source: SourceRoots;
  put(root: string, pathInRoot: string, text: string): Promise<void>;
}

export interface SourceRootsTraits {
  /** Whether a file may be named as a directory is; true for S3. @default false */
  readonly objectBesideDirectory?: boolean;
}

const CANONICAL: RootShape = { name: 'one', pattern: 'rank-{rank}/tom-{tom}', exclude: [] };
const MAPPED: RootShape = {
  name: 'two',
  pattern: 'persist/r{rank}/data/t{tom:2}',
  exclude: ['**/*.tmp', 'persist/*/scratch', 'lost+found/'],
};
const SINGLE: RootShape = { name: 'three', pattern: 't{tom}', rank: 3, exclude: [] };

async function parts(source: SourceRoots, rank: RankName, after?: string): Promise<LivePart[]> {
  const entries = await collect(source.listRank(rank, after));
  return entries.filter((entry) => entry.kind === 'part');
}

async function paths(source: SourceRoots, rank: RankName, after?: string): Promise<string[]> {
  return (await parts(source, rank, after)).map((part) => part.path);
}

/** Every `after` gives exactly the rest of the listing. */
async function expectCursorsToWork(source: SourceRoots, rank: RankName): Promise<void> {
  const all = await paths(source, rank);
  for (const [index, path] of all.entries()) {
    expect(await paths(source, rank, path)).toEqual(all.slice(index + 1));
    // A cursor need not be a part's path: one that just precedes a part, or lies between two.
    expect(await paths(source, rank, `${path}!`)).toEqual(all.filter((each) => compareUtf8(each, `${path}!`) > 0));
  }
}

/** What every source promises. @param open roots of these shapes, all empty */
export function describeSourceRoots(
  name: string,
  open: (shapes: readonly RootShape[]) => Promise<SourceRootsSubject>,
  traits: SourceRootsTraits = {},
): void {
  describe(`${name} as a source`, () => {
    const odd = [
      'a b.seg',
      'a+b.seg',
      'a%20b.seg',
      'ü.seg',
      '\u{ffee}.seg',
      '\u{1f600}.seg',
      "it's & <x>.seg",
      '.hidden',
    ];

    it('lists the parts of a rank with size, root and token, in the order of their UTF-8 bytes', async () => {
      const { source, put } = await open([CANONICAL]);
      for (const each of odd) {
        await put('one', `rank-1/tom-0/t1/${each}`, each);
      }
      await put('one', 'rank-1/meta.mdb', 'rank-level');
      await put('one', 'rank-10/tom-0/x', 'other rank');
      const listed = await parts(source, 1, undefined);
      expect(listed.map((part) => part.path)).toEqual(
        ['meta.mdb', ...odd.map((each) => `tom-0/t1/${each}`)].sort(compareUtf8),
      );
      expect(listed[0]).toMatchObject({ kind: 'part', root: 'one', sizeBytes: 10 });
      expect(new Set(listed.map((part) => part.token)).size).toBe(listed.length);
    });

    it('maps TOM directories to their canonical names and keeps canonical order', async () => {
      const { source, put } = await open([MAPPED]);
      for (const tom of ['00', '01', '02', '10', '11']) {
        await put('two', `persist/r4/data/t${tom}/b/1.seg`, tom);
        await put('two', `persist/r4/data/t${tom}/a.seg`, tom);
      }
      for (const other of ['a.txt', 'data/t1/not-a-tom', 'data/zz', 'tom-1x', 'tom', 'u/v', 'z']) {
        await put('two', `persist/r4/${other}`, other);
      }
      const listed = await paths(source, 4);
      const toms = [0, 1, 10, 11, 2].flatMap((tom) => [`tom-${tom}/a.seg`, `tom-${tom}/b/1.seg`]);
      expect(listed).toEqual(
        ['a.txt', 'data/t1/not-a-tom', 'data/zz', 'tom', ...toms, 'tom-1x', 'u/v', 'z'].sort(compareUtf8),
      );
      await expectCursorsToWork(source, 4);
    });

    it('goes on after any path of a canonical root', async () => {
      const { source, put } = await open([CANONICAL]);
      for (const each of [
        'a',
        'b/1',
        'b/2',
        'b-c',
        'tom-0/t/1',
        'tom-0/t/2',
        'tom-0/u',
        'tom-1/t/1',
        'tom-10/x',
        'z/y/x',
      ]) {
        await put('one', `rank-0/${each}`, each);
      }
      await expectCursorsToWork(source, 0);
      expect(await paths(source, 0, 'b/')).toEqual([
        'b/1',
        'b/2',
        'tom-0/t/1',
        'tom-0/t/2',
        'tom-0/u',
        'tom-1/t/1',
        'tom-10/x',
        'z/y/x',
      ]);
      expect(await paths(source, 0, 'zzz')).toEqual([]);
    });

    it('merges all roots into one order, with the root of each part', async () => {
      const { source, put } = await open([CANONICAL, MAPPED, SINGLE]);
      await put('one', 'rank-3/tom-0/a', 'x');
      await put('two', 'persist/r3/data/t00/b', 'x');
      await put('three', 't0/c', 'x');
      await put('one', 'rank-3/tom-0/d', 'x');
      const listed = (await parts(source, 3)).map((part) => `${part.root}:${part.path}`);
      expect(listed).toEqual(['one:tom-0/a', 'two:tom-0/b', 'three:tom-0/c', 'one:tom-0/d']);
      await expectCursorsToWork(source, 3);
    });

    it('lists what is outside of every rank as the pseudo-rank cluster', async () => {
      const { source, put } = await open([CANONICAL, MAPPED]);
      await put('one', 'rank-1/x', 'x');
      await put('one', 'rank-x/y', 'x');
      await put('one', 'gpudb.conf', 'x');
      await put('two', 'persist/r1/y', 'x');
      await put('two', 'persist/readme', 'x');
      await put('two', 'etc/license', 'x');
      expect(await paths(source, 'cluster')).toEqual(['etc/license', 'gpudb.conf', 'persist/readme', 'rank-x/y']);
      await expectCursorsToWork(source, 'cluster');
    });

    it('has no cluster files and no other ranks in a root of a single rank', async () => {
      const { source, put } = await open([SINGLE]);
      await put('three', 't2/x', 'x');
      await put('three', 'y', 'x');
      expect(await paths(source, 3)).toEqual(['tom-2/x', 'y']);
      expect(await paths(source, 'cluster')).toEqual([]);
      expect(await paths(source, 0)).toEqual([]);
      expect(await source.discoverRanks()).toEqual([3]);
    });

    it('yields nothing for a rank without a directory', async () => {
      const { source, put } = await open([CANONICAL]);
      await put('one', 'rank-1/x', 'x');
      expect(await paths(source, 2)).toEqual([]);
    });

    it('discovers ranks by number, each once', async () => {
      const { source, put } = await open([CANONICAL, MAPPED]);
      await put('one', 'rank-10/x', 'x');
      await put('one', 'rank-2/x', 'x');
      await put('one', 'rank-02/x', 'no rank: the pattern has no zeros');
      await put('two', 'persist/r2/x/y', 'x');
      await put('two', 'persist/r0/data/t00/y', 'x');
      await put('two', 'r7/y', 'x');
      expect(await source.discoverRanks()).toEqual([0, 2, 10]);
    });

    it('finds nothing in empty roots', async () => {
      const { source } = await open([CANONICAL, SINGLE]);
      expect(await source.discoverRanks()).toEqual([]);
      expect(await paths(source, 3)).toEqual([]);
      expect(await paths(source, 'cluster')).toEqual([]);
      expect(await source.findRestoreMarkers()).toEqual([]);
    });

    it('leaves out what is excluded, and everything below an excluded directory', async () => {
      const { source, put } = await open([MAPPED]);
      await put('two', 'persist/r1/data/t00/a.tmp', 'x');
      await put('two', 'persist/r1/data/t00/a.seg', 'x');
      await put('two', 'persist/r1/scratch/deep/b.seg', 'x');
      await put('two', 'persist/r1/.x.tmp', 'x');
      await put('two', 'lost+found/c', 'x');
      await put('two', 'found/c', 'x');
      expect(await paths(source, 1)).toEqual(['tom-0/a.seg']);
      expect(await paths(source, 'cluster')).toEqual(['found/c']);
    });

    it("never lists Rankvault's own names at the root, and names roots with a restore's marker", async () => {
      const { source, put } = await open([CANONICAL, SINGLE]);
      await put('one', '.rankvault-aside/x/rank-1/y', 'x');
      await put('one', 'rank-1/.rankvault-like', 'a name of the database');
      await put('three', '.rankvault-restoring.json', 'not even JSON');
      await put('three', 'x', 'x');
      expect(await paths(source, 'cluster')).toEqual([]);
      expect(await paths(source, 1)).toEqual(['.rankvault-like']);
      expect(await paths(source, 3)).toEqual(['x']);
      expect(await source.findRestoreMarkers()).toEqual(['three']);
    });

    it('gives a part another token when it is written again, and the same one when it is not', async () => {
      const { source, put } = await open([CANONICAL]);
      await put('one', 'rank-1/same', 'x');
      await put('one', 'rank-1/written', 'x');
      const before = await parts(source, 1);
      await put('one', 'rank-1/written', 'yy');
      const after = await parts(source, 1);
      expect(after[0]?.token).toBe(before[0]?.token);
      expect(after[1]?.token).not.toBe(before[1]?.token);
    });

    it('refuses a part that two roots have, naming both', async () => {
      const { source, put } = await open([CANONICAL, MAPPED]);
      await put('one', 'rank-1/tom-5/x', 'x');
      await put('two', 'persist/r1/data/t05/x', 'x');
      await expect(paths(source, 1)).rejects.toMatchObject({ name: 'PathCollision', message: /one.*two/s });
    });

    it('refuses a directory that is no TOM but is named like one', async () => {
      const { source, put } = await open([MAPPED]);
      await put('two', 'persist/r1/tom-5/x', 'x');
      await expect(paths(source, 1)).rejects.toMatchObject({ name: 'PathCollision' });
    });

    it('takes paths of 850 bytes and refuses longer ones by name', async () => {
      const { source, put } = await open([CANONICAL]);
      const segments = Array.from({ length: 4 }, (_, index) => String(index).repeat(199));
      const longest = `${segments.join('/')}/${'x'.repeat(50)}`;
      expect(longest.length).toBe(850);
      await put('one', `rank-1/${longest}`, 'x');
      expect(await paths(source, 1)).toEqual([longest]);
      await put('one', `rank-1/${longest}y`, 'x');
      await expect(paths(source, 1)).rejects.toMatchObject({ name: 'PartPathInvalid' });
    });

    it.runIf(traits.objectBesideDirectory === true)('lists a part that is named as a directory is', async () => {
      const { source, put } = await open([CANONICAL]);
      await put('one', 'rank-1/a', 'x');
      await put('one', 'rank-1/a/b', 'x');
      await put('one', 'rank-1/a-b', 'x');
      expect(await paths(source, 1)).toEqual(['a', 'a-b', 'a/b']);
      await expectCursorsToWork(source, 1);
    });
  });
}
