import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { CopyObjectCommand, DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileRestoreTarget } from '../../../adapters/file/file-restore-target.ts';
import { temporaryPathOf } from '../../../adapters/file/place-file.ts';
import { TargetNotWritable } from '../../../adapters/file/target-errors.ts';
import { type Checksum, checksumOf, crc32Checksum } from '../../../core/checksum.ts';
import {
  ChecksumMismatch,
  PartPathInvalid,
  SpecialFile,
  StoreUnavailable,
  TopologyMismatch,
  VaultPartMissing,
} from '../../../core/errors.ts';
import type { DirectoryLine, PartLine } from '../../../core/manifest.ts';
import type { FileAttributes } from '../../../core/part.ts';
import type { VaultSource } from '../../../core/ports/restore-target.ts';
import { collect, variedBytes } from '../../support/byte-streams.ts';
import { useLocalS3 } from '../../support/s3-fixture.ts';
import { asNobody, LATER, pathsOf, type RootOptions, rootAt, useDirectories, writeTree } from './file-fixture.ts';

const directories = useDirectories();
const fixture = useLocalS3();
const SNAPSHOT = 'snapshot.2026-01-31.23-59-59';
const MINE = {
  mode: 0o640,
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
  mtimeNs: '1700000000123456789',
};
const isRoot = process.getuid?.() === 0;

function targetAt(directory: string, options: RootOptions = {}): FileRestoreTarget {
  return new FileRestoreTarget({ root: rootAt(directory, options), clock: LATER, vault: { client: fixture.client } });
}

async function vaultOf(content: Uint8Array | string): Promise<VaultSource> {
  const bucket = await fixture.newBucket({ versioned: true });
  const answer = await fixture.client.send(
    new PutObjectCommand({ Bucket: bucket, Key: 'a b/part', Body: content, ChecksumAlgorithm: 'CRC32' }),
  );
  return { bucket, key: 'a b/part', versionId: answer.VersionId ?? '' };
}

function lineOf(path: string, content: Uint8Array | string, attributes: FileAttributes | undefined = MINE): PartLine {
  const bytes = Buffer.from(content);
  return {
    path,
    root: 'data',
    sizeBytes: bytes.byteLength,
    token: 'file:1:2:3:4',
    checksum: crc32Checksum(crc32(bytes)),
    in: SNAPSHOT,
    etag: '"x"',
    versionId: 'v',
    ...(attributes === undefined ? {} : { attributes }),
  };
}

function directoryLine(path: string, attributes: FileAttributes = { ...MINE, mode: 0o750 }): DirectoryLine {
  return { path, root: 'data', directory: true, attributes };
}

async function place(target: FileRestoreTarget, path: string, content: Uint8Array | string): Promise<void> {
  await target.placePart(0, lineOf(path, content), await vaultOf(content));
}

