import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { readS3Tree, type TreeEntry } from '../samples/compare-trees.ts';
import { createS3Tree } from '../samples/s3-tree.ts';
import { SegmentCluster } from '../samples/segment-cluster.ts';
import { type Act, DAY_MILLIS, judge, showChain } from './acts.ts';
import { DemoFailed } from './runs.ts';
import { LAKE_BUCKET } from './stage.ts';

const BACKUP = 'archive_files';
const PREFIX = 'archive/';

interface Moment {
  readonly snapshot: string;
  readonly tree: readonly TreeEntry[];
}

/** A vault that grows: what is removed, what that frees, what is damaged and found; and each moment that was kept comes back. */
export async function keepAndTrust(act: Act): Promise<boolean> {
  const { narrator } = act;
  narrator.chapter('Keep and trust: cluster archive, whose vault is purged, merged, expired, damaged and verified');
  const moments = await fiveDays(act);
  await showChain(act, BACKUP);
  await purgeOne(act, moments);
  const merged = await mergeChain(act, moments);
  await expireOld(act, moments);
  const found = await damageAndVerify(act, moments);
  narrator.say('');
  narrator.say('Each moment that was kept, restored over the one before:');
  return (await restoreAll(act, moments)) && merged && found;
}

async function fiveDays(act: Act): Promise<Moment[]> {
  const { stage } = act;
  const cluster = new SegmentCluster(
    { seed: 'archive', workers: 2, tomsPerRank: 1 },
    createS3Tree({ client: stage.sampleClient, bucket: LAKE_BUCKET, prefix: PREFIX }),
  );
  await cluster.create();
  const moments: Moment[] = [];
  for (const type of ['full', 'incremental', 'incremental', 'full', 'incremental']) {
    if (moments.length > 0) {
      await cluster.rewrite({ share: 0.2 });
    }
    moments.push(await night(act, type));
  }
  return moments;
}

async function night({ stage, runs }: Act, type: string): Promise<Moment> {
  await stage.laptop.clock.advance(DAY_MILLIS);
  const snapshot = await runs.snapshot({ backup: BACKUP, type }, { brief: true });
  return { snapshot, tree: await readS3Tree(stage.sampleClient, LAKE_BUCKET, PREFIX) };
}

/** The second day goes, and what the third day carries from it stays. */
async function purgeOne({ runs, narrator }: Act, moments: Moment[]): Promise<void> {
  narrator.say('');
  narrator.say('Purge the second day. First a dry run, then the same in earnest:');
  const [second] = moments.splice(1, 1);
  const purge = { action: 'purge', backup: BACKUP, snapshot: second?.snapshot ?? '', immediately: true };
  await runs.maintain({ ...purge, dryRun: true });
  await runs.maintain(purge);
}

/** The first and the third day become one full, which shows the third. */
async function mergeChain(act: Act, moments: Moment[]): Promise<boolean> {
  const { stage, runs, narrator } = act;
  narrator.say('');
  narrator.say('Merge what is left of the first chain into a new full, by copies inside S3:');
  const [, third] = moments;
  await runs.maintain({ action: 'merge', backup: BACKUP, snapshot: third?.snapshot ?? '' });
  const merged = (await stage.snapshotsOf(BACKUP)).find((record) => record.mergedFrom !== undefined);
  moments.splice(0, 2, { snapshot: merged?.snapshot ?? '', tree: third?.tree ?? [] });
  return restoreAll(act, moments.slice(0, 1));
}

/** Retention has no reason to keep the merged full: it is hidden. A week later its bytes, and those of its sources, go. */
async function expireOld(act: Act, moments: Moment[]): Promise<void> {
  const { stage, runs, narrator } = act;
  narrator.say('');
  narrator.say(
    'Two weeks later. The retention of this backup is keepFulls 2, keepDays 7. A dry run, then the same in earnest:',
  );
  await stage.laptop.clock.advance(14 * DAY_MILLIS);
  await runs.maintain({ action: 'expire', backup: BACKUP, dryRun: true });
  await runs.maintain({ action: 'expire', backup: BACKUP });
  narrator.say('');
  narrator.say('Eight days later nothing of it can be undeleted any more, and the bytes go:');
  await stage.laptop.clock.advance(8 * DAY_MILLIS);
  await runs.maintain({ action: 'expire', backup: BACKUP });
  moments.push(await night(act, 'full'));
  await forgetHidden(act, moments);
}

