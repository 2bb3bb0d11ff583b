import { Agent, request } from 'node:http';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ClusterSource } from '../../../adapters/roots/cluster-source.ts';
import { openS3Root } from '../../../adapters/roots/open-s3-root.ts';
import { S3SourceRoot } from '../../../adapters/roots/s3-source-root.ts';
import type { RankName } from '../../../core/ids.ts';
import { compareUtf8 } from '../../../core/utf8-order.ts';
import { collect } from '../../support/byte-streams.ts';
import { useLocalS3 } from '../../support/s3-fixture.ts';

const fixture = useLocalS3();

afterEach(() => {
  fixture.s3.faults.clear();
});

async function rootWith(keys: readonly string[], pattern = 'rank-{rank}/tom-{tom}'): Promise<S3SourceRoot> {
  const bucket = await fixture.newBucket();
  // Plain PUTs: the SDK would take most of the time of 10,000 of them.
  await pMap(keys, async (key) => putPlainly(bucket, key), { concurrency: 32 });
  return new S3SourceRoot(openS3Root({ name: 'main', url: `s3://${bucket}`, pattern, exclude: [] }, fixture.client));
}

async function putPlainly(bucket: string, key: string): Promise<void> {
  const path = key.split('/').map(encodeURIComponent).join('/');
  const answer = await putOneByte(`/${bucket}/${path}`);
  if (answer !== 200) {
    throw new Error(`PUT of ${key} answered ${answer}.`);
  }
}

const agent = new Agent({ keepAlive: true, maxSockets: 32 });

/** The path is sent as it is: a URL would lose its `..`. */
function putOneByte(path: string): Promise<number | undefined> {
  const { hostname, port } = new URL(fixture.s3.endpoint);
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, path, method: 'PUT', agent, headers: { 'content-length': 1 } },
      (response) => {
        response.resume().once('end', () => resolve(response.statusCode));
      },
    );
    sent.once('error', reject).end('x');
  });
}

async function paths(root: S3SourceRoot, rank: RankName, after?: string): Promise<string[]> {
  return (await collect(root.listRank(rank, after))).map((entry) => entry.path);
}

function listings(): number {
  const { ListObjectsV2: counts } = fixture.s3.counters.snapshot().byOperation;
  return counts?.requests ?? 0;
}

const number = (index: number): string => String(index).padStart(6, '0');

describe('a directory of 10,000 parts', () => {
  const names = Array.from({ length: 10_000 }, (_, index) => `tom-0/t1/${number(index)}.seg`);
  let root: S3SourceRoot;
  beforeAll(async () => {
    root = await rootWith([...names.map((name) => `rank-1/${name}`), 'rank-1/tom-1/t1/0.seg', 'rank-1/a']);
  }, 240_000);

  it('is listed whole and in order, a page of 1,000 a request', async () => {
    fixture.s3.counters.reset();
    expect(await paths(root, 1)).toEqual(['a', ...names, 'tom-1/t1/0.seg']);
    expect(listings()).toBeLessThanOrEqual(13);
  });

  it('is listed from its last part without a look at those before', async () => {
    fixture.s3.counters.reset();
    expect(await paths(root, 1, names[9_998])).toEqual([names[9_999], 'tom-1/t1/0.seg']);
    expect(listings()).toBeLessThanOrEqual(4);
  });

  it('is left early without reading on', async () => {
    fixture.s3.counters.reset();
    for await (const entry of root.listRank(1, undefined)) {
      expect(entry.path).toBe('a');
      break;
    }
    expect(listings()).toBeLessThanOrEqual(5);
  });
});

