import { createHash, randomUUID } from 'node:crypto';
import { mkdir, mkdtempDisposable, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareTrees, readTree } from '../../local/samples/compare-trees.ts';
import { RestoreScript } from './restore-script.ts';
import { createVault, REWRITTEN_PATH, type VaultOfSnapshots } from './vault-of-snapshots.ts';

const ATTRIBUTES = { attributes: true };
const BYTES_ONLY = { attributes: false };
/** A process for each request: slow on a busy machine. */
const TIMEOUT_MILLIS = 180_000;

let directory: Awaited<ReturnType<typeof mkdtempDisposable>>;
let vault: VaultOfSnapshots;
let script: RestoreScript;

beforeAll(async () => {
  directory = await mkdtempDisposable(join(tmpdir(), 'rankvault-by-hand-'));
  vault = await createVault(directory.path);
  script = await RestoreScript.install(join(directory.path, 'bin'), vault.laptop.s3.endpoint);
}, TIMEOUT_MILLIS);

afterAll(async () => {
  await vault?.laptop.close();
  await directory?.remove();
});

function newTarget(): string {
  return join(directory.path, `target-${randomUUID()}`);
}

function restore(snapshot: string, target: string, backup = 'prod_system') {
  return script.restore({ bucket: vault.laptop.vaultBucket, backup, snapshot, target });
}

/** Changes an object of the catalog for the time of one test. */
async function withObject<T>(key: string, change: (old: Uint8Array) => string | Uint8Array, act: () => Promise<T>) {
  const { s3Client, vaultBucket: Bucket } = vault.laptop;
  const old = await s3Client
    .send(new GetObjectCommand({ Bucket, Key: key }))
    .then(async ({ Body }) => await Body?.transformToByteArray())
    .catch(() => undefined);
  const put = await s3Client.send(new PutObjectCommand({ Bucket, Key: key, Body: change(old ?? new Uint8Array()) }));
  try {
    return await act();
  } finally {
    await s3Client.send(new DeleteObjectCommand({ Bucket, Key: key, VersionId: put.VersionId }));
  }
}

