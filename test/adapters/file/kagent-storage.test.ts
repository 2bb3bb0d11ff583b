import { mkdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { FileKagentStorage } from '../../../adapters/file/kagent-directory.ts';
import { S3KagentStorage } from '../../../adapters/file/kagent-prefix.ts';
import { findKagentCandidates } from '../../../adapters/file/kagent-storage.ts';
import { useLocalS3 } from '../../support/s3-fixture.ts';
import { useDirectories, writeTree } from './file-fixture.ts';

const directories = useDirectories();
const fixture = useLocalS3();
const [OLD, NEW, EMPTY] = [
  'snapshot.2026-01-30.22-00-00',
  'snapshot.2026-01-31.22-00-00',
  'snapshot.2026-02-01.22-00-00',
];

function storageAt(directory: string): FileKagentStorage {
  return new FileKagentStorage({ url: pathToFileURL(directory).href, clusterName: 'prod', exclude: ['**/*.log'] });
}

describe('KAgent directories on a file system', () => {
  it('are those with a snapshot name below the cluster, and none before KAgent ran', async () => {
    const directory = directories.newDirectory();
    expect(await storageAt(directory).directories()).toEqual([]);
    writeTree(directory, {
      [`prod/${OLD}/`]: '',
      'prod/snapshot.latest/': '',
      [`prod/${NEW}`]: 'a file',
      [`other/${NEW}/`]: '',
    });
    expect(await storageAt(directory).directories()).toEqual([OLD]);
  });

  it('are as new as the newest change of anything inside, also of a file whose mtime was preserved', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { [`prod/${NEW}/rank-0/a`]: 'x', [`prod/${NEW}/rank-1/tom-0/b`]: 'x' });
    const newestFile = join(directory, 'prod', NEW, 'rank-1/tom-0/b');
    for (const path of ['', 'rank-0/a', 'rank-0', 'rank-1/tom-0', 'rank-1', 'rank-1/tom-0/b']) {
      utimesSync(join(directory, 'prod', NEW, path), 1_500_000_000, 1_500_000_000);
    }
    const inspected = await storageAt(directory).inspect(NEW);

    expect(inspected?.holdsFiles).toBe(true);
    expect(inspected?.newestChangeEpochMillis).toBe(
      Number(statSync(newestFile, { bigint: true }).ctimeNs / 1_000_000n),
    );
    utimesSync(newestFile, 4_000_000_000, 4_000_000_000);
    expect((await storageAt(directory).inspect(NEW))?.newestChangeEpochMillis).toBe(4_000_000_000_000);
  });

  it('hold no files when there are only directories or excluded files', async () => {
    const directory = directories.newDirectory();
    writeTree(directory, { [`prod/${EMPTY}/rank-0/kagent.log`]: 'started' });
    expect(await storageAt(directory).inspect(EMPTY)).toMatchObject({ directory: EMPTY, holdsFiles: false });
    expect(await storageAt(directory).inspect(OLD)).toBeUndefined();
  });

  it('are looked at from the newest down to the first with files, and not at all when vaulted', async () => {
    const directory = directories.newDirectory();
    mkdirSync(join(directory, 'prod', EMPTY), { recursive: true });
    writeTree(directory, { [`prod/${OLD}/rank-0/a`]: 'x', [`prod/${NEW}/rank-0/a`]: 'x' });
    const names = async (vaulted: readonly string[]) =>
      (await findKagentCandidates(storageAt(directory), new Set(vaulted))).map((candidate) => candidate.directory);

    expect(await names([])).toEqual([EMPTY, NEW]);
    expect(await names([OLD])).toEqual([EMPTY, NEW]);
    expect(await names([NEW])).toEqual([EMPTY]);
  });
});

describe('KAgent directories in a bucket', () => {
  it('are the prefixes with a snapshot name, as new as their newest object', async () => {
    const bucket = await fixture.newBucket();
    const put = async (key: string) =>
      fixture.client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'x' }));
    const keys = [`kagent/prod/${OLD}/rank-0/a`, `kagent/prod/${NEW}/rank-0/a`, `kagent/prod/${NEW}/rank-1/b`];
    for (const key of [...keys, 'kagent/prod/readme/x', `kagent/other/${EMPTY}/x`]) {
      await put(key);
    }
    const storage = new S3KagentStorage({ client: fixture.client, url: `s3://${bucket}/kagent/`, clusterName: 'prod' });
    const newest = await fixture.client.send(new HeadObjectCommand({ Bucket: bucket, Key: keys[2] ?? '' }));

    expect((await storage.directories()).toSorted()).toEqual([OLD, NEW]);
    const inspected = await storage.inspect(NEW);
    expect(inspected?.holdsFiles).toBe(true);
    const behindMillis = (inspected?.newestChangeEpochMillis ?? 0) - (newest.LastModified?.getTime() ?? 0);
    expect(behindMillis).toBeGreaterThanOrEqual(0);
    expect(behindMillis).toBeLessThan(1_000);
    expect(await storage.inspect(EMPTY)).toBeUndefined();
    expect((await findKagentCandidates(storage, new Set())).map((candidate) => candidate.directory)).toEqual([NEW]);
  });
});