async function forgetHidden({ stage }: Act, moments: Moment[]): Promise<void> {
  const visible = new Set((await stage.snapshotsOf(BACKUP)).map(({ snapshot }) => snapshot));
  const kept = moments.filter(({ snapshot }) => visible.has(snapshot));
  moments.splice(0, moments.length, ...kept);
}

async function damageAndVerify(act: Act, moments: Moment[]): Promise<boolean> {
  return (await deleteAndRepair(act, moments)) && (await rotAndPurge(act, moments));
}

/** Somebody deletes an object of the newest snapshot: it is only hidden, because the vault is versioned; then it is repaired. */
async function deleteAndRepair(act: Act, moments: readonly Moment[]): Promise<boolean> {
  const { stage, runs, narrator } = act;
  const Key = await aPartOf(act, moments);
  narrator.say('');
  narrator.say(`Somebody deletes ${nameOf(Key)} of the newest snapshot from the vault. Is every object there?`);
  await stage.sampleClient.send(new DeleteObjectCommand({ Bucket: stage.laptop.vaultBucket, Key }));
  const found = await runs.verify({ level: 'present', backup: BACKUP }, { finds: 'ProtectionWeakened' });
  await runs.maintain({ action: 'repair', backup: BACKUP });
  return (await runs.verify({ level: 'present', backup: BACKUP })) && found;
}

/** A byte rots where no listing can see it. What was damaged is not built upon; it is purged, and what is left is sound. */
async function rotAndPurge(act: Act, moments: Moment[]): Promise<boolean> {
  const { stage, runs, narrator } = act;
  const key = await aPartOf(act, moments);
  narrator.say('');
  narrator.say(`A byte of ${nameOf(key)} rots in the vault: same size, same ETag. Does every byte have its checksum?`);
  await stage.laptop.s3.damage.rot({ bucket: stage.laptop.vaultBucket, key });
  const found = await runs.verify({ level: 'read', backup: BACKUP }, { finds: 'DamageFound' });
  const damaged = moments.pop()?.snapshot ?? '';
  moments.push(await night(act, 'incremental'));
  const record = (await stage.snapshotsOf(BACKUP)).at(-1);
  narrator.say(`  ${record?.reason}`);
  await runs.maintain({ action: 'purge', backup: BACKUP, snapshot: damaged, immediately: true });
  return (await runs.verify({ level: 'read', backup: BACKUP })) && found && record?.type === 'full';
}

async function aPartOf({ stage }: Act, moments: readonly Moment[]): Promise<string> {
  const newest = moments.at(-1)?.snapshot ?? '';
  const Prefix = `${BACKUP}/${newest}/rank-1/tom-0/`;
  const listed = await stage.sampleClient.send(new ListObjectsV2Command({ Bucket: stage.laptop.vaultBucket, Prefix }));
  const found = listed.Contents?.find(({ Size = 0 }) => Size > 0)?.Key;
  if (found === undefined) {
    throw new DemoFailed(`The newest snapshot has no part under ${Prefix}.`);
  }
  return found;
}

function nameOf(key: string): string {
  return key.slice(key.indexOf('rank-'));
}

async function restoreAll({ stage, runs, narrator }: Act, moments: readonly Moment[]): Promise<boolean> {
  const verdicts: boolean[] = [];
  for (const { snapshot, tree } of moments) {
    const options = { policy: 'replace', targetIsStopped: true };
    await runs.restore({ backup: BACKUP, snapshot, cluster: 'archive_copy', options }, { brief: true });
    const found = await readS3Tree(stage.sampleClient, LAKE_BUCKET, 'archive-copy/');
    verdicts.push(judge(narrator, { what: `archive_copy at ${snapshot}`, wanted: tree, found, attributes: false }));
  }
  return verdicts.length > 0 && verdicts.every(Boolean);
}