describe('placing a part in a file root', () => {
  it.each([
    ['of zero bytes', 'tom-0/empty', 0],
    ['with an odd name', 'a b+c%20d/naïve ü 表 😀 ?.seg', 1_000],
    [
      'with a path of 850 bytes and a name of 255',
      `${`${'d'.repeat(147)}/`.repeat(4)}${'x'.repeat(2)}/${'n'.repeat(255)}`,
      10,
    ],
    ['of several buffers', 'large', 3 * 1024 * 1024 + 17],
  ])('writes one %s byte for byte, with mode, owner and mtime', async (_, path, sizeBytes) => {
    const directory = directories.newDirectory();
    const content = Buffer.from(variedBytes(sizeBytes));
    await place(targetAt(directory), path, content);

    const file = join(directory, 'rank-0', path);
    expect(readFileSync(file).equals(content)).toBe(true);
    const stat = statSync(file, { bigint: true });
    expect(Number(stat.mode) & 0o7777).toBe(0o640);
    const offNs = stat.mtimeNs - 1_700_000_000_123_456_789n;
    expect(offNs > -250n && offNs < 250n).toBe(true);
    expect(readdirSync(join(file, '..'))).toHaveLength(1);
  });

  it('makes holes for blocks of zeros wherever they lie', async () => {
    const directory = directories.newDirectory();
    const content = Buffer.alloc(8 * 1024 * 1024 + 100);
    content.set(variedBytes(10), 0);
    content.set(variedBytes(10_000), 5 * 1024 * 1024 - 3);
    await place(targetAt(directory), 'sparse', content);

    const file = join(directory, 'rank-0/sparse');
    expect(readFileSync(file).equals(content)).toBe(true);
    expect(statSync(file).size).toBe(content.byteLength);
    expect(statSync(file).blocks * 512).toBeLessThan(64 * 1024);
  });

  it('writes any mixture of zeros and data exactly', async () => {
    const directory = directories.newDirectory();
    const run = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 20_000 }));
    await fc.assert(
      fc.asyncProperty(fc.array(run, { maxLength: 8 }), async (runs) => {
        const content = Buffer.concat(
          runs.map(([zero, size]) => (zero ? Buffer.alloc(size) : Buffer.from(variedBytes(size)))),
        );
        await place(targetAt(directory), 'mixed', content);
        expect(readFileSync(join(directory, 'rank-0/mixed')).equals(content)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it('checks a CRC64NVME that a server-side copy recorded', async () => {
    const directory = directories.newDirectory();
    const content = Buffer.from(variedBytes(100_000));
    const source = await vaultOf(content);
    const copied = await fixture.client.send(
      new CopyObjectCommand({
        Bucket: source.bucket,
        Key: 'copy',
        CopySource: `${source.bucket}/a%20b/part`,
        ChecksumAlgorithm: 'CRC64NVME',
      }),
    );
    const line = {
      ...lineOf('part', content),
      checksum: checksumOf('CRC64NVME', copied.CopyObjectResult?.ChecksumCRC64NVME ?? ''),
    };
    const target = targetAt(directory);
    const copy = { bucket: source.bucket, key: 'copy', versionId: copied.VersionId ?? '' };
    await target.placePart(0, line, copy);
    expect(await target.checksumOf(0, 'part', 'CRC64NVME')).toBe(line.checksum);
    const wrong: Checksum = 'CRC64NVME:AAAAAAAAAAA=';

    await expect(target.placePart(0, { ...line, checksum: wrong }, copy)).rejects.toThrow(ChecksumMismatch);
  });

  it('leaves the file in place alone when the bytes are not the recorded ones, and nothing beside it', async () => {
    const directory = directories.newDirectory();
    const target = targetAt(directory);
    writeTree(directory, { 'rank-0/part': 'old' });
    const source = await vaultOf('new!');

    await expect(target.placePart(0, lineOf('part', 'new?'), source)).rejects.toThrow(ChecksumMismatch);
    await expect(target.placePart(0, { ...lineOf('part', 'new!'), sizeBytes: 3 }, source)).rejects.toThrow(
      ChecksumMismatch,
    );
    expect(readdirSync(join(directory, 'rank-0'))).toEqual(['part']);
    expect(readFileSync(join(directory, 'rank-0/part'), 'utf8')).toBe('old');
  });

  it('reads exactly the version that is named', async () => {
    const directory = directories.newDirectory();
    const source = await vaultOf('first');
    await fixture.client.send(new PutObjectCommand({ Bucket: source.bucket, Key: source.key, Body: 'second' }));
    await fixture.client.send(new DeleteObjectCommand({ Bucket: source.bucket, Key: source.key }));
    await targetAt(directory).placePart(0, lineOf('part', 'first'), source);
    expect(readFileSync(join(directory, 'rank-0/part'), 'utf8')).toBe('first');

    await fixture.client.send(
      new DeleteObjectCommand({ Bucket: source.bucket, Key: source.key, VersionId: source.versionId }),
    );
    await expect(targetAt(directory).placePart(0, lineOf('part', 'first'), source)).rejects.toThrow(VaultPartMissing);
    expect(readFileSync(join(directory, 'rank-0/part'), 'utf8')).toBe('first');
  });

  it('replaces a link by the file, and does not write to what the link points to', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { outside: 'precious', 'rank-0/x': '' });
    symlinkSync('../outside', join(directory, 'rank-0/part'));
    await place(targetAt(directory), 'part', 'restored');

    expect(readFileSync(join(directory, 'outside'), 'utf8')).toBe('precious');
    expect(lstatSync(join(directory, 'rank-0/part')).isFile()).toBe(true);
  });

  it('refuses a path that leads through a link, in every operation', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'outside/part': 'precious', 'rank-0/x': '' });
    symlinkSync('../outside', join(directory, 'rank-0/tom-1'));
    const target = targetAt(directory);

    await expect(place(target, 'tom-1/part', 'x')).rejects.toThrow(SpecialFile);
    await expect(target.makeDirectory(0, directoryLine('tom-1/deep/'))).rejects.toThrow(SpecialFile);
    await expect(target.remove(0, 'tom-1/part')).rejects.toThrow(SpecialFile);
    await expect(target.moveAside(0, 'tom-1/part', 'run1')).rejects.toThrow(SpecialFile);
    await expect(target.checksumOf(0, 'tom-1/part', 'CRC32')).rejects.toThrow(SpecialFile);
    await expect(target.setAttributes(0, lineOf('tom-1/part', 'precious'))).rejects.toThrow(SpecialFile);
    await expect(target.finishDirectory(0, directoryLine('tom-1/'))).rejects.toThrow(TargetNotWritable);
    expect(readFileSync(join(directory, 'outside/part'), 'utf8')).toBe('precious');
  });

  it('refuses paths that lead out of the root, and ranks that the root does not hold', async () => {
    const directory = directories.newDirectory();
    const target = targetAt(join(directory), { pattern: 'tom-{tom}', rank: 3 });
    await expect(place(target, '../escaped', 'x')).rejects.toThrow(PartPathInvalid);
    await expect(target.remove(3, 'a/../../b')).rejects.toThrow(PartPathInvalid);
    await expect(target.moveAside(3, 'a', '../../x')).rejects.toThrow(PartPathInvalid);
    await expect(target.removeAside('../..')).rejects.toThrow(PartPathInvalid);
    await expect(place(target, 'a', 'x')).rejects.toThrow(TopologyMismatch);
    expect(target.accepts(3)).toBe(true);
    expect(target.accepts(0)).toBe(false);
  });

  it('puts parts of mapped TOMs where the root has them', async () => {
    const directory = directories.newDirectory();
    const target = targetAt(directory, { pattern: 'persist/r{rank}/data/t{tom:2}' });
    await place(target, 'tom-3/t42/x.seg', 'x');
    expect(readFileSync(join(directory, 'persist/r0/data/t03/t42/x.seg'), 'utf8')).toBe('x');
    expect(await pathsOf(target.listRank(0, undefined))).toEqual(['data/', 'tom-3/', 'tom-3/t42/', 'tom-3/t42/x.seg']);
  });

  it('takes away what a try that died has left, and ends right when two tries run at a time', async () => {
    const directory = directories.newDirectory();
    const target = targetAt(directory);
    writeTree(directory, { [temporaryPathOf('rank-0/part')]: 'half a fi' });
    const content = Buffer.from(variedBytes(2_000_000));
    const source = await vaultOf(content);
    const line = lineOf('part', content);
    for (const outcome of await Promise.allSettled([1, 2, 3].map(async () => target.placePart(0, line, source)))) {
      if (outcome.status === 'rejected') {
        expect(outcome.reason).toBeInstanceOf(StoreUnavailable);
      }
    }
    await target.placePart(0, line, source);

    expect(readFileSync(join(directory, 'rank-0/part')).equals(content)).toBe(true);
    expect(existsSync(join(directory, temporaryPathOf('rank-0/part')))).toBe(false);
  });

  it('replaces a directory that has the name of a file, and a file that has the name of a directory', async () => {
    const directory = directories.newDirectory();
    const target = targetAt(directory);
    writeTree(directory, { 'rank-0/was-directory/x/y': '', 'rank-0/was-file': '' });
    await place(target, 'was-directory', 'now a file');
    await place(target, 'was-file/part', 'x');

    expect(readFileSync(join(directory, 'rank-0/was-directory'), 'utf8')).toBe('now a file');
    expect(readFileSync(join(directory, 'rank-0/was-file/part'), 'utf8')).toBe('x');
  });

  it.runIf(isRoot)('gives owner and setuid bits, and to unnamed directories the owner of the one above', async () => {
    const directory = directories.newDirectory();
    chownSync(directory, 1234, 2345);
    chmodSync(directory, 0o750);
    const attributes = { mode: 0o4751, uid: 4321, gid: 5432, mtimeNs: '-1500000000' };
    const target = targetAt(directory);
    await target.placePart(0, lineOf('tom-1/part', 'x', attributes), await vaultOf('x'));
    await target.placePart(0, { ...lineOf('from-s3', 'x'), attributes: undefined }, await vaultOf('x'));

    const part = statSync(join(directory, 'rank-0/tom-1/part'), { bigint: true });
    expect([Number(part.uid), Number(part.gid), Number(part.mode) & 0o7777, part.mtimeNs]).toEqual([
      4321,
      5432,
      0o4751,
      -1_500_000_000n,
    ]);
    for (const [path, mode] of [
      ['rank-0', 0o750],
      ['rank-0/tom-1', 0o750],
    ] as const) {
      const made = statSync(join(directory, path));
      expect([made.uid, made.gid, made.mode & 0o7777]).toEqual([1234, 2345, mode]);
    }
    expect(statSync(join(directory, 'rank-0/from-s3')).uid).toBe(1234);
  });

  it.runIf(isRoot)(
    'says who must own a file that may not be given away, and keeps one whose owner is right',
    async () => {
      const directory = directories.newDirectory();
      writeTree(directory, { 'rank-0/x': '' });
      chownSync(join(directory, 'rank-0'), 65_534, 65_534);
      const [foreign, own] = [lineOf('foreign', 'x'), lineOf('own', 'x', { ...MINE, uid: 65_534, gid: 0 })];
      const source = await vaultOf('x');

      await asNobody(directory, async () => {
        await expect(targetAt(directory).placePart(0, foreign, source)).rejects.toThrow(
          /belongs to 65534:\d+, must belong to 0:0/,
        );
        await targetAt(directory).placePart(0, own, source);
      });
      expect(readdirSync(join(directory, 'rank-0')).toSorted()).toEqual(['own', 'x']);
    },
  );

  it('says which file it may not write', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/x': '' });
    chmodSync(join(directory, 'rank-0'), 0o555);
    const source = await vaultOf('x');
    await asNobody(directory, async () => {
      const target = targetAt(directory);
      await expect(target.placePart(0, lineOf('part', 'x'), source)).rejects.toThrow(TargetNotWritable);
      await expect(target.remove(0, 'x')).rejects.toThrow('"rank-0/x" in root data');
    });
    chmodSync(join(directory, 'rank-0'), 0o755);
  });
});

