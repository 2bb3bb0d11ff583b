import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PathCollision } from '../../../core/errors.ts';
import { pathsOf, sourceAt, useDirectories, writeTree } from './file-fixture.ts';

const directories = useDirectories();
const MAPPED = { pattern: 'persist/gpudb_rank{rank}/data/t{tom:2}' };

describe('a root whose TOM directories have names of their own', () => {
  it('lists TOMs in canonical order among the files of the rank that sort between them', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, {
      'persist/gpudb_rank3/data/t02/x.seg': '',
      'persist/gpudb_rank3/data/t10/deep/y.seg': '',
      'persist/gpudb_rank3/data/readme': '',
      'persist/gpudb_rank3/data/t2/not-a-tom': '',
      'persist/gpudb_rank3/meta.mdb': '',
      'persist/gpudb_rank3/tom-11.log': '',
      'persist/gpudb_rank3/tom-2': 'a file',
      'persist/gpudb_rank3/zoo/z': '',
    });

    const whole = [
      'data/',
      'data/readme',
      'data/t2/',
      'data/t2/not-a-tom',
      'meta.mdb',
      'tom-10/',
      'tom-10/deep/',
      'tom-10/deep/y.seg',
      'tom-11.log',
      'tom-2',
      'tom-2/',
      'tom-2/x.seg',
      'zoo/',
      'zoo/z',
    ];
    const source = sourceAt(directory, MAPPED);
    expect(await pathsOf(source.listRank(3, undefined))).toEqual(whole);
    for (const [index, path] of whole.entries()) {
      expect(await pathsOf(source.listRank(3, path))).toEqual(whole.slice(index + 1));
    }
    expect(await source.discoverRanks()).toEqual([3]);
  });

  it('maps TOMs at the top of the rank', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'r1/t0/a': '', 'r1/t10/a': '', 'r1/t9/a': '', 'r1/u': '' });

    expect(await pathsOf(sourceAt(directory, { pattern: 'r{rank}/t{tom}' }).listRank(1, undefined))).toEqual([
      'tom-0/',
      'tom-0/a',
      'tom-10/',
      'tom-10/a',
      'tom-9/',
      'tom-9/a',
      'u',
    ]);
  });

  it('refuses a directory that is named like a canonical TOM and is none, unless it is excluded', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'r1/t0/a': '', 'r1/tom-0/b': '' });

    const pattern = 'r{rank}/t{tom}';
    await expect(pathsOf(sourceAt(directory, { pattern }).listRank(1, undefined))).rejects.toThrow(PathCollision);
    expect(await pathsOf(sourceAt(directory, { pattern, exclude: ['*/tom-0'] }).listRank(1, undefined))).toEqual([
      'tom-0/',
      'tom-0/a',
    ]);
  });

  it('refuses a TOM that is a link, and leaves out one that is excluded', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'r1/t0/a': '', 'r1/t1/a': '', 'other/a': '' });
    const pattern = 'r{rank}/t{tom}';
    expect(await pathsOf(sourceAt(directory, { pattern, exclude: ['r1/t1/**'] }).listRank(1, undefined))).toEqual([
      'tom-0/',
      'tom-0/a',
    ]);
    symlinkSync('../other', join(directory, 'r1/t2'));
    await expect(pathsOf(sourceAt(directory, { pattern }).listRank(1, undefined))).rejects.toThrow('"r1/t2"');
  });

  it('keeps the directories of ranks and those above them for the cluster', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { 'persist/gpudb_rank0/a': '', 'persist/other': '', top: '' });

    expect(await pathsOf(sourceAt(directory, MAPPED).listRank('cluster', undefined))).toEqual([
      'persist/',
      'persist/gpudb_rank0/',
      'persist/other',
      'top',
    ]);
  });
});
