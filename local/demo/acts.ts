import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { compareTrees, readS3Tree, readTree, type TreeEntry } from '../samples/compare-trees.ts';
import { createDirectoryTree } from '../samples/directory-tree.ts';
import { writeKagentBackup } from '../samples/kagent-directory.ts';
import { createS3Tree } from '../samples/s3-tree.ts';
import { SegmentCluster } from '../samples/segment-cluster.ts';
import { drawChain } from './chain.ts';
import { bytesText, countText, type Narrator } from './narrator.ts';
import type { Runs } from './runs.ts';
import { LAKE_BUCKET, type Stage, TOMS_PER_RANK, WORKERS } from './stage.ts';

export interface Act {
  readonly stage: Stage;
  readonly runs: Runs;
  readonly narrator: Narrator;
}

/** A file that changed less than two seconds before its listing is read again next time; a real night is longer. */
const SETTLE_MILLIS = 2_100;
export const DAY_MILLIS = 86_400_000;

interface Moment {
  readonly snapshot: string;
  readonly tree: readonly TreeEntry[];
}

/** A Kinetica-like cluster on a shared file system: quiesced, streamed, destroyed, restored elsewhere. */
export async function prodSource(act: Act): Promise<boolean> {
  const { stage, narrator } = act;
  narrator.chapter('Source "files" on a file system: cluster prod, quiesced through its control endpoint');
  const cluster = new SegmentCluster(
    { seed: 'prod', workers: WORKERS, tomsPerRank: TOMS_PER_RANK, includeOddNames: true },
    createDirectoryTree({ directory: stage.places.prod }),
    (mutation) => stage.prodControl.write(mutation),
  );
  const made = await cluster.create();
  narrator.say(
    `head and ${WORKERS} worker ranks, ${TOMS_PER_RANK} TOMs each: ${countText(made.totalFiles)} files, ${bytesText(made.totalBytes)}`,
  );
  const began = await night(act, 'full', true);
  const appended = await cluster.append({ segments: 12 });
  narrator.say(`a day of writes: ${appended.written.length} files written`);
  const firstDay = await night(act, 'incremental', false);
  narrator.say('  (*.mdb files are always copied: a memory map may change bytes long before it changes times)');
  const rewritten = await cluster.rewrite({ share: 0.1 });
  const removed = await cluster.remove({ share: 0.05 });
  narrator.say(`another day: ${rewritten.written.length} files rewritten, ${removed.removed.length} removed`);
  const secondDay = await night(act, 'differential', false);
  await showChain(act, 'prod_system');
  return loseProd(act, { began, firstDay, secondDay });
}

async function night({ stage, runs }: Act, type: string, states: boolean): Promise<Moment> {
  await pause(SETTLE_MILLIS);
  await stage.laptop.clock.advance(DAY_MILLIS);
  const snapshot = await runs.snapshot({ backup: 'prod_system', type }, { states });
  return { snapshot, tree: await readTree(stage.places.prod) };
}

interface Moments {
  readonly began: Moment;
  readonly firstDay: Moment;
  readonly secondDay: Moment;
}

async function loseProd(act: Act, { began, firstDay, secondDay }: Moments): Promise<boolean> {
  const { stage, runs, narrator } = act;
  narrator.chapter('Destroy prod, restore it into dr');
  await rm(stage.places.prod, { recursive: true });
  narrator.say('prod is gone: rm -rf of its root. dr is stopped, and proven to be by its ports.');
  const atMost = await runs.planOnly({ backup: 'prod_system', cluster: 'dr', options: { dryRun: true } });
  const { writes, reads } = await runs.restore({ backup: 'prod_system', cluster: 'dr' }, { states: true });
  const verdicts = [await judgeDr(act, 'dr against prod as it was lost', secondDay)];
  if (writes + reads > atMost) {
    narrator.bad(`the dry run promised at most ${countText(atMost)} requests; ${countText(writes + reads)} were made`);
    verdicts.push(false);
  }
  narrator.say('');
  narrator.say('Now older moments over it: only what differs by checksum is fetched.');
  for (const [what, moment] of [
    ['dr against prod after the first day', firstDay],
    ['dr against prod as it began', began],
  ] as const) {
    await runs.restore({
      backup: 'prod_system',
      snapshot: moment.snapshot,
      cluster: 'dr',
      options: { policy: 'replace' },
    });
    verdicts.push(await judgeDr(act, what, moment));
  }
  return verdicts.every(Boolean);
}