describe('what a restore sees in a file root', () => {
  it('lists links, pipes and leftovers as parts to be removed, follows nothing, and removes them', async () => {
    const directory = directories.newDirectory();
    const target = targetAt(directory);
    writeTree(directory, {
      'outside/part': 'precious',
      'rank-0/tom-0/part': 'x',
      '.rankvault-restoring.json': '',
      '.rankvault-aside/l/x': '',
    });
    symlinkSync('../outside', join(directory, 'rank-0/link'));
    symlinkSync('nowhere', join(directory, 'rank-0/tom-0/dangling'));
    execFileSync('mkfifo', [join(directory, 'rank-0/pipe')]);
    writeTree(directory, { 'rank-0/tom-0/.rankvault-tmp-0123': 'half', '.rankvault-tmp-marker-1': '{' });

    expect(await pathsOf(target.listRank('cluster', undefined))).toEqual([
      '.rankvault-tmp-marker-1',
      'outside/',
      'outside/part',
      'rank-0/',
    ]);
    const entries = await collect(target.listRank(0, undefined));
    const extras = ['link', 'pipe', 'tom-0/.rankvault-tmp-0123', 'tom-0/dangling'];
    expect(entries.map((entry) => entry.path)).toEqual(['link', 'pipe', 'tom-0/', ...extras.slice(2), 'tom-0/part']);
    expect(
      entries.filter((entry) => entry.kind === 'part' && entry.attributes === undefined).map((entry) => entry.path),
    ).toEqual(['link', 'pipe', 'tom-0/dangling']);
    expect(await target.checksumOf(0, 'link', 'CRC32')).toBeUndefined();
    for (const path of extras) {
      await target.remove(0, path);
      await target.remove(0, path);
    }
    await target.remove('cluster', '.rankvault-tmp-marker-1');

    expect(await pathsOf(target.listRank(0, undefined))).toEqual(['tom-0/', 'tom-0/part']);
    expect(readFileSync(join(directory, 'outside/part'), 'utf8')).toBe('precious');
  });

  it('computes both checksums of a file, and none of what is no file', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/a': '123456789', 'rank-0/dir/': '' });
    const target = targetAt(directory);
    // The check values of the two CRCs: cbf43926 and ae8b14860a799888.
    expect(await target.checksumOf(0, 'a', 'CRC32')).toBe(`CRC32:${Buffer.from('cbf43926', 'hex').toString('base64')}`);
    expect(await target.checksumOf(0, 'a', 'CRC64NVME')).toBe(
      `CRC64NVME:${Buffer.from('ae8b14860a799888', 'hex').toString('base64')}`,
    );
    expect(await target.checksumOf(0, 'dir', 'CRC32')).toBeUndefined();
    expect(await target.checksumOf(0, 'missing/x', 'CRC32')).toBeUndefined();
  });
});

