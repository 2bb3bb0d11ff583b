import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import * as z from 'zod/mini';
import { Laptop } from '../../local/laptop/laptop.ts';
import { readS3Tree, readTree, type TreeEntry } from '../../local/samples/compare-trees.ts';
import { createDirectoryTree } from '../../local/samples/directory-tree.ts';
import { createS3Tree } from '../../local/samples/s3-tree.ts';
import { SegmentCluster } from '../../local/samples/segment-cluster.ts';
import type { FunctionCall } from '../../local/workflow/execution.ts';

/** A snapshot that the workflow took, and the tree that it was taken of. */
export interface Moment {
  readonly snapshot: string;
  readonly tree: readonly TreeEntry[];
}

/** A vault with snapshots made by the real workflow, for whoever reads it without Rankvault. */
export interface VaultOfSnapshots {
  readonly laptop: Laptop;
  /** Of backup `prod_system`: a directory of files, streamed. */
  readonly full: Moment;
  readonly incremental: Moment;
  /** Of backup `lake_system`: a prefix on S3, copied inside S3. */
  readonly lake: Moment;
}

/** A part of the full snapshot whose natural key is taken, so that its manifest line has a `key`. */
export const REWRITTEN_PATH = 'tom-0/t1/a+b=c&d.seg';
const LAKE_BUCKET = 'lake';
const SMALL = { workers: 1, tomsPerRank: 1, tables: 1, segmentsPerTable: 2, segmentBytes: { maxBytes: 300_000 } };

export async function createVault(directory: string): Promise<VaultOfSnapshots> {
  const place = join(directory, 'prod');
  await mkdir(place);
  const laptop: Laptop = await Laptop.start({
    directory,
    machineAheadMillis: 5000,
    config: {
      clusters: {
        prod: { control: { kind: 'none' }, roots: [{ name: 'persist', url: pathToFileURL(place).href }] },
        lake: { control: { kind: 'none' }, roots: [{ name: 'persist', url: `s3://${LAKE_BUCKET}/persist` }] },
      },
      backups: {
        prod_system: { kind: 'system', cluster: 'prod' },
        lake_system: { kind: 'system', cluster: 'lake' },
      },
    },
    aroundInvoke: async (call, proceed) => {
      await takeNaturalKey(laptop, call);
      return await proceed();
    },
  });
  const cluster = new SegmentCluster(
    { ...SMALL, seed: 'hand', includeOddNames: true },
    createDirectoryTree({ directory: place }),
  );
  await cluster.create();
  const full = { snapshot: await take(laptop, 'prod_system', 'full'), tree: await readTree(place) };
  await cluster.append({ segments: 2 });
  await cluster.rewrite({ share: 0.5 });
  const incremental = { snapshot: await take(laptop, 'prod_system', 'incremental'), tree: await readTree(place) };
  return { laptop, full, incremental, lake: await createLake(laptop) };
}

async function createLake(laptop: Laptop): Promise<Moment> {
  const { s3Client } = laptop;
  await s3Client.send(new CreateBucketCommand({ Bucket: LAKE_BUCKET }));
  const tree = createS3Tree({ client: s3Client, bucket: LAKE_BUCKET, prefix: 'persist/' });
  await new SegmentCluster({ ...SMALL, seed: 'lake' }, tree).create();
  return {
    snapshot: await take(laptop, 'lake_system', 'full'),
    tree: await readS3Tree(s3Client, LAKE_BUCKET, 'persist/'),
  };
}

const committedSchema = z.object({ snapshot: z.object({ snapshot: z.string() }) });

async function take(laptop: Laptop, backup: string, type: string): Promise<string> {
  const { status, output, error, cause } = await laptop.run('Snapshot', { backup, type });
  if (status !== 'SUCCEEDED') {
    throw new Error(`The ${type} of ${backup} ended as ${status}: ${error} ${cause}`);
  }
  return committedSchema.parse(output).snapshot.snapshot;
}

const copyCallSchema = z.object({ run: z.object({ backup: z.string(), snapshot: z.string(), type: z.string() }) });

/** As a warm pass would that met an earlier version of the part: before the full is copied, something lies at the part's key. */
async function takeNaturalKey({ s3Client, vaultBucket }: Laptop, { state, payload }: FunctionCall): Promise<void> {
  const { run } = state === 'Copy a batch' ? copyCallSchema.parse(payload) : {};
  if (run?.backup === 'prod_system' && run.type === 'full') {
    const key = `${run.backup}/${run.snapshot}/rank-1/${REWRITTEN_PATH}`;
    await s3Client.send(new PutObjectCommand({ Bucket: vaultBucket, Key: key, Body: 'an earlier version' }));
  }
}
