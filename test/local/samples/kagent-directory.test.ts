import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareTrees, readTree, type TreeEntry } from '../../../local/samples/compare-trees.ts';
import { createDirectoryTree } from '../../../local/samples/directory-tree.ts';
import { writeKagentBackup } from '../../../local/samples/kagent-directory.ts';
import { SegmentCluster } from '../../../local/samples/segment-cluster.ts';
import { scratchDirectory } from './scratch.ts';

async function clusterAndOptions(scratch: string) {
  const clusterDirectory = join(scratch, 'cluster');
  const tree = createDirectoryTree({ directory: clusterDirectory });
  await new SegmentCluster({ seed: 'one', workers: 2, segmentsPerTable: 2, includeOddNames: true }, tree).create();
  return {
    clusterDirectory,
    backupPath: join(scratch, 'backups'),
    clusterName: 'prod',
    startedAtEpochMillis: Date.UTC(2019, 0, 2, 12, 34, 56, 789),
    modifiedAtEpochMillis: Date.UTC(2019, 0, 2, 12, 40, 0),
  };
}

const withoutTimes = (tree: readonly TreeEntry[]) => tree.map((entry) => ({ ...entry, mtimeNs: undefined }));

describe('a KAgent-style backup directory', () => {
  it('is named as in the documentation and holds the ranks, with inodes and times of its own', async () => {
    await using scratch = await scratchDirectory();
    const options = await clusterAndOptions(scratch.path);
    const directory = await writeKagentBackup(options);
    expect(directory).toBe(join(options.backupPath, 'prod', 'snapshot.2019-01-02.12-34-56'));
    const original = await readTree(options.clusterDirectory);
    const copy = await readTree(directory);
    expect(compareTrees(withoutTimes(original), withoutTimes(copy), { attributes: true })).toEqual([
      'cluster.conf: 640 bytes there, missing here',
    ]);
    expect(new Set(copy.map((entry) => entry.mtimeNs))).toEqual(new Set([`${Date.UTC(2019, 0, 2, 12, 40, 0)}000000`]));
    const inode = async (root: string) => (await stat(join(root, 'rank-1/meta.mdb'))).ino;
    expect(await inode(directory)).not.toBe(await inode(options.clusterDirectory));
  });

  it('can be half written, its last file cut off, and go on later', async () => {
    await using scratch = await scratchDirectory();
    const options = await clusterAndOptions(scratch.path);
    const directory = await writeKagentBackup({ ...options, share: 0.5 });
    const original = (await readTree(options.clusterDirectory)).filter((entry) => entry.path.startsWith('rank-'));
    const half = compareTrees(original, await readTree(directory), { attributes: false });
    expect(half.filter((line) => line.endsWith('missing here')).length).toBeGreaterThan(10);
    expect(half.filter((line) => line.endsWith('bytes here'))).toHaveLength(1);
    await writeKagentBackup(options);
    expect(compareTrees(original, await readTree(directory), { attributes: false })).toEqual([]);
  });

  it('refuses a directory without ranks', async () => {
    await using scratch = await scratchDirectory();
    const options = await clusterAndOptions(scratch.path);
    await expect(
      writeKagentBackup({ ...options, clusterDirectory: join(options.clusterDirectory, 'rank-1') }),
    ).rejects.toThrow('of 0 files');
  });
});
