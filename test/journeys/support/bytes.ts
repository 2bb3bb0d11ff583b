import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';

/** Paths and bytes of a cluster's files, nothing else: what the oracle keeps and compares. */
export type Files = ReadonlyMap<string, Buffer>;

/** Rankvault's own files at the top of a root are not the cluster's. */
const OWN = '.rankvault';

export function filesBelow(directory: string): Files {
  const files = new Map<string, Buffer>();
  for (const path of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!path.startsWith(OWN) && lstatSync(join(directory, path)).isFile()) {
      files.set(path, readFileSync(join(directory, path)));
    }
  }
  return files;
}

export async function objectsBelow(client: S3Client, bucket: string, prefix: string): Promise<Files> {
  const files = new Map<string, Buffer>();
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
    for (const { Key = '' } of page.Contents ?? []) {
      const path = Key.slice(prefix.length);
      if (!path.startsWith(OWN)) {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
        files.set(path, Buffer.from((await Body?.transformToByteArray()) ?? []));
      }
    }
  }
  return files;
}

/** What is different, a line for each path; empty when every byte is the same. */
export function differences(there: Files, here: Files): string[] {
  const paths = [...new Set([...there.keys(), ...here.keys()])].sort();
  return paths.flatMap((path) => {
    const [left, right] = [there.get(path), here.get(path)];
    if (left === undefined || right === undefined) {
      return [`${path}: ${left === undefined ? 'not of that moment' : 'missing'}`];
    }
    return left.equals(right) ? [] : [`${path}: ${left.length} bytes then, ${right.length} other bytes now`];
  });
}