/** Another content for a gzipped object of the catalog, with its digests. */
async function forge(name: string, change: (old: string) => string) {
  const { s3Client, vaultBucket: Bucket } = vault.laptop;
  const { Body } = await s3Client.send(new GetObjectCommand({ Bucket, Key: catalogKey(name) }));
  const old = (await Body?.transformToByteArray()) ?? new Uint8Array();
  const text = gunzipSync(old).toString();
  const bytes = gzipSync(change(text));
  expect(change(text)).not.toBe(text);
  return { bytes, was: sha256(old), is: sha256(bytes) };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const catalogKey = (rest: string) => `.rankvault/catalog/prod_system/${rest}`;

describe('docs/restore-by-hand.sh', { timeout: TIMEOUT_MILLIS }, () => {
  test('restores the latest snapshot with bytes, directories, modes and times from every snapshot of its chain', async () => {
    const target = newTarget();
    const ended = await restore('latest', target);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toContain(`${vault.incremental.snapshot}: incremental of cluster prod`);
    expect(ended.stdout).toContain(`chain ${vault.full.snapshot} ${vault.incremental.snapshot}`);
    expect(compareTrees(vault.incremental.tree, await readTree(target), ATTRIBUTES)).toEqual([]);
  });

  test('restores an earlier snapshot by its directory, by the keys and versions that its manifests name', async () => {
    const keys: string[] = [];
    const { s3Client, vaultBucket } = vault.laptop;
    for await (const page of paginateListObjectsV2(
      { client: s3Client },
      { Bucket: vaultBucket, Prefix: `prod_system/${vault.full.snapshot}/.rewritten/` },
    )) {
      keys.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ''));
    }
    expect(keys).toEqual([expect.stringContaining(`/rank-1/${REWRITTEN_PATH}`)]);
    const target = newTarget();
    const ended = await withObject(
      `prod_system/${vault.full.snapshot}/rank-1/tom-0/t1/100%.seg`,
      () => 'written over: the manifest names the version below',
      () => restore(vault.full.snapshot, target),
    );
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(compareTrees(vault.full.tree, await readTree(target), ATTRIBUTES)).toEqual([]);
  });

  test('restores a snapshot of an S3 root, which has CRC64NVME checksums and no attributes', async () => {
    const target = newTarget();
    expect(await restore('latest', target, 'lake_system')).toMatchObject({ code: 0, stderr: '' });
    expect(compareTrees(vault.lake.tree, await readTree(target), BYTES_ONLY)).toEqual([]);
  });

  test('refuses a snapshot with a tombstone, and takes the one before it for the latest', async () => {
    const { full, incremental } = vault;
    const tombstone = catalogKey(`tombstones/${incremental.snapshot}.json`);
    const [refused, latest] = await withObject(
      tombstone,
      () => '{}',
      async () => [await restore(incremental.snapshot, newTarget()), await restore('latest', newTarget())],
    );
    expect(refused?.code).toBe(1);
    expect(refused?.stderr).toContain('has a tombstone');
    expect(latest).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`${full.snapshot}: full of cluster prod`),
    });
  });

  test('refuses a record of another format version before it writes anything', async () => {
    const target = newTarget();
    const ended = await withObject(
      catalogKey(`snapshots/${vault.full.snapshot}.json`),
      (old) => Buffer.from(old).toString().replace('"formatVersion": 1', '"formatVersion": 2'),
      () => restore(vault.full.snapshot, target),
    );
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('has format version 2, and this script knows 1');
    await expect(readdir(target)).rejects.toThrow('ENOENT');
  });

  test.each(['ranks.jsonl.gz', 'rank-1.jsonl.gz'])(
    'refuses a %s that is not the one that was committed',
    async (name) => {
      const target = newTarget();
      const ended = await withObject(
        catalogKey(`manifests/${vault.full.snapshot}/${name}`),
        (old) => Buffer.concat([old, Buffer.from([0])]),
        () => restore(vault.full.snapshot, target),
      );
      expect(ended.code).toBe(1);
      expect(ended.stderr).toContain(`${name} has the SHA-256`);
    },
  );

  test.each([
    ['another checksum', 'CRC32:AAAAAA==', /"checksum":"[^"]*"/, '"checksum":"CRC32:AAAAAA=="'],
    ['another size', 'the manifest says 1', /"sizeBytes":\d+/, '"sizeBytes":1'],
    ['a path out of the target', "the manifest has the path 'rank-0/../x'", /"path":"[^"]*"/, '"path":"../x"'],
  ])('refuses a part with %s, also where every digest is right', async (_, message, pattern, text) => {
    const { snapshot } = vault.full;
    const ranks = await forge(`manifests/${snapshot}/rank-0.jsonl.gz`, (old) => old.replace(pattern, text));
    const record = await forge(`manifests/${snapshot}/ranks.jsonl.gz`, (old) => old.replace(ranks.was, ranks.is));
    const ended = await withObject(
      catalogKey(`manifests/${snapshot}/rank-0.jsonl.gz`),
      () => ranks.bytes,
      () =>
        withObject(
          catalogKey(`manifests/${snapshot}/ranks.jsonl.gz`),
          () => record.bytes,
          () =>
            withObject(
              catalogKey(`snapshots/${snapshot}.json`),
              (old) => Buffer.from(old).toString().replace(record.was, record.is),
              () => restore(snapshot, newTarget()),
            ),
        ),
    );
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain(message);
  });

  test('refuses a target that holds anything, a snapshot that is not there, and a backup that is not there', async () => {
    const target = newTarget();
    await mkdir(target);
    await writeFile(join(target, 'mine'), '');
    expect((await restore('latest', target)).stderr).toContain('is not empty');
    expect((await restore('snapshot.2001-01-01.00-00-00', newTarget())).stderr).toContain(
      'has no snapshot snapshot.2001',
    );
    expect((await restore('latest', newTarget(), 'nobody')).stderr).toContain("backup 'nobody' has no snapshot");
  });
});

describe('the stand-in for the AWS CLI', () => {
  test.each([
    [['s3', 'ls']],
    [['s3api', 'delete-object', '--bucket', 'b', '--key', 'k']],
    [['s3api', 'get-object', '--bucket', 'b', '--key', 'k', '--range', 'bytes=0-1', '--output', 'json', 'file']],
    [['s3api', 'list-objects-v2', '--bucket', 'b', '--output', 'json']],
  ])('does not know %j', async (args) => {
    expect(await script.aws(...args)).toMatchObject({ code: 252, stdout: '' });
  });
});
