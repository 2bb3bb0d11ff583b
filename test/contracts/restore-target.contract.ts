import { describe, expect, it } from 'vitest';
import type { ChecksumAlgorithm } from '../../core/checksum.ts';
import { TopologyMismatch } from '../../core/errors.ts';
import type { RankName } from '../../core/ids.ts';
import type { DirectoryLine, PartLine } from '../../core/manifest.ts';
import type { RestoreMarker, RestoreTarget, VaultSource } from '../../core/ports/restore-target.ts';
import { collect, variedBytes } from '../support/byte-streams.ts';
import { checksumOfBytes } from '../support/checksum-of-bytes.ts';
import type { RootShape } from '../support/in-memory-tree.ts';

/** A target under test, the means to look at its roots, and a vault to restore from. */
export interface RestoreTargetSubject {
  readonly target: RestoreTarget;
  /** Bytes of a path inside a root; undefined when there is nothing. */
  read(root: string, pathInRoot: string): Promise<Uint8Array | undefined>;
  put(root: string, pathInRoot: string, bytes: Uint8Array): Promise<void>;
  /** Stores bytes in the vault as a part with a full-object checksum of this algorithm. */
  store(key: string, bytes: Uint8Array, algorithm: ChecksumAlgorithm): Promise<VaultSource>;
}

export interface RestoreTargetTraits {
  /** Sizes above which this target works in pieces; each is placed once. */
  readonly largeSizesBytes: readonly number[];
  /** Whether a refused part leaves the old file in place; a server-side copy cannot know before it has written. */
  readonly keepsOldOnMismatch: boolean;
  /** Whether a name is a file or a directory, never both. */
  readonly isFileSystem: boolean;
}

const MAIN: RootShape = { name: 'main', pattern: 'rank-{rank}/tom-{tom}', exclude: [] };
const MAPPED: RootShape = { name: 'mapped', pattern: 'p/r{rank}/t{tom:2}', exclude: ['**/*.tmp'] };
const SINGLE: RootShape = { name: 'single', pattern: 't{tom}', rank: 3, exclude: [] };
const SNAPSHOT = 'snapshot.2026-11-23.02-00-00';
const ATTRIBUTES = {
  mode: 0o640,
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
  mtimeNs: '1700000000000000000',
};
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const plain = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');

const MARKER: RestoreMarker = {
  formatVersion: 1,
  execution: 'restore-1',
  backup: 'nightly',
  snapshot: SNAPSHOT,
  startedAt: '2026-11-23T03:00:00.000Z',
  phase: 'moving',
  label: 'restore-1',
};

function directoryOf(root: string, path: string): DirectoryLine {
  return { path, root, directory: true, attributes: { ...ATTRIBUTES, mode: 0o750 } };
}

