import { afterAll, afterEach, beforeAll } from 'vitest';
import { type LocalKinetica, startLocalKinetica } from '../../../local/kinetica/local-kinetica.ts';
import { Journey, s3Url, urlIn } from './journey.ts';

/** As many as journeys that quiesce a cluster, or stop one. */
const STAND_INS = 12;

/** The laptop of all journeys: bundling the functions takes longer than most of them. Each has clusters of its own. */
export let journey: Journey;

/** Control endpoints of the clusters `held0`, `held1`, ...; two ranks each. */
export let standIns: readonly LocalKinetica[] = [];

beforeAll(async () => {
  standIns = await Promise.all(
    Array.from({ length: STAND_INS }, () => startLocalKinetica({ ranks: 2, tomsPerRank: 1 })),
  );
  journey = await Journey.start({ files: 42, s3: 30, clusters });
});
afterEach(() => journey.calm());
afterAll(async () => {
  await journey.close();
  await Promise.all(standIns.map((each) => each.close()));
});

function clusters(directory: string) {
  return {
    ...Object.fromEntries(standIns.map((standIn, index) => [`held${index}`, heldCluster(directory, standIn, index)])),
    mute: {
      // Port 1 is nobody's, and where the host manager would listen is not said: nothing proves that it is stopped.
      control: { kind: 'kinetica' as const, url: 'http://127.0.0.1:1' },
      roots: [{ name: 'persist', url: urlIn(directory, 'mute') }],
    },
    one_tom: shapedCluster(directory, 'one_tom', 1),
    two_toms: shapedCluster(directory, 'two_toms', 2),
    split_files: { control: { kind: 'none' as const }, roots: splitFileRoots(directory, 'split_files') },
    split_files_dr: { control: { kind: 'none' as const }, roots: splitFileRoots(directory, 'split_files_dr') },
    split_s3: { control: { kind: 'none' as const }, roots: splitS3Roots('split_s3') },
    split_s3_dr: { control: { kind: 'none' as const }, roots: splitS3Roots('split_s3_dr') },
    kagent: kagentCluster(directory, 'kagent'),
    kagent_dr: kagentCluster(directory, 'kagent_dr'),
  };
}

function heldCluster(directory: string, standIn: LocalKinetica, index: number) {
  return {
    control: { kind: 'kinetica' as const, url: standIn.baseUrl, hostManagerPort: standIn.hostManagerPort },
    roots: [{ name: 'persist', url: urlIn(directory, `held${index}`) }],
  };
}

function shapedCluster(directory: string, cluster: string, tomsPerRank: number) {
  return {
    control: { kind: 'none' as const },
    roots: [{ name: 'persist', url: urlIn(directory, cluster) }],
    topology: { ranks: [0, 1, 2], tomsPerRank },
  };
}

/** Metadata in one place and a whole rank in another. */
function splitFileRoots(directory: string, cluster: string) {
  return [
    { name: 'meta', url: `${urlIn(directory, cluster)}/meta` },
    { name: 'one', url: `${urlIn(directory, cluster)}/one`, pattern: 'tom{tom:2}', rank: 1 },
  ];
}

/** Metadata in one place and the segments of every rank in another, under other names. */
function splitS3Roots(cluster: string) {
  return [
    { name: 'meta', url: `${s3Url(cluster)}/meta`, exclude: ['**/*.tmp'] },
    { name: 'data', url: `${s3Url(cluster)}/data`, pattern: 'node{rank:3}/shard-{tom}' },
  ];
}

/** Nobody waits for a KAgent that is not there: a directory counts as complete at once. */
function kagentCluster(directory: string, cluster: string) {
  return {
    control: { kind: 'none' as const },
    source: { kind: 'kagent' as const, path: urlIn(directory, cluster), clusterName: 'gpudb', settleMinutes: 0 },
  };
}
