import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { createS3Client } from '../../adapters/s3/s3-client.ts';
import { S3ObjectStore } from '../../adapters/s3/s3-object-store.ts';
import { readSnapshots } from '../../core/catalog.ts';
import type { RankvaultConfigInput } from '../../core/config/schema.ts';
import type { SnapshotRecord } from '../../core/records.ts';
import { type LocalKinetica, startLocalKinetica } from '../kinetica/local-kinetica.ts';
import { Laptop } from '../laptop/laptop.ts';
import { RunWatch } from './run-watch.ts';

/** Where everything of the demo lies. */
export interface Places {
  readonly directory: string;
  readonly prod: string;
  readonly dr: string;
  readonly kagentPath: string;
}

export const WORKERS = 3;
export const TOMS_PER_RANK = 2;
/** The bucket that holds the lake's ranks. */
export const LAKE_BUCKET = 'demo-lake';

/** The laptop, the stand-in clusters and where they keep their files. */
export interface Stage {
  readonly places: Places;
  readonly laptop: Laptop;
  readonly watch: RunWatch;
  readonly prodControl: LocalKinetica;
  /** Client of the sample writers: its requests are not billed to the runs. */
  readonly sampleClient: ReturnType<typeof createS3Client>;
  snapshotsOf(backup: string): Promise<readonly SnapshotRecord[]>;
  close(): Promise<void>;
}

export async function setStage(directory: string): Promise<Stage> {
  const places: Places = {
    directory,
    prod: join(directory, 'prod'),
    dr: join(directory, 'dr'),
    kagentPath: join(directory, 'backups'),
  };
  for (const path of [places.prod, places.dr, places.kagentPath]) {
    await mkdir(path, { recursive: true });
  }
  const prodControl = await startLocalKinetica({ ranks: WORKERS, tomsPerRank: TOMS_PER_RANK });
  const drControl = await startLocalKinetica({ ranks: WORKERS, tomsPerRank: TOMS_PER_RANK });
  await drControl.stop();
  const watch = new RunWatch();
  const config = configFor(places, { prod: prodControl, dr: drControl });
  const laptop = await Laptop.start({ directory, config, onEvent: watch.see });
  const credentials = { accessKeyId: 'sample', secretAccessKey: 'sample' };
  const sampleClient = createS3Client({
    caller: 'sample',
    endpoint: laptop.s3.endpoint,
    region: 'us-east-1',
    credentials,
  });
  await sampleClient.send(new CreateBucketCommand({ Bucket: LAKE_BUCKET }));
  const vault = new S3ObjectStore({ client: sampleClient, bucket: laptop.vaultBucket });
  return {
    places,
    laptop,
    watch,
    prodControl,
    sampleClient,
    snapshotsOf: (backup) => readSnapshots(vault, backup),
    close: async () => {
      sampleClient.destroy();
      await laptop.close();
      await prodControl.close();
      await drControl.close();
    },
  };
}

const NEVER = { expression: 'rate(1 day)', enabled: false };

function configFor(
  places: Places,
  control: { readonly prod: LocalKinetica; readonly dr: LocalKinetica },
): RankvaultConfigInput {
  const root = (path: string) => ({ name: 'persist', url: pathToFileURL(path).href });
  const lake = (prefix: string) => ({ name: 'lake', url: `s3://${LAKE_BUCKET}/${prefix}` });
  const kagent = (clusterName: string) => ({
    control: { kind: 'none' as const },
    source: { kind: 'kagent' as const, path: pathToFileURL(places.kagentPath).href, clusterName, settleMinutes: 0 },
  });
  // What schedules would start between the nights of the demo, it starts itself, when it has something to show.
  const timers = {
    verify: { present: { ...NEVER }, read: { ...NEVER, budget: { parts: 10_000 } } },
    maintain: { collect: { ...NEVER } },
  };
  return {
    clusters: {
      prod: { control: kineticaAt(control.prod), roots: [root(places.prod)] },
      dr: { control: kineticaAt(control.dr), roots: [root(places.dr)] },
      lake: { control: { kind: 'none' }, roots: [lake('lake')] },
      lake_copy: { control: { kind: 'none' }, roots: [lake('lake-copy')] },
      archive: { control: { kind: 'none' }, roots: [lake('archive')] },
      archive_copy: { control: { kind: 'none' }, roots: [lake('archive-copy')], scratch: true },
      analytics: kagent('analytics'),
      analytics_dr: kagent('analytics_dr'),
    },
    backups: {
      prod_system: { kind: 'system', cluster: 'prod', ...timers },
      lake_files: { kind: 'system', cluster: 'lake', ...timers },
      archive_files: { kind: 'system', cluster: 'archive', retention: { keepFulls: 2, keepDays: 7 }, ...timers },
      analytics_kagent: { kind: 'system', cluster: 'analytics', ...timers },
    },
  };
}

function kineticaAt(local: LocalKinetica) {
  return { kind: 'kinetica' as const, url: local.baseUrl, hostManagerPort: local.hostManagerPort };
}