/** What every target promises. @param open roots of these shapes, all empty, and an empty vault */
export function describeRestoreTarget(
  name: string,
  open: (shapes: readonly RootShape[]) => Promise<RestoreTargetSubject>,
  traits: RestoreTargetTraits,
): void {
  async function stored(
    subject: RestoreTargetSubject,
    part: {
      readonly root: string;
      readonly path: string;
      readonly bytes: Uint8Array;
      readonly algorithm?: ChecksumAlgorithm;
    },
  ): Promise<{ readonly line: PartLine; readonly source: VaultSource }> {
    const algorithm = part.algorithm ?? 'CRC64NVME';
    const source = await subject.store(`nightly/${SNAPSHOT}/rank-1/${part.path}`, part.bytes, algorithm);
    const line: PartLine = {
      path: part.path,
      root: part.root,
      sizeBytes: part.bytes.byteLength,
      token: 's3:listed',
      checksum: await checksumOfBytes(algorithm, part.bytes),
      in: SNAPSHOT,
      etag: '"vault"',
      versionId: source.versionId,
      attributes: ATTRIBUTES,
    };
    return { line, source };
  }

  async function paths(target: RestoreTarget, rank: RankName): Promise<string[]> {
    const entries = await collect(target.listRank(rank, undefined));
    return entries.filter((entry) => entry.kind === 'part').map((entry) => entry.path);
  }

  describe(`${name} as a restore target`, () => {
    it.each(['CRC64NVME', 'CRC32'] as const)('places parts with a %s where the root keeps them', async (algorithm) => {
      const subject = await open([MAPPED]);
      const bytes = variedBytes(70_001);
      const { line, source } = await stored(subject, { root: 'mapped', path: 'tom-1/t42/1.seg', bytes, algorithm });
      await subject.target.placePart(2, line, source);
      expect(Buffer.compare((await subject.read('mapped', 'p/r2/t01/t42/1.seg')) ?? text(''), bytes)).toBe(0);
      expect(await paths(subject.target, 2)).toEqual(['tom-1/t42/1.seg']);
      expect(await subject.target.discoverRanks()).toEqual([2]);
    });

    it('places empty parts, parts of any name, and files of no rank', async () => {
      const subject = await open([MAIN]);
      const long = `${Array.from({ length: 4 }, () => 'ü'.repeat(99)).join('/')}/${'x'.repeat(54)}`;
      for (const path of ['empty', 'a b+c%20d.seg', 'ünï/\u{1f600}.seg', '#?&=;:@$,.seg', long]) {
        const bytes = path === 'empty' ? new Uint8Array() : text(path);
        const { line, source } = await stored(subject, { root: 'main', path, bytes });
        await subject.target.placePart(1, line, source);
        expect(plain(await subject.read('main', `rank-1/${path}`))).toBe(plain(bytes));
        expect(await subject.target.checksumOf(1, line, 'CRC64NVME')).toBe(line.checksum);
      }
      const { line, source } = await stored(subject, { root: 'main', path: 'etc/gpudb.conf', bytes: text('c') });
      await subject.target.placePart('cluster', line, source);
      expect(plain(await subject.read('main', 'etc/gpudb.conf'))).toBe('c');
    });

    it.each(traits.largeSizesBytes)('places a part of %i bytes in pieces, with either checksum', async (sizeBytes) => {
      const subject = await open([MAIN]);
      for (const algorithm of ['CRC64NVME', 'CRC32'] as const) {
        const bytes = variedBytes(sizeBytes, algorithm.length);
        const part = { root: 'main', path: `large-${algorithm}`, bytes, algorithm };
        const { line, source } = await stored(subject, part);
        await subject.target.placePart(1, line, source);
        const placed = await subject.read('main', `rank-1/large-${algorithm}`);
        expect(Buffer.compare(placed ?? text(''), bytes)).toBe(0);
        expect(await subject.target.checksumOf(1, line, algorithm)).toBe(line.checksum);
        const wrong = {
          ...line,
          path: `wrong-${algorithm}`,
          checksum: await checksumOfBytes(algorithm, text('other')),
        };
        await expect(subject.target.placePart(1, wrong, source)).rejects.toMatchObject({ name: 'ChecksumMismatch' });
        expect(await subject.read('main', `rank-1/wrong-${algorithm}`)).toBeUndefined();
      }
    });

    it('writes over what is there, and may be done again', async () => {
      const subject = await open([MAIN]);
      await subject.put('main', 'rank-1/x', text('an older, longer file'));
      const { line, source } = await stored(subject, { root: 'main', path: 'x', bytes: text('restored') });
      await subject.target.placePart(1, line, source);
      await subject.target.placePart(1, line, source);
      expect(plain(await subject.read('main', 'rank-1/x'))).toBe('restored');
      expect(await paths(subject.target, 1)).toEqual(['x']);
    });

    it('refuses bytes that do not have the recorded checksum', async () => {
      const subject = await open([MAIN]);
      await subject.put('main', 'rank-1/x', text('old'));
      const { line, source } = await stored(subject, { root: 'main', path: 'x', bytes: text('vaulted') });
      const checksum = await checksumOfBytes('CRC64NVME', text('recorded'));
      await expect(subject.target.placePart(1, { ...line, checksum }, source)).rejects.toMatchObject({
        name: 'ChecksumMismatch',
        hint: expect.stringMatching(/\w/),
      });
      if (traits.keepsOldOnMismatch) {
        expect(plain(await subject.read('main', 'rank-1/x'))).toBe('old');
      }
    });

    it('says by name that the vault lacks a part, or that version of it', async () => {
      const subject = await open([MAIN]);
      const { line, source } = await stored(subject, { root: 'main', path: 'x', bytes: text('x') });
      const other = await stored(subject, { root: 'main', path: 'y', bytes: text('y') });
      const missing = { ...source, key: `${source.key}-gone` };
      await expect(subject.target.placePart(1, line, missing)).rejects.toMatchObject({ name: 'VaultPartMissing' });
      const foreign = { ...source, versionId: other.source.versionId };
      await expect(subject.target.placePart(1, line, foreign)).rejects.toMatchObject({ name: 'VaultPartMissing' });
    });

    it('knows the checksum of what lies there, and that nothing does', async () => {
      const subject = await open([MAIN]);
      const { line, source } = await stored(subject, { root: 'main', path: 'x', bytes: text('x'), algorithm: 'CRC32' });
      await subject.target.placePart(1, line, source);
      expect(await subject.target.checksumOf(1, line, 'CRC32')).toBe(line.checksum);
      expect(await subject.target.checksumOf(1, { root: 'main', path: 'y' }, 'CRC32')).toBeUndefined();
    });

    it('removes parts, and does not mind when there is nothing', async () => {
      const subject = await open([MAIN]);
      await subject.put('main', 'rank-1/a/x', text('x'));
      await subject.put('main', 'rank-1/a/y', text('y'));
      await subject.target.remove(1, { root: 'main', path: 'a/x' });
      await subject.target.remove(1, { root: 'main', path: 'a/x' });
      expect(await paths(subject.target, 1)).toEqual(['a/y']);
    });

    it('moves parts aside under their label, out of every listing, and may do it again', async () => {
      const subject = await open([MAPPED]);
      await subject.put('mapped', 'p/r1/t00/x+ü', text('old'));
      await subject.put('mapped', 'p/r1/y', text('stays'));
      const entry = { root: 'mapped', path: 'tom-0/x+ü' };
      await subject.target.moveAside(1, entry, 'restore-1');
      await subject.target.moveAside(1, entry, 'restore-1');
      await subject.target.moveAside(1, { root: 'mapped', path: 'absent' }, 'restore-1');
      expect(await paths(subject.target, 1)).toEqual(['y']);
      expect(await paths(subject.target, 'cluster')).toEqual([]);
      expect(plain(await subject.read('mapped', '.rankvault-aside/restore-1/p/r1/t00/x+ü'))).toBe('old');
    });

    it.each(traits.largeSizesBytes)('moves a part of %i bytes aside whole', async (sizeBytes) => {
      const subject = await open([MAIN]);
      const bytes = variedBytes(sizeBytes, 3);
      await subject.put('main', 'rank-1/large', bytes);
      await subject.target.moveAside(1, { root: 'main', path: 'large' }, 'l');
      expect(await subject.read('main', 'rank-1/large')).toBeUndefined();
      const aside = await subject.read('main', '.rankvault-aside/l/rank-1/large');
      expect(Buffer.compare(aside ?? text(''), bytes)).toBe(0);
    });

    it('deletes what was moved aside under a label, and nothing of another', async () => {
      const subject = await open([MAIN, MAPPED]);
      for (const label of ['first', 'first-2']) {
        await subject.put('main', 'rank-1/x', text(label));
        await subject.put('mapped', 'p/r1/y', text(label));
        await subject.target.moveAside(1, { root: 'main', path: 'x' }, label);
        await subject.target.moveAside(1, { root: 'mapped', path: 'y' }, label);
      }
      await subject.target.removeAside('first');
      await subject.target.removeAside('first');
      expect(await subject.read('main', '.rankvault-aside/first/rank-1/x')).toBeUndefined();
      expect(await subject.read('mapped', '.rankvault-aside/first/p/r1/y')).toBeUndefined();
      expect(plain(await subject.read('main', '.rankvault-aside/first-2/rank-1/x'))).toBe('first-2');
    });

    it('does not list, and so does not remove, what is excluded', async () => {
      const subject = await open([MAPPED]);
      await subject.put('mapped', 'p/r1/t00/x.tmp', text('x'));
      await subject.put('mapped', 'p/r1/t00/x', text('x'));
      expect(await paths(subject.target, 1)).toEqual(['tom-0/x']);
    });

    it('keeps the attributes and directories calls harmless where they mean nothing', async () => {
      const subject = await open([MAIN]);
      const { line, source } = await stored(subject, { root: 'main', path: 'd/x', bytes: text('x') });
      const directory = directoryOf('main', 'd/');
      await subject.target.makeDirectory(1, directory);
      await subject.target.placePart(1, line, source);
      await subject.target.setAttributes(1, line);
      await subject.target.finishDirectory(1, directory);
      expect(await paths(subject.target, 1)).toEqual(['d/x']);
      await subject.target.remove(1, { root: 'main', path: 'd/x' });
      await subject.target.remove(1, { root: 'main', path: 'd/' });
      expect(await collect(subject.target.listRank(1, undefined))).toEqual([]);
    });

    it('writes a marker into every root, and removes only its own', async () => {
      const { target } = await open([MAIN, MAPPED]);
      expect(await target.readMarkers()).toEqual([]);
      await target.writeMarkers(MARKER);
      await target.writeMarkers(MARKER);
      expect(await target.readMarkers()).toEqual([
        { root: 'main', marker: MARKER },
        { root: 'mapped', marker: MARKER },
      ]);
      expect(await paths(target, 'cluster')).toEqual([]);
      await target.removeMarkers('restore-2');
      expect(await target.readMarkers()).toHaveLength(2);
      await target.removeMarkers('restore-1');
      await target.removeMarkers('restore-1');
      expect(await target.readMarkers()).toEqual([]);
    });

    it("replaces a dead execution's marker, and never goes back from placing to moving", async () => {
      const { target } = await open([MAIN]);
      await target.writeMarkers({ ...MARKER, phase: 'placing' });
      await target.writeMarkers(MARKER);
      expect((await target.readMarkers())[0]?.marker.phase).toBe('placing');
      const next = { ...MARKER, execution: 'restore-2' };
      await target.writeMarkers(next);
      expect(await target.readMarkers()).toEqual([{ root: 'main', marker: next }]);
    });

    it('reports a marker that cannot be read, or is of a newer version, by name', async () => {
      const { target, put } = await open([MAIN]);
      await put('main', '.rankvault-restoring.json', text('{'));
      await expect(target.readMarkers()).rejects.toMatchObject({ name: 'CatalogCorrupt' });
      await put('main', '.rankvault-restoring.json', text(JSON.stringify({ ...MARKER, formatVersion: 2 })));
      await expect(target.readMarkers()).rejects.toMatchObject({ name: 'FormatTooNew' });
      await expect(target.writeMarkers(MARKER)).rejects.toMatchObject({ name: 'FormatTooNew' });
    });

    it('looks roots up by name, and takes everything into a single one', async () => {
      const single = await open([MAIN]);
      const part = await stored(single, { root: 'elsewhere', path: 'tom-0/x', bytes: text('x') });
      await single.target.placePart(1, part.line, part.source);
      expect(plain(await single.read('main', 'rank-1/tom-0/x'))).toBe('x');
      const several = await open([MAIN, MAPPED]);
      const { line, source } = await stored(several, { root: 'mapped', path: 'tom-0/x', bytes: text('x') });
      await several.target.placePart(1, line, source);
      expect(plain(await several.read('mapped', 'p/r1/t00/x'))).toBe('x');
      const lost = several.target.placePart(1, { ...line, root: 'elsewhere' }, source);
      await expect(lost).rejects.toMatchObject({ name: 'TopologyMismatch', message: /elsewhere.*main, mapped/s });
    });

    it('says before anything is written which lines have no place', async () => {
      const several = await open([MAIN, MAPPED]);
      const { line } = await stored(several, { root: 'mapped', path: 'tom-0/x', bytes: text('x') });
      for (const rank of [0, 7, 'cluster'] as const) {
        several.target.assertPlace(rank, line);
        several.target.assertPlace(rank, directoryOf('main', 'tom-0/'));
      }
      for (const lost of [{ ...line, root: 'elsewhere' }, directoryOf('elsewhere', 'tom-0/')]) {
        expect(() => several.target.assertPlace(1, lost)).toThrow(TopologyMismatch);
      }
      const { target } = await open([SINGLE]);
      target.assertPlace(3, { ...line, root: 'elsewhere' });
      target.assertPlace('cluster', { ...directoryOf('elsewhere', 'rank-3/'), rank: 3 });
      for (const rank of [0, 'cluster'] as const) {
        expect(() => target.assertPlace(rank, line)).toThrow(TopologyMismatch);
      }
    });

    it('knows which lines of a snapshot its roots exclude', async () => {
      const { target } = await open([MAIN, { ...MAPPED, exclude: ['p/r*/t01/keep', 'site.conf', '**/*.tmp'] }]);
      const { line } = await stored(await open([MAIN]), { root: 'mapped', path: 'x', bytes: text('x') });
      const excludes = (rank: RankName, path: string, root = 'mapped') =>
        target.excludes(rank, { ...line, root, path });
      expect(excludes(2, 'tom-1/keep')).toBe(true);
      expect(excludes(2, 'tom-1/keep/below')).toBe(true);
      expect(excludes(2, 'x.tmp')).toBe(true);
      expect(excludes('cluster', 'site.conf')).toBe(true);
      expect(excludes(2, 'tom-2/keep')).toBe(false);
      expect(excludes(2, 'site.conf')).toBe(false);
      expect(excludes(2, 'tom-1/keep', 'main')).toBe(false);
    });

    it('says which roots are file systems', async () => {
      const { target } = await open([MAIN, MAPPED]);
      const fileSystem = traits.isFileSystem ? 'mapped' : undefined;
      expect(target.fileSystemOf(directoryOf('mapped', 'd/'))).toBe(fileSystem);
    });

    it('refuses files of a rank that a root of a single rank cannot hold', async () => {
      const subject = await open([SINGLE]);
      expect(subject.target.accepts(3)).toBe(true);
      expect(subject.target.accepts(0)).toBe(false);
      const { line, source } = await stored(subject, { root: 'single', path: 'tom-0/x', bytes: text('x') });
      await subject.target.placePart(3, line, source);
      expect(plain(await subject.read('single', 't0/x'))).toBe('x');
      for (const rank of [0, 'cluster'] as const) {
        await expect(subject.target.placePart(rank, line, source)).rejects.toMatchObject({ name: 'TopologyMismatch' });
      }
    });
  });
}
