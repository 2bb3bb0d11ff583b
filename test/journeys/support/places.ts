import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { DeleteObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { readS3Tree, readTree, type TreeEntry } from '../../../local/samples/compare-trees.ts';
import { createDirectoryTree } from '../../../local/samples/directory-tree.ts';
import { createS3Tree } from '../../../local/samples/s3-tree.ts';
import type { SampleTree } from '../../../local/samples/sample-file.ts';
import { type Files, filesBelow, objectsBelow } from './bytes.ts';

/** Where a journey's cluster keeps its files, and how to look at them without Rankvault. */
export interface Place {
  readonly kind: 'files' | 's3';
  /** Its name in the configuration. */
  readonly cluster: string;
  /** The backup of this cluster in the configuration. */
  readonly backup: string;
  readonly tree: SampleTree;
  /** Everything that belongs to the cluster, byte for byte. */
  readonly read: () => Promise<TreeEntry[]>;
  /** The files alone, with their bytes in memory. */
  readonly files: () => Promise<Files>;
  /** What a restore moved aside under this label, with the paths that it had. */
  readonly readAside: (label: string) => Promise<TreeEntry[]>;
  /** Rankvault's own files in the root: the marker, and what was moved aside. */
  readonly readOwn: () => Promise<string[]>;
  /** Empties it, Rankvault's files included. */
  readonly wipe: () => Promise<void>;
}

/** A cluster in a directory also tells where that is. */
export interface FilePlace extends Place {
  readonly kind: 'files';
  readonly directory: string;
}

export interface S3Place extends Place {
  readonly kind: 's3';
  readonly bucket: string;
  readonly prefix: string;
}

export function filePlace(cluster: string, directory: string): FilePlace {
  const wipe = async () => {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
  };
  mkdirSync(directory, { recursive: true });
  return {
    kind: 'files',
    cluster,
    backup: backupOf(cluster),
    directory,
    tree: createDirectoryTree({ directory }),
    read: () => readTree(directory),
    files: () => Promise.resolve(filesBelow(directory)),
    readAside: (label) => readTree(`${directory}/.rankvault-aside/${label}`),
    readOwn: () => Promise.resolve(ownFiles(directory)),
    wipe,
  };
}

export function s3Place(cluster: string, client: S3Client, bucket: string): S3Place {
  const prefix = `${cluster}/`;
  const keys = async (below: string) => {
    const found: string[] = [];
    for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: below })) {
      found.push(...(page.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key])));
    }
    return found;
  };
  return {
    kind: 's3',
    cluster,
    backup: backupOf(cluster),
    bucket,
    prefix,
    tree: createS3Tree({ client, bucket, prefix }),
    read: () => readS3Tree(client, bucket, prefix),
    files: () => objectsBelow(client, bucket, prefix),
    readAside: (label) => readS3Tree(client, bucket, `${prefix}.rankvault-aside/${label}/`),
    readOwn: async () => (await keys(`${prefix}.rankvault`)).map((key) => key.slice(prefix.length)),
    wipe: async () => {
      for (const Key of await keys(prefix)) {
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
      }
    },
  };
}

export function backupOf(cluster: string): string {
  return `${cluster}_backup`;
}

function ownFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.startsWith('.rankvault') && statSync(`${directory}/${path}`).isFile())
    .sort();
}
