import { join } from 'node:path';
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLocalS3 } from '../../../local/s3/local-s3.ts';
import { compareTrees, digestOfTree, readS3Tree, readTree } from '../../../local/samples/compare-trees.ts';
import { createDirectoryTree } from '../../../local/samples/directory-tree.ts';
import { createS3Tree } from '../../../local/samples/s3-tree.ts';
import type { SampleTree } from '../../../local/samples/sample-file.ts';
import { SegmentCluster } from '../../../local/samples/segment-cluster.ts';
import type { SegmentClusterOptions } from '../../../local/samples/segment-layout.ts';
import { scratchDirectory } from './scratch.ts';

const BUCKET = 'samples';
const BYTES_ONLY = { attributes: false };

async function startS3() {
  const scratch = await scratchDirectory();
  const s3 = await startLocalS3({ directory: join(scratch.path, 's3') });
  const client = new S3Client({
    endpoint: s3.endpoint,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  return {
    client,
    directory: join(scratch.path, 'cluster'),
    close: async () => {
      client.destroy();
      await s3.close();
      await scratch[Symbol.asyncDispose]();
    },
  };
}

async function allSteps(tree: SampleTree, options: SegmentClusterOptions): Promise<void> {
  const cluster = new SegmentCluster(options, tree);
  await cluster.create();
  await cluster.append({ segments: 10 });
  await cluster.rewrite({ share: 0.3 });
  await cluster.remove({ share: 0.2 });
  await cluster.compact({ tables: 3 });
}

describe('a sample cluster in S3', () => {
  let local: Awaited<ReturnType<typeof startS3>>;
  beforeAll(async () => {
    local = await startS3();
  });
  afterAll(async () => {
    await local.close();
  });

  const options = { seed: 'one', workers: 2, segmentsPerTable: 3, includeOddNames: true };
  const inS3 = (prefix: string) => readS3Tree(local.client, BUCKET, prefix);

  it('has the same files as the one in a directory with the same seed, after every kind of step', async () => {
    await allSteps(createS3Tree({ client: local.client, bucket: BUCKET, prefix: 'live/prod/' }), options);
    await allSteps(createDirectoryTree({ directory: local.directory }), options);
    const [directory, s3] = [await readTree(local.directory), await inS3('live/prod/')];
    expect(s3.length).toBeGreaterThan(50);
    expect(compareTrees(directory, s3, BYTES_ONLY)).toEqual([]);
    expect(digestOfTree(directory)).toBe(digestOfTree(s3));
  });

  it('is found to differ in missing, extra and other objects, and not in what Rankvault keeps at the top', async () => {
    const tree = createS3Tree({ client: local.client, bucket: BUCKET, prefix: 'judged/' });
    await new SegmentCluster({ ...options, includeOddNames: false }, tree).create();
    const before = await inS3('judged/');
    const put = (path: string, body: Buffer) =>
      local.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: `judged/${path}`, Body: body }));
    await put('rank-1/meta.mdb', Buffer.alloc(8192));
    await put('rank-1/extra', Buffer.alloc(1));
    await put('.rankvault-root.json', Buffer.from('{}'));
    await local.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'judged/cluster.conf' }));
    expect(compareTrees(before, await inS3('judged/'), BYTES_ONLY)).toEqual([
      'cluster.conf: 640 bytes there, missing here',
      'rank-1/extra: missing there, 1 byte here',
      expect.stringMatching(/^rank-1\/meta\.mdb: other bytes: 8,192 bytes with SHA-256 /),
    ]);
  });

  it('is read through every page of its listing', async () => {
    const tree = createS3Tree({ client: local.client, bucket: BUCKET, prefix: 'many/' });
    const report = await new SegmentCluster(
      { seed: 'one', workers: 1, tomsPerRank: 1, tables: 1, segmentsPerTable: 1100, segmentBytes: { maxBytes: 100 } },
      tree,
    ).create();
    expect(await inS3('many/')).toHaveLength(report.totalFiles);
  });

  it('is refused a prefix that would run into its neighbors', () => {
    expect(() => createS3Tree({ client: local.client, bucket: BUCKET, prefix: 'live' })).toThrow('end in "/"');
  });
});
