import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Laptop } from '../../../local/laptop/laptop.ts';

/** Harm that somebody with rights in the vault can do by ordinary requests; what only a disk can do is in local/s3/control/damage.ts. */

export async function deleteObject({ s3Client, vaultBucket }: Laptop, key: string): Promise<void> {
  await s3Client.send(new DeleteObjectCommand({ Bucket: vaultBucket, Key: key }));
}

export async function putObject({ s3Client, vaultBucket }: Laptop, key: string, body: string | Buffer): Promise<void> {
  await s3Client.send(new PutObjectCommand({ Bucket: vaultBucket, Key: key, Body: body }));
}

async function getObject({ s3Client, vaultBucket }: Laptop, key: string): Promise<Buffer> {
  const { Body } = await s3Client.send(new GetObjectCommand({ Bucket: vaultBucket, Key: key }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

/** Changes the manifest of a rank and every digest up to the record: only what the lines say is wrong then. */
export async function forgeManifest(
  laptop: Laptop,
  of: { readonly backup: string; readonly snapshot: string; readonly rank: string },
  change: (text: string) => string,
): Promise<void> {
  const catalog = `.rankvault/catalog/${of.backup}`;
  const manifests = `${catalog}/manifests/${of.snapshot}`;
  const manifest = await forge(laptop, `${manifests}/${of.rank}.jsonl.gz`, change);
  const ranks = await forge(laptop, `${manifests}/ranks.jsonl.gz`, (text) => text.replace(manifest.was, manifest.is));
  const record = `${catalog}/snapshots/${of.snapshot}.json`;
  await putObject(laptop, record, String(await getObject(laptop, record)).replace(ranks.was, ranks.is));
}

async function forge(laptop: Laptop, key: string, change: (text: string) => string) {
  const old = await getObject(laptop, key);
  const bytes = gzipSync(change(gunzipSync(old).toString()));
  await putObject(laptop, key, bytes);
  return { was: sha256(old), is: sha256(bytes) };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Lines of the findings that a verification has written down. */
export async function findingsOf(laptop: Laptop, backup: string, verification: string): Promise<unknown[]> {
  const packed = await getObject(laptop, `.rankvault/catalog/${backup}/findings/${verification}.jsonl.gz`);
  const [, ...lines] = gunzipSync(packed).toString().trim().split('\n');
  return lines.map((line): unknown => JSON.parse(line));
}
