import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileSourceRoot } from '../../../adapters/file/file-source-root.ts';
import { PartPathInvalid, RootUnreadable, SpecialFile } from '../../../core/errors.ts';
import { collect } from '../../support/byte-streams.ts';
import { asNobody, LATER, partAt, pathsOf, rootAt, sourceAt, useDirectories, writeTree } from './file-fixture.ts';

const directories = useDirectories();

describe('the listing of a file root', () => {
  it('gives files and directories of a rank in byte order: a.txt before a/ before a0', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/a0': '', 'rank-0/a/z': '', 'rank-0/a/b/': '', 'rank-0/a.txt': '', 'rank-1/x': '' });

    expect(await pathsOf(sourceAt(directory).listRank(0, undefined))).toEqual(['a.txt', 'a/', 'a/b/', 'a/z', 'a0']);
  });

  it('sorts U+FFFF before U+10000, as UTF-8 does and UTF-16 does not', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/\u{10000}': '', 'rank-0/\uffff': '', 'rank-0/\ue000/x': '', 'rank-0/é': '' });

    expect(await pathsOf(sourceAt(directory).listRank(0, undefined))).toEqual([
      'é',
      '\ue000/',
      '\ue000/x',
      '\uffff',
      '\u{10000}',
    ]);
  });

  it('tells size, attributes and the token of size, times and inode', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-2/tom-1/t42/000017.seg': 'twelve bytes' });
    const file = join(directory, 'rank-2/tom-1/t42/000017.seg');
    chmodSync(file, 0o640);
    const stat = statSync(file, { bigint: true });

    expect(await partAt(sourceAt(directory), 2, 'tom-1/t42/000017.seg')).toEqual({
      kind: 'part',
      path: 'tom-1/t42/000017.seg',
      root: 'data',
      sizeBytes: 12,
      token: `file:12:${stat.mtimeNs}:${stat.ctimeNs}:${stat.ino}`,
      racy: false,
      attributes: { mode: 0o640, uid: Number(stat.uid), gid: Number(stat.gid), mtimeNs: String(stat.mtimeNs) },
    });
  });

  it('calls a file racy that was written right before it was listed', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/new': 'x' });
    const now = { nowEpochMillis: () => statSync(join(directory, 'rank-0/new')).mtimeMs + 1_000 };

    const listed = await partAt(new FileSourceRoot(rootAt(directory), now), 0, 'new');
    expect(listed.racy).toBe(true);
  });

  it('sees a rewrite of the same size whose mtime was put back, by ctime', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/part': 'before' });
    const file = join(directory, 'rank-0/part');
    utimesSync(file, 1_700_000_000, 1_700_000_000);
    const before = await partAt(sourceAt(directory), 0, 'part');
    writeFileSync(file, 'after!');
    utimesSync(file, 1_700_000_000, 1_700_000_000);

    const after = await partAt(sourceAt(directory), 0, 'part');
    expect(after.attributes?.mtimeNs).toBe(before.attributes?.mtimeNs);
    expect(after.sizeBytes).toBe(before.sizeBytes);
    expect(after.token).not.toBe(before.token);
  });

  it('sees another file renamed over one, by its inode', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/part': 'before', 'rank-0/part.new': 'after!' });
    const before = await partAt(sourceAt(directory), 0, 'part');
    renameSync(join(directory, 'rank-0/part.new'), join(directory, 'rank-0/part'));

    const after = await partAt(sourceAt(directory), 0, 'part');
    expect(after.token.split(':').at(-1)).not.toBe(before.token.split(':').at(-1));
  });

  it('lists hard links as the files that they are', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/one': 'shared' });
    linkSync(join(directory, 'rank-0/one'), join(directory, 'rank-0/two'));

    const [one, two] = [await partAt(sourceAt(directory), 0, 'one'), await partAt(sourceAt(directory), 0, 'two')];
    expect(two.token).toBe(one.token);
  });

  it('goes on after a path without opening or reading what lies before it', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/a/1': '', 'rank-0/b/1': '', 'rank-0/b/2': '', 'rank-0/c': '' });
    symlinkSync('nowhere', join(directory, 'rank-0/a/link'));
    // Reading the names of a/ would fail.
    writeFileSync(Buffer.concat([Buffer.from(join(directory, 'rank-0/a/')), Buffer.from([0xe9])]), '');

    expect(await pathsOf(sourceAt(directory).listRank(0, 'b/1'))).toEqual(['b/2', 'c']);
    expect(await pathsOf(sourceAt(directory).listRank(0, 'b/'))).toEqual(['b/1', 'b/2', 'c']);
    expect(await pathsOf(sourceAt(directory).listRank(0, 'b'))).toEqual(['b/', 'b/1', 'b/2', 'c']);
  });

  it('continues anywhere to the same whole', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, {
      'rank-0/a.txt': '',
      'rank-0/a/b/c': '',
      'rank-0/a/b.x': '',
      'rank-0/a0': '',
      'rank-0/\u{1F600}/x': '',
    });
    const whole = await pathsOf(sourceAt(directory).listRank(0, undefined));

    for (const [index, path] of whole.entries()) {
      expect(await pathsOf(sourceAt(directory).listRank(0, path))).toEqual(whole.slice(index + 1));
    }
  });

  it('lists 10,000 files of one directory, each once and in order', async () => {
    const directory = directories.newDirectory();
    mkdirSync(join(directory, 'rank-0'));
    for (let number = 0; number < 10_000; number += 1) {
      writeFileSync(join(directory, `rank-0/${number}`), '');
    }

    const paths = await pathsOf(sourceAt(directory).listRank(0, undefined));
    expect(paths).toHaveLength(10_000);
    expect(paths).toEqual(paths.toSorted());
    expect(new Set(paths).size).toBe(10_000);
  });

  it('takes spaces, +, %, unicode and an 850-byte path as they are', async () => {
    const directory = directories.newDirectory();
    const long = `${'d'.repeat(200)}/${'e'.repeat(200)}/${'f'.repeat(200)}/${'g'.repeat(247)}`;
    const odd = ['a b+c%20d.seg', 'naïve ü 表 😀.seg', "it's [x]{y}*?.seg"];
    writeTree(directory, Object.fromEntries([long, ...odd].map((path) => [`rank-0/${path}`, 'x'])));

    const parts = (await collect(sourceAt(directory).listRank(0, undefined))).filter((entry) => entry.kind === 'part');
    expect(Buffer.byteLength(long)).toBe(850);
    expect(new Set(parts.map((part) => part.path))).toEqual(new Set([long, ...odd]));
  });

  it('refuses a path of 851 bytes', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { [`rank-0/${`${'d'.repeat(200)}/`.repeat(4)}${'g'.repeat(47)}`]: '' });

    await expect(pathsOf(sourceAt(directory).listRank(0, undefined))).rejects.toThrow(PartPathInvalid);
  });

  it('refuses a name that is not UTF-8, unless it is excluded', async () => {
    const directory = directories.newDirectory();
    mkdirSync(join(directory, 'rank-0'));
    const latin1 = Buffer.concat([Buffer.from(join(directory, 'rank-0/caf')), Buffer.from([0xe9])]);
    writeFileSync(latin1, '');

    await expect(pathsOf(sourceAt(directory).listRank(0, undefined))).rejects.toThrow(
      /"rank-0\/caf\ufffd" .* is not valid UTF-8/,
    );
    expect(await pathsOf(sourceAt(directory, { exclude: ['rank-0/caf*'] }).listRank(0, undefined))).toEqual([]);
  });

  it('takes a name that really has the replacement character', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/\ufffd': '' });

    expect(await pathsOf(sourceAt(directory).listRank(0, undefined))).toEqual(['\ufffd']);
  });

  it('refuses links and pipes by name, unless they are excluded', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/a': '', 'rank-1/a': '', 'elsewhere/secret': '' });
    symlinkSync('../elsewhere', join(directory, 'rank-0/link'));
    execFileSync('mkfifo', [join(directory, 'rank-1/pipe')]);

    const source = sourceAt(directory);
    await expect(pathsOf(source.listRank(0, undefined))).rejects.toThrow('"rank-0/link" in root data');
    await expect(pathsOf(source.listRank(1, undefined))).rejects.toThrow(/"rank-1\/pipe" .* is a pipe/);
    const excluding = sourceAt(directory, { exclude: ['**/link', 'rank-1/pipe'] });
    expect(await pathsOf(excluding.listRank(0, undefined))).toEqual(['a']);
    expect(await pathsOf(excluding.listRank(1, undefined))).toEqual(['a']);
  });

  it('refuses a rank whose directory is a link', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'elsewhere/part': '' });
    symlinkSync('elsewhere', join(directory, 'rank-0'));

    await expect(pathsOf(sourceAt(directory).listRank(0, undefined))).rejects.toThrow(SpecialFile);
  });

  it('does not enter excluded directories', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/tmp/x': '', 'rank-0/keep/core.1': '', 'rank-0/keep/part': '' });
    symlinkSync('nowhere', join(directory, 'rank-0/tmp/link'));

    const source = sourceAt(directory, { exclude: ['*/tmp', '**/core.*'] });
    expect(await pathsOf(source.listRank(0, undefined))).toEqual(['keep/', 'keep/part']);
  });

  it('shows nothing of Rankvault itself', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, {
      '.rankvault-restoring.json': '{}',
      '.rankvault-aside/x/rank-0/part': '',
      'conf/gpudb.conf': '',
      'rank-0/.rankvault-tmp-0123456789abcdef': '',
      'rank-0/part': '',
    });

    expect(await pathsOf(sourceAt(directory).listRank('cluster', undefined))).toEqual([
      'conf/',
      'conf/gpudb.conf',
      'rank-0/',
    ]);
    expect(await pathsOf(sourceAt(directory).listRank(0, undefined))).toEqual(['part']);
  });

  it('gives files of no rank to the cluster, and the directories of ranks without what is in them', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/a': '', 'rank-x/b': '', 'rank-01/c': '', 'conf/rank-0/d': '', license: '' });

    expect(await pathsOf(sourceAt(directory).listRank('cluster', undefined))).toEqual([
      'conf/',
      'conf/rank-0/',
      'conf/rank-0/d',
      'license',
      'rank-0/',
      'rank-01/',
      'rank-01/c',
      'rank-x/',
      'rank-x/b',
    ]);
  });

  it('gives nothing for a rank without a directory, and fails without the root', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/a': '', file: '' });

    expect(await pathsOf(sourceAt(directory).listRank(7, undefined))).toEqual([]);
    const missing = sourceAt(join(directory, 'no-such'));
    await expect(pathsOf(missing.listRank(0, undefined))).rejects.toThrow(RootUnreadable);
    await expect(missing.discoverRanks()).rejects.toThrow(RootUnreadable);
    await expect(missing.hasRestoreMarker()).rejects.toThrow(RootUnreadable);
    await expect(pathsOf(sourceAt(join(directory, 'file')).listRank(0, undefined))).rejects.toThrow(
      'it is no directory',
    );
  });

  it('names the file or directory that it may not read', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/part': 'x', 'rank-1/closed/part': 'x' });
    chmodSync(join(directory, 'rank-0/part'), 0);
    chmodSync(join(directory, 'rank-1/closed'), 0);

    await asNobody(directory, async () => {
      const source = sourceAt(directory);
      await expect(pathsOf(source.listRank(0, undefined))).rejects.toThrow('"rank-0/part" in root data');
      await expect(pathsOf(source.listRank(1, undefined))).rejects.toThrow(RootUnreadable);
    });
  });

  it('leaves out a file that goes away while the listing is under way', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/a': 'x' });
    for (let number = 0; number < 500; number += 1) {
      writeFileSync(join(directory, `rank-0/b${number}`), '');
    }
    writeTree(directory, { 'rank-0/c/x': '', 'rank-0/z': '' });

    const paths: string[] = [];
    for await (const entry of sourceAt(directory).listRank(0, undefined)) {
      if (entry.path === 'a') {
        renameSync(join(directory, 'rank-0/z'), join(directory, 'z'));
        renameSync(join(directory, 'rank-0/c'), join(directory, 'c'));
      }
      paths.push(entry.path);
    }
    expect(paths).toHaveLength(501);
    expect(paths).not.toContain('c/x');
  });

  it('lists a sparse file with its whole length', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/sparse': '' });
    truncateSync(join(directory, 'rank-0/sparse'), 5 * 1024 ** 4);

    expect((await partAt(sourceAt(directory), 0, 'sparse')).sizeBytes).toBe(5 * 1024 ** 4);
  });
});

