import { chmod, copyFile, lstat, mkdir, readdir, truncate, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SampleInvalid } from './sample-file.ts';

interface KagentBackupOptions {
  /** A cluster directory with `rank-<n>` directories. */
  readonly clusterDirectory: string;
  /** KAgent's `--backup-path`. */
  readonly backupPath: string;
  readonly clusterName: string;
  /** Names the snapshot directory, in UTC. */
  readonly startedAtEpochMillis: number;
  /** The mtime of everything in the snapshot directory, and of itself. */
  readonly modifiedAtEpochMillis: number;
  /** How much of the files has been copied, in order of their paths; below 1, the last of them is cut in half. @default 1 */
  readonly share?: number;
}

/**
 * Writes what KAgent leaves on shared storage: `<backupPath>/<clusterName>/snapshot.YYYY-MM-DD.HH-MM-SS/rank-<n>/...`, a full copy with
 * inodes and times of its own and the modes of the original. Files that belong to no rank are not in it. Called again with a
 * greater share it goes on with the same directory.
 * @returns the snapshot directory
 */
export async function writeKagentBackup(options: KagentBackupOptions): Promise<string> {
  const { clusterDirectory, backupPath, clusterName, startedAtEpochMillis, share = 1 } = options;
  const snapshotDirectory = join(backupPath, clusterName, snapshotName(startedAtEpochMillis));
  const paths = await pathsOfRanks(clusterDirectory);
  const files = paths.filter((path) => !path.endsWith('/'));
  if (files.length === 0 || !(share > 0 && share <= 1)) {
    throw new SampleInvalid(
      `Cannot copy ${share} of ${files.length} files; give a cluster with files and a share above 0, at most 1.`,
    );
  }
  const copied =
    share === 1 ? paths : paths.slice(0, paths.indexOf(files[Math.ceil(files.length * share) - 1] ?? '') + 1);
  await mkdir(snapshotDirectory, { recursive: true });
  for (const path of copied) {
    await copyEntry(clusterDirectory, snapshotDirectory, path);
  }
  if (share < 1) {
    const last = join(snapshotDirectory, copied.at(-1) ?? '');
    await truncate(last, Math.floor((await lstat(last)).size / 2));
  }
  // Directories after what is in them, because every new entry changes a directory's mtime.
  for (const path of [...copied.toReversed(), '']) {
    await utimes(
      join(snapshotDirectory, path),
      options.modifiedAtEpochMillis / 1000,
      options.modifiedAtEpochMillis / 1000,
    );
  }
  return snapshotDirectory;
}

function snapshotName(startedAtEpochMillis: number): string {
  const [date = '', time = ''] = new Date(startedAtEpochMillis).toISOString().slice(0, 19).split('T');
  return `snapshot.${date}.${time.replaceAll(':', '-')}`;
}

/** Files and directories of the ranks, each directory before what is in it and with a `/` at its end. */
async function pathsOfRanks(clusterDirectory: string): Promise<string[]> {
  const paths: string[] = [];
  for (const rank of await readdir(clusterDirectory)) {
    if (/^rank-\d+$/.test(rank)) {
      const entries = await readdir(join(clusterDirectory, rank), { recursive: true, withFileTypes: true });
      const inRank = entries.map((entry) => {
        const path = join(entry.parentPath, entry.name).slice(join(clusterDirectory, '/').length);
        return entry.isDirectory() ? `${path}/` : path;
      });
      paths.push(`${rank}/`, ...inRank);
    }
  }
  return paths.sort();
}

async function copyEntry(from: string, to: string, path: string): Promise<void> {
  if (path.endsWith('/')) {
    await mkdir(join(to, path), { recursive: true });
    await chmod(join(to, path), (await lstat(join(from, path))).mode);
  } else {
    await mkdir(dirname(join(to, path)), { recursive: true });
    await copyFile(join(from, path), join(to, path));
  }
}