describe('prefixes of a rank', () => {
  const toms = Array.from({ length: 40 }, (_, tom) => tom);

  it('are listed side by side, a bounded number ahead, and still in order', async () => {
    const root = await rootWith(toms.flatMap((tom) => [`rank-0/tom-${tom}/a`, `rank-0/tom-${tom}/b`]));
    const hold = fixture.s3.faults.hold({ where: { operation: 'ListObjectsV2' }, when: { from: 2 } });
    const listing = paths(root, 0);
    await hold.reached;
    // All that may run ahead has been asked for once nothing more arrives in a few turns of the event loop.
    let waiting = 0;
    while (hold.waiting !== waiting || waiting < 8) {
      waiting = hold.waiting;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(waiting).toBe(8);
    hold.release();
    expect(await listing).toEqual(toms.flatMap((tom) => [`tom-${tom}/a`, `tom-${tom}/b`]).sort(compareUtf8));
  });

  it('that do not sort by their numbers are merged in canonical order', async () => {
    const some = toms.slice(0, 12);
    const keys = some.flatMap((tom) => [1, 2].map((file) => `r0/data/t${String(tom).padStart(3, '0')}/${file}`));
    const root = await rootWith([...keys, 'r0/data/other', 'r0/zz', 'r0/tom'], 'r{rank}/data/t{tom:3}');
    const expected = [...some.flatMap((tom) => [`tom-${tom}/1`, `tom-${tom}/2`]), 'data/other', 'zz', 'tom'].sort(
      compareUtf8,
    );
    const all = await paths(root, 0);
    expect(all).toEqual(expected);
    for (const [index, path] of all.entries()) {
      expect(await paths(root, 0, path)).toEqual(expected.slice(index + 1));
    }
  });

  it('that hold more objects than one page are read on in order', async () => {
    const keys = Array.from({ length: 2_100 }, (_, index) => `rank-0/tom-${index % 2}/${number(index)}`);
    const root = await rootWith(keys);
    expect(await paths(root, 0)).toEqual(keys.map((key) => key.slice('rank-0/'.length)).sort(compareUtf8));
  });
});

describe('what an S3 root shows', () => {
  it('is no console folder', async () => {
    const bucket = await fixture.newBucket();
    for (const key of ['p/', 'p/rank-0/', 'p/rank-0/tom-0/', 'p/rank-5/']) {
      await fixture.client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: new Uint8Array() }));
    }
    await fixture.client.send(
      new PutObjectCommand({ Bucket: bucket, Key: 'p/rank-0/tom-0/empty', Body: new Uint8Array() }),
    );
    const root = new S3SourceRoot(
      openS3Root(
        { name: 'main', url: `s3://${bucket}/p/`, pattern: 'rank-{rank}/tom-{tom}', exclude: [] },
        fixture.client,
      ),
    );
    expect(await paths(root, 0)).toEqual(['tom-0/empty']);
    expect(await paths(root, 'cluster')).toEqual([]);
    expect(await root.discoverRanks()).toEqual([0, 5]);
  });

  it('does not reach into a prefix that only begins alike', async () => {
    const bucket = await fixture.newBucket();
    for (const key of ['prod/rank-0/x', 'prod2/rank-0/y', 'prod/rank-01/z']) {
      await fixture.client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'x' }));
    }
    const root = new S3SourceRoot(
      openS3Root({ name: 'main', url: `s3://${bucket}/prod`, pattern: 'rank-{rank}', exclude: [] }, fixture.client),
    );
    expect(await paths(root, 0)).toEqual(['x']);
    expect(await paths(root, 'cluster')).toEqual(['rank-01/z']);
  });

  it.each([
    ['rank-0/', 'rank-0/a//b', 'an empty segment'],
    ['rank-0/', 'rank-0/../x', 'dots'],
    ['rank-0/', 'rank-0/a/', 'a folder with bytes'],
    ['rank-0/', 'rank-0/a\u0001b', 'a control character'],
  ])('%s%s is refused by name: %s', async (_, key) => {
    const root = await rootWith([key]);
    await expect(paths(root, 0)).rejects.toMatchObject({ name: 'PartPathInvalid' });
  });

  it.each(['GLACIER', 'DEEP_ARCHIVE'] as const)(
    'is refused by name when it is archived as %s',
    async (StorageClass) => {
      const bucket = await fixture.newBucket();
      await fixture.client.send(
        new PutObjectCommand({ Bucket: bucket, Key: 'rank-0/tom-0/cold.seg', Body: 'x', StorageClass }),
      );
      const config = { name: 'main', url: `s3://${bucket}`, pattern: 'rank-{rank}/tom-{tom}', exclude: [] };
      const refused = paths(new S3SourceRoot(openS3Root(config, fixture.client)), 0);
      await expect(refused).rejects.toMatchObject({
        name: 'SourceUnreadable',
        message: expect.stringContaining('cold.seg'),
      });
      const excluding = openS3Root({ ...config, exclude: ['**/cold.seg'] }, fixture.client);
      expect(await paths(new S3SourceRoot(excluding), 0)).toEqual([]);
    },
  );
});

describe('an S3 root that cannot be read', () => {
  it('is named when its bucket does not exist', async () => {
    const config = { name: 'main', url: 's3://no-such-bucket/x', pattern: 'rank-{rank}', exclude: [] };
    const root = new S3SourceRoot(openS3Root(config, fixture.client));
    const unreadable = {
      name: 'RootUnreadable',
      message: expect.stringContaining('Root main (s3://no-such-bucket/x/)'),
    };
    await expect(paths(root, 0)).rejects.toMatchObject(unreadable);
    await expect(root.discoverRanks()).rejects.toMatchObject(unreadable);
  });

  it('is named when access is denied, also in the middle of a listing', async () => {
    const root = await rootWith(['rank-0/tom-0/a', 'rank-0/tom-1/b']);
    fixture.s3.faults.inject({ fault: 'accessDenied', where: { operation: 'ListObjectsV2' }, when: { nth: 3 } });
    const seen: string[] = [];
    const listing = (async () => {
      for await (const entry of root.listRank(0, undefined)) {
        seen.push(entry.path);
      }
    })();
    await expect(listing).rejects.toMatchObject({
      name: 'RootUnreadable',
      hint: expect.stringMatching(/Allow the action/),
    });
    expect(seen.length).toBeLessThan(2);
    fixture.s3.faults.inject({ fault: 'accessDenied', where: { operation: 'HeadObject' } });
    await expect(new ClusterSource([root]).findRestoreMarkers()).rejects.toMatchObject({ name: 'RootUnreadable' });
  });

  it('is tried again when S3 is only busy', async () => {
    const root = await rootWith(['rank-0/tom-0/a', 'rank-0/tom-1/b']);
    fixture.s3.faults.inject({ fault: 'slowDown', where: { operation: 'ListObjectsV2' }, times: 1 });
    expect(await paths(root, 0)).toEqual(['tom-0/a', 'tom-1/b']);
    fixture.s3.faults.inject({ fault: 'slowDown', where: { operation: 'ListObjectsV2' } });
    await expect(paths(root, 0)).rejects.toMatchObject({ name: 'StoreUnavailable', family: 'transient' });
  });
});