describe('directories and attributes of a target', () => {
  it('makes directories with parents, and finishes them after their contents', async () => {
    const directory = directories.newDirectory();
    const target = targetAt(directory);
    await target.makeDirectory(0, directoryLine('a/b/'));
    await target.makeDirectory(0, directoryLine('a/b/'));
    await place(target, 'a/b/part', 'x');
    await target.finishDirectory(0, directoryLine('a/b/'));

    const stat = statSync(join(directory, 'rank-0/a/b'));
    expect(stat.mode & 0o7777).toBe(0o750);
    expect(Math.round(stat.mtimeMs)).toBe(1_700_000_000_123);
  });

  it('sets attributes of a file whose bytes are right, and touches nothing when they are right too', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/part': 'x' });
    const [target, line, file] = [targetAt(directory), lineOf('part', 'x'), join(directory, 'rank-0/part')];
    await target.setAttributes(0, line);
    const first = statSync(file, { bigint: true });
    expect(Number(first.mode) & 0o7777).toBe(0o640);
    await target.setAttributes(0, line);
    expect(statSync(file, { bigint: true }).ctimeNs).toBe(first.ctimeNs);
    await expect(target.setAttributes(0, lineOf('missing', 'x'))).rejects.toThrow(TargetNotWritable);
  });

  it.runIf(isRoot)('keeps setuid bits of a file that changes its owner', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/part': 'x' });
    chmodSync(join(directory, 'rank-0/part'), 0o4751);
    await targetAt(directory).setAttributes(0, lineOf('part', 'x', { ...MINE, mode: 0o4751, uid: 4321 }));

    const stat = statSync(join(directory, 'rank-0/part'));
    expect([stat.uid, stat.mode & 0o7777]).toEqual([4321, 0o4751]);
  });

  it('removes a directory with its contents except what is excluded, and never through a link', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, {
      'outside/part': 'precious',
      'rank-0/a/b/c': '',
      'rank-0/a/keep/x.log': '',
      'rank-0/a/d': '',
    });
    symlinkSync('../../../outside', join(directory, 'rank-0/a/b/link'));
    const target = targetAt(directory, { exclude: ['**/*.log'] });
    await target.remove(0, 'a/');
    await target.remove(0, 'a/');

    expect(await pathsOf(target.listRank(0, undefined))).toEqual(['a/', 'a/keep/']);
    expect(existsSync(join(directory, 'rank-0/a/keep/x.log'))).toBe(true);
    expect(readFileSync(join(directory, 'outside/part'), 'utf8')).toBe('precious');
  });

  it("removes a rank's own directory only when it is empty, however it looks to the cluster", async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'persist/r0/t0/part': 'just restored', 'persist/r1/': '', 'persist/other': '' });
    const target = targetAt(directory, { pattern: 'persist/r{rank}/t{tom}' });
    await target.remove('cluster', 'persist/r0/');
    await target.remove('cluster', 'persist/');

    expect(readFileSync(join(directory, 'persist/r0/t0/part'), 'utf8')).toBe('just restored');
    expect(readdirSync(join(directory, 'persist'))).toEqual(['r0']);
  });

  it.each([
    { pattern: 'r{rank}/data/t{tom:2}', rank: undefined, at: 'r1/' },
    { pattern: 'r{rank}/data/t{tom:2}', rank: undefined, at: 'r1/', nested: 'data/deep/' },
    { pattern: 'data/t{tom:2}', rank: 1, at: '' },
  ])('removes a directory around mapped TOMs of $pattern without them', async ({ pattern, rank, at, nested }) => {
    const directory = directories.newDirectory();
    const parent = `${at}${nested ?? 'data/'}`;
    writeTree(directory, {
      [`${parent}t00/part`]: 'good',
      [`${parent}t01/`]: '',
      [`${parent}t2/no-tom`]: '',
      [`${parent}x`]: '',
    });
    const target = targetAt(directory, {
      pattern: nested === undefined ? pattern : 'r{rank}/data/deep/t{tom:2}',
      rank,
    });
    await target.remove(1, 'data/');

    expect(readFileSync(join(directory, parent, 't00/part'), 'utf8')).toBe('good');
    expect(readdirSync(join(directory, parent))).toEqual(['t00']);
    await target.remove(1, 'tom-0/');
    expect(readdirSync(join(directory, parent))).toEqual([]);
  });

  it('removes a directory whose name is a TOM’s and whose place is not', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'r1/data/deep/t00/x': '', 'other/r1/data/t00/x': '' });
    const target = targetAt(directory, { pattern: 'r{rank}/data/t{tom:2}' });
    await target.remove(1, 'data/');
    await target.remove('cluster', 'other/');

    expect(readdirSync(directory)).toEqual(['r1']);
    expect(readdirSync(join(directory, 'r1'))).toEqual([]);
  });

  it('removes neither a file for a directory nor a directory for a file', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/file': 'restored', 'rank-0/directory/part': 'restored' });
    const target = targetAt(directory);
    await target.remove(0, 'file/');
    await target.remove(0, 'directory');
    await target.remove(0, 'file/below');

    expect(await pathsOf(target.listRank(0, undefined))).toEqual(['directory/', 'directory/part', 'file']);
  });
});