describe('ranks and markers of a file root', () => {
  it('finds the ranks that have a directory, ascending', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-10/': '', 'rank-2/': '', 'rank-3': 'a file', 'rank-4/': '', 'other/': '' });

    expect(await sourceAt(directory, { exclude: ['rank-4'] }).discoverRanks()).toEqual([2, 10]);
  });

  it('has the fixed rank of a root as soon as the root holds anything', async () => {
    const directory = directories.newDirectory();
    const source = sourceAt(directory, { pattern: 'tom-{tom}', rank: 3 });
    expect(await source.discoverRanks()).toEqual([]);
    writeTree(directory, { 'tom-0/a': '', '.rankvault-restoring.json': '' });

    expect(await source.discoverRanks()).toEqual([3]);
    expect(await pathsOf(source.listRank(3, undefined))).toEqual(['tom-0/', 'tom-0/a']);
    expect(await pathsOf(source.listRank(0, undefined))).toEqual([]);
    expect(await pathsOf(source.listRank('cluster', undefined))).toEqual([]);
  });

  it('sees the marker of a restore, readable or not', async () => {
    const directory = directories.newDirectory();
    const source = sourceAt(directory);
    expect(await source.hasRestoreMarker()).toBe(false);
    writeTree(directory, { '.rankvault-restoring.json': 'half a fi' });
    expect(await source.hasRestoreMarker()).toBe(true);
  });

  it('takes the clock for nothing but the racy rule', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'rank-0/a': 'x' });
    const early = new FileSourceRoot(rootAt(directory), { nowEpochMillis: () => 0 });

    expect({ ...(await partAt(early, 0, 'a')), racy: false }).toEqual(
      await partAt(new FileSourceRoot(rootAt(directory), LATER), 0, 'a'),
    );
  });
});
