import type { Stack } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import { asideDirectory, MARKER_NAME } from '../../adapters/roots/restore-marker.ts';
import { parseRootUrl } from '../../core/config/root-url.ts';
import type { ClusterConfig } from '../../core/config/schema.ts';
import { addStatement, grantListing, grantReads, PART_WRITES, TAG_KEEPING } from '../storage/object-grants.ts';

interface S3Place {
  readonly bucketArn: string;
  /** `''` or ends in `/`. */
  readonly prefix: string;
  readonly kmsKeyArn: string | undefined;
}

/** The s3:// places of the clusters of a site. Places on a mount are reached by the file system's own permissions. */
export class SiteRoots {
  /** What snapshots read: roots, and the backup paths of KAgent. */
  readonly #sources: readonly S3Place[];
  /** What restores write: roots, and the clusters' directories below the backup paths of KAgent. */
  readonly #targets: readonly S3Place[];

  constructor(stack: Stack, clusters: readonly ClusterConfig[]) {
    const place = (url: string, kmsKeyArn: string | undefined): readonly S3Place[] => {
      const at = parseRootUrl(url);
      return at?.kind === 's3'
        ? [{ bucketArn: `arn:${stack.partition}:s3:::${at.bucket}`, prefix: at.prefix, kmsKeyArn }]
        : [];
    };
    const roots = clusters.flatMap((cluster) => cluster.roots.flatMap((root) => place(root.url, root.kmsKeyArn)));
    const kagent = clusters.flatMap(({ source }) =>
      source.kind === 'kagent' ? place(source.path, source.kmsKeyArn) : [],
    );
    this.#sources = [...roots, ...kagent];
    this.#targets = [...roots, ...kagent.map((path) => ({ ...path, prefix: `${path.prefix}*/snapshot.*/` }))];
  }

  /** Names only, and the marker of an unfinished restore. */
  grantList(grantee: iam.IGrantable): void {
    for (const source of this.#sources) {
      grantListing(grantee, source.bucketArn);
    }
    // The marker lies where restores write: S3 answers 403, not 404, to a HEAD of a key that may not be read.
    for (const target of this.#targets) {
      grantReads(grantee, [objectArn(target, MARKER_NAME)]);
    }
    this.#grantDecrypt(grantee, this.#sources);
  }

  grantRead(grantee: iam.IGrantable): void {
    for (const source of this.#sources) {
      grantListing(grantee, source.bucketArn);
      grantReads(grantee, [objectArn(source, '*')]);
    }
    this.#grantDecrypt(grantee, this.#sources);
  }

  /** The marker of a restore, and removing what the restore moved aside. */
  grantMark(grantee: iam.IGrantable): void {
    this.#grantWrites(grantee, ['s3:PutObject', 's3:DeleteObject'], MARKER_NAME);
    for (const target of this.#targets) {
      addStatement(grantee, ['s3:DeleteObject'], [objectArn(target, `${asideDirectory('*')}*`)]);
    }
  }

  /** Everything below the targets: a restore puts, moves aside and removes. */
  grantReplace(grantee: iam.IGrantable): void {
    this.#grantWrites(grantee, [...PART_WRITES, ...TAG_KEEPING, 's3:DeleteObject'], '*');
    for (const target of this.#targets) {
      // A large part whose copy was cut short goes on with the upload that is found here.
      addStatement(grantee, ['s3:ListBucketMultipartUploads'], [target.bucketArn]);
    }
  }

  #grantWrites(grantee: iam.IGrantable, actions: readonly string[], name: string): void {
    for (const target of this.#targets) {
      grantListing(grantee, target.bucketArn);
      grantReads(grantee, [objectArn(target, name)]);
      addStatement(grantee, actions, [objectArn(target, name)]);
    }
    this.#grantDecrypt(grantee, this.#targets, ['kms:GenerateDataKey']);
  }

  #grantDecrypt(grantee: iam.IGrantable, places: readonly S3Place[], more: readonly string[] = []): void {
    const keys = new Set(places.flatMap(({ kmsKeyArn }) => kmsKeyArn ?? []));
    if (keys.size > 0) {
      addStatement(grantee, ['kms:Decrypt', ...more], [...keys]);
    }
  }
}

function objectArn(place: S3Place, name: string): string {
  return `${place.bucketArn}/${place.prefix}${name}`;
}