describe('moving aside', () => {
  it('keeps path and bytes, twice is the same, absent is fine', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/sub/meta.mdb': 'old', 'rank-0/sub/other': 'x' });
    const target = targetAt(directory);
    const aside = join(directory, '.rankvault-aside/run1/rank-0/sub/meta.mdb');
    await target.moveAside(0, 'sub/meta.mdb', 'run1');
    await target.moveAside(0, 'sub/meta.mdb', 'run1');
    await target.moveAside(0, 'missing/x', 'run1');
    expect(readFileSync(aside, 'utf8')).toBe('old');
    expect(await pathsOf(target.listRank(0, undefined))).toEqual(['sub/', 'sub/other']);
    writeTree(directory, { 'rank-0/sub/meta.mdb': 'of our own earlier try' });
    await target.moveAside(0, 'sub/meta.mdb', 'run1');

    expect(readFileSync(aside, 'utf8')).toBe('old');
    expect(await pathsOf(target.listRank(0, undefined))).toEqual(['sub/', 'sub/other']);
  });

  it('moves a link itself, and a directory once it is empty', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/a/part': 'x' });
    symlinkSync('nowhere', join(directory, 'rank-0/a/link'));
    const target = targetAt(directory);
    await target.moveAside(0, 'a/', 'run1');
    expect(await pathsOf(target.listRank(0, undefined))).toEqual(['a/', 'a/link', 'a/part']);
    for (const path of ['a/link', 'a/part', 'a/']) {
      await target.moveAside(0, path, 'run1');
    }

    expect(await pathsOf(target.listRank(0, undefined))).toEqual([]);
    expect(readlinkSync(join(directory, '.rankvault-aside/run1/rank-0/a/link'))).toBe('nowhere');
  });

  it('forgets one label and leaves others', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/a': '', 'rank-0/b': '' });
    const target = targetAt(directory);
    await target.moveAside(0, 'a', 'run1');
    await target.moveAside(0, 'b', 'run2');
    await target.removeAside('run1');
    expect(readdirSync(join(directory, '.rankvault-aside'))).toEqual(['run2']);
    await target.removeAside('run2');
    await target.removeAside('run2');
    expect(existsSync(join(directory, '.rankvault-aside'))).toBe(false);
  });
});
