import type { S3Client } from '@aws-sdk/client-s3';
import type { ClusterConfig, RootConfig } from '../../core/config/schema.ts';
import { ConfigInvalid, PartMissing } from '../../core/errors.ts';
import { chooseKagentSnapshot, type KagentChoice } from '../../core/kagent.ts';
import type { Receipt } from '../../core/part.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import type { CopyTask, PartCopier } from '../../core/ports/part-copier.ts';
import { createBufferPool, FilePartCopier } from '../file/file-part-copier.ts';
import { FileRestoreTarget } from '../file/file-restore-target.ts';
import { fileRootOf } from '../file/file-root.ts';
import { FileSourceRoot } from '../file/file-source-root.ts';
import { FileKagentStorage } from '../file/kagent-directory.ts';
import { S3KagentStorage } from '../file/kagent-prefix.ts';
import { findKagentCandidates } from '../file/kagent-storage.ts';
import type { VaultBucket } from '../s3/s3-bucket.ts';
import { S3PartCopier } from '../s3/s3-part-copier.ts';
import { ClusterSource } from './cluster-source.ts';
import { ClusterTarget } from './cluster-target.ts';
import { openS3Root } from './open-s3-root.ts';
import { S3RestoreTarget } from './s3-restore-target.ts';
import { S3SourceRoot } from './s3-source-root.ts';

export interface ClusterAccess {
  readonly client: S3Client;
  /** The clock that file times are held against. */
  readonly clock: Clock;
}

/** Name of the root that stands for one of KAgent's directories. */
const KAGENT_ROOT = 'kagent';

/** The roots that a snapshot reads or a restore writes: the cluster's own, or one of KAgent's directories. */
export function rootsOf(
  clusterName: string,
  cluster: ClusterConfig,
  kagentDirectory: string | undefined,
): readonly RootConfig[] {
  if (cluster.source.kind === 'files') {
    return cluster.roots;
  }
  if (kagentDirectory === undefined) {
    throw new ConfigInvalid(`No KAgent directory was chosen for cluster '${clusterName}'.`, {
      hint: 'Start the execution again.',
    });
  }
  const { path, clusterName: kagentName, pattern, exclude } = cluster.source;
  const url = `${path.replace(/\/+$/, '')}/${kagentName ?? clusterName}/${kagentDirectory}`;
  return [{ name: KAGENT_ROOT, url, pattern, exclude }];
}

export function openSource(access: ClusterAccess, roots: readonly RootConfig[]): ClusterSource {
  return new ClusterSource(
    roots.map((root) =>
      isOnS3(root)
        ? new S3SourceRoot(openS3Root(root, access.client))
        : new FileSourceRoot(fileRootOf(root), access.clock),
    ),
  );
}

/** @param options.madeByRestore true for a directory of KAgent's, which is not there before it is restored */
export function openTarget(
  access: ClusterAccess,
  roots: readonly RootConfig[],
  options: { readonly madeByRestore: boolean },
): ClusterTarget {
  const vault = { client: access.client };
  return new ClusterTarget(
    roots.map((root) =>
      isOnS3(root)
        ? new S3RestoreTarget(openS3Root(root, access.client))
        : new FileRestoreTarget({ root: fileRootOf(root, options), clock: access.clock, vault }),
    ),
  );
}

/** One copier for parts of all roots. */
export function openCopier(
  access: ClusterAccess,
  roots: readonly RootConfig[],
  stores: { readonly vault: VaultBucket; readonly work: ObjectStore },
): PartCopier {
  const onS3 = roots.filter(isOnS3).map((root) => openS3Root(root, access.client));
  const pool = createBufferPool();
  const s3Copier = new S3PartCopier({ ...stores, roots: onS3 });
  const copiers = new Map<string, PartCopier>(
    roots.map((root) => [
      root.name,
      isOnS3(root) ? s3Copier : new FilePartCopier({ ...stores, root: fileRootOf(root), pool }),
    ]),
  );
  return { copy: (task) => copierOf(copiers, task) };
}

async function copierOf(copiers: ReadonlyMap<string, PartCopier>, task: CopyTask): Promise<Receipt | undefined> {
  const copier = copiers.get(task.part.root);
  if (copier === undefined) {
    throw new PartMissing(
      `${task.part.path} was listed in root '${task.part.root}', which the cluster does not have.`,
      {
        hint: 'Start the snapshot again.',
      },
    );
  }
  return copier.copy(task);
}

/** Looks for the KAgent directory to vault. @throws ConfigInvalid when the source is not KAgent's */
export async function chooseKagentDirectory(
  access: ClusterAccess,
  question: {
    readonly clusterName: string;
    readonly cluster: ClusterConfig;
    readonly newestVaulted: string | undefined;
  },
): Promise<KagentChoice> {
  const { source } = question.cluster;
  if (source.kind !== 'kagent') {
    throw new ConfigInvalid(`Cluster '${question.clusterName}' has no KAgent source.`, {
      hint: 'Start the execution again.',
    });
  }
  const clusterName = source.clusterName ?? question.clusterName;
  const storage = source.path.startsWith('s3://')
    ? new S3KagentStorage({ client: access.client, url: source.path, clusterName })
    : new FileKagentStorage({ url: source.path, clusterName, exclude: source.exclude });
  const vaulted = new Set(question.newestVaulted === undefined ? [] : [question.newestVaulted]);
  const candidates = await findKagentCandidates(storage, vaulted);
  return chooseKagentSnapshot(candidates, access.clock.nowEpochMillis(), source.settleMinutes, vaulted);
}

function isOnS3(root: RootConfig): boolean {
  return root.url.startsWith('s3://');
}