async function judgeDr({ stage, narrator }: Act, what: string, moment: Moment): Promise<boolean> {
  return judge(narrator, { what, wanted: moment.tree, found: await readTree(stage.places.dr), attributes: true });
}

/** Ranks in a bucket: S3 copies them itself, no byte passes through a Lambda. */
export async function lakeSource(act: Act): Promise<boolean> {
  const { stage, runs, narrator } = act;
  narrator.chapter('Source "files" on S3: cluster lake, copied inside S3');
  const cluster = new SegmentCluster(
    { seed: 'lake', workers: 2, tomsPerRank: 2, includeOddNames: true },
    createS3Tree({ client: stage.sampleClient, bucket: LAKE_BUCKET, prefix: 'lake/' }),
  );
  const made = await cluster.create();
  narrator.say(`${countText(made.totalFiles)} objects, ${bytesText(made.totalBytes)}`);
  await runs.snapshot({ backup: 'lake_files', type: 'full' });
  await cluster.rewrite({ share: 0.1 });
  await stage.laptop.clock.advance(DAY_MILLIS);
  await runs.snapshot({ backup: 'lake_files', type: 'incremental' });
  await showChain(act, 'lake_files');
  await runs.restore({ backup: 'lake_files', cluster: 'lake_copy', options: { targetIsStopped: true } });
  const [source, copy] = await Promise.all(
    ['lake/', 'lake-copy/'].map((prefix) => readS3Tree(stage.sampleClient, LAKE_BUCKET, prefix)),
  );
  return judge(narrator, { what: 'lake_copy against lake', wanted: source, found: copy, attributes: false });
}

/** KAgent quiesces and copies by itself; its directory is vaulted, and comes back for KAgent to restore from. */
export async function kagentSource(act: Act): Promise<boolean> {
  const { stage, runs, narrator } = act;
  narrator.chapter('Source "kagent": a snapshot directory that KAgent left on shared storage');
  const clusterDirectory = join(stage.places.directory, 'analytics');
  const cluster = new SegmentCluster(
    { seed: 'analytics', workers: 2 },
    createDirectoryTree({ directory: clusterDirectory }),
  );
  await cluster.create();
  const now = Date.now();
  const copied = await writeKagentBackup({
    clusterDirectory,
    backupPath: stage.places.kagentPath,
    clusterName: 'analytics',
    startedAtEpochMillis: now - 3_600_000,
    modifiedAtEpochMillis: now - 3_000_000,
  });
  await pause(SETTLE_MILLIS);
  await runs.snapshot({ backup: 'analytics_kagent', type: 'full' });
  const before = await readTree(copied);
  await rm(join(stage.places.kagentPath, 'analytics'), { recursive: true });
  await runs.restore({ backup: 'analytics_kagent', cluster: 'analytics_dr' });
  const restored = copied.replace('/analytics/', '/analytics_dr/');
  return judge(narrator, {
    what: 'the directory for KAgent against the one it made',
    wanted: before,
    found: await readTree(restored),
    attributes: true,
  });
}

export async function showChain({ stage, narrator }: Act, backup: string): Promise<void> {
  narrator.say('');
  for (const line of drawChain(await stage.snapshotsOf(backup))) {
    narrator.say(line);
  }
}

interface Comparison {
  readonly what: string;
  readonly wanted: readonly TreeEntry[] | undefined;
  readonly found: readonly TreeEntry[] | undefined;
  /** Objects have neither modes nor times of their own. */
  readonly attributes: boolean;
}

/** Compares byte for byte, by SHA-256 of every file; files also by mode and, to the microsecond, time. */
export function judge(narrator: Narrator, { what, wanted = [], found = [], attributes }: Comparison): boolean {
  const differences = compareTrees(wanted, found, { attributes, mtimeToleranceNs: 1_000n });
  const files = found.filter((entry) => entry.kind === 'file').length;
  if (differences.length === 0 && files > 0) {
    const compared = attributes ? 'every byte, mode and time equal' : 'every byte equal';
    narrator.good(`${what}: ${countText(files)} files, ${compared}`);
    return true;
  }
  narrator.bad(`${what}: ${differences.length} differences`);
  for (const difference of differences.slice(0, 5)) {
    narrator.say(`  ${difference}`);
  }
  return false;
}

export function agree(narrator: Narrator, verdicts: readonly boolean[]): boolean {
  narrator.chapter('Verdict');
  const good = verdicts.every(Boolean);
  if (good) {
    narrator.good('every moment came back as it was');
  } else {
    narrator.bad('something did not come back as it was');
  }
  return good;
}
