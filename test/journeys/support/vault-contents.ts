import { gunzipSync } from 'node:zlib';
import { GetObjectCommand, ListObjectVersionsCommand, type ListObjectVersionsCommandOutput } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import * as z from 'zod/mini';
import type { Laptop } from '../../../local/laptop/laptop.ts';

/** What is in the vault, read as docs/FORMAT.md says and without any code of Rankvault. */

export interface Stored {
  readonly key: string;
  readonly versionId: string;
  readonly marker: boolean;
  readonly latest: boolean;
}

/** A line of a manifest that is a part. */
export interface Named {
  readonly rank: string;
  readonly path: string;
  /** The directory that has the bytes. */
  readonly directory: string;
  readonly key: string;
  readonly versionId: string;
  readonly sizeBytes: number;
}

const CATALOG = '.rankvault/catalog/';
const lineSchema = z.looseObject({
  path: z.string(),
  directory: z.optional(z.boolean()),
  in: z.optional(z.string()),
  key: z.optional(z.string()),
  versionId: z.optional(z.string()),
  sizeBytes: z.optional(z.number()),
});

/** Every version and delete marker below a prefix, by key. */
export async function storedBelow(laptop: Laptop, prefix: string): Promise<Stored[]> {
  const found: Stored[] = [];
  let next: Pick<ListObjectVersionsCommandOutput, 'NextKeyMarker' | 'NextVersionIdMarker'> = {};
  do {
    const page: ListObjectVersionsCommandOutput = await laptop.s3Client.send(
      new ListObjectVersionsCommand({
        Bucket: laptop.vaultBucket,
        Prefix: prefix,
        KeyMarker: next.NextKeyMarker,
        VersionIdMarker: next.NextVersionIdMarker,
      }),
    );
    for (const [entries, marker] of [[page.Versions, false] as const, [page.DeleteMarkers, true] as const]) {
      for (const { Key = '', VersionId = '', IsLatest = false } of entries ?? []) {
        found.push({ key: Key, versionId: VersionId, marker, latest: IsLatest });
      }
    }
    next = page;
  } while (next.NextKeyMarker !== undefined);
  return found.sort((left, right) => (left.key < right.key ? -1 : 1));
}

/** Bytes of the backup's parts and everything of its catalog, as it is stored: equal before and after what changes nothing. */
export async function wholeVaultOf(laptop: Laptop, backup: string): Promise<Stored[]> {
  return [...(await storedBelow(laptop, `${backup}/`)), ...(await storedBelow(laptop, `${CATALOG}${backup}/`))];
}

/** Every part that the manifests of a snapshot name. */
export async function namedBy(laptop: Laptop, backup: string, snapshot: string): Promise<Named[]> {
  const prefix = `${CATALOG}${backup}/manifests/${snapshot}/`;
  const named: Named[] = [];
  for (const { key, marker, latest } of await storedBelow(laptop, prefix)) {
    if (latest && !marker && !key.endsWith('/ranks.jsonl.gz')) {
      const rank = key.slice(prefix.length, -'.jsonl.gz'.length);
      named.push(...(await readManifest(laptop, key)).map((line) => toNamed(line, { backup, rank })));
    }
  }
  return named;
}

type Line = z.infer<typeof lineSchema>;

async function readManifest({ s3Client, vaultBucket }: Laptop, key: string): Promise<Line[]> {
  const { Body } = await s3Client.send(new GetObjectCommand({ Bucket: vaultBucket, Key: key }));
  const text = gunzipSync((await Body?.transformToByteArray()) ?? '').toString();
  const [, ...lines] = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => lineSchema.parse(JSON.parse(line))).filter(({ directory }) => directory !== true);
}

function toNamed(line: Line, { backup, rank }: { readonly backup: string; readonly rank: string }): Named {
  const { path, in: directory = '', versionId = '', sizeBytes = 0 } = line;
  return { rank, path, directory, key: line.key ?? `${backup}/${directory}/${rank}/${path}`, versionId, sizeBytes };
}

/** Nothing that a visible snapshot names is missing: the promise that deleting must never break. */
export async function expectNothingLost(laptop: Laptop, backup: string, visible: readonly string[]): Promise<void> {
  const there = new Set((await storedBelow(laptop, `${backup}/`)).map(nameOf));
  for (const snapshot of visible) {
    const missing = (await namedBy(laptop, backup, snapshot)).filter((part) => !there.has(nameOf(part)));
    expect({ snapshot, missing }).toEqual({ snapshot, missing: [] });
  }
}

/**
 * Every byte is named by a kept snapshot, and of the others nothing is left but tombstones: what collecting is for. A delete marker over
 * a part that is named has no bytes, and is for `repair` to judge.
 */
export async function expectNothingLeftOver(laptop: Laptop, backup: string, kept: readonly string[]): Promise<void> {
  const [named, keys] = [new Set<string>(), new Set<string>()];
  for (const snapshot of kept) {
    for (const part of await namedBy(laptop, backup, snapshot)) {
      named.add(nameOf(part));
      keys.add(part.key);
    }
  }
  const stored = await storedBelow(laptop, `${backup}/`);
  const unnamed = stored.filter((each) => !(named.has(nameOf(each)) || (each.marker && keys.has(each.key))));
  expect(unnamed).toEqual([]);
  expect(await namesInCatalog(laptop, backup)).toEqual([...kept].sort());
}

/** Directories that have a record, a manifest or an attempt, under a delete marker or not. */
export async function namesInCatalog(laptop: Laptop, backup: string): Promise<string[]> {
  const names = new Set<string>();
  for (const kind of ['attempts', 'manifests', 'snapshots']) {
    const prefix = `${CATALOG}${backup}/${kind}/`;
    for (const { key } of await storedBelow(laptop, prefix)) {
      names.add(key.slice(prefix.length).replace(/(\.json|\/.*)$/, ''));
    }
  }
  return [...names].sort();
}

export function nameOf({ key, versionId }: { readonly key: string; readonly versionId: string }): string {
  return `${key}@${versionId}`;
}
