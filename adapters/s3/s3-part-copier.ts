import { ConfigInvalid } from '../../core/errors.ts';
import type { Receipt } from '../../core/part.ts';
import type { CopyTask, PartCopier } from '../../core/ports/part-copier.ts';
import { s3PinOf } from '../../core/source-token.ts';
import { keyInRoot, type S3RootLocation } from '../roots/s3-root-location.ts';
import type { CopySource } from './copy-source.ts';
import { assertUnchanged, type PartSource, rangeFailure, sourceFailure } from './part-source.ts';
import { copyIntoVault, type PinnedCopyOptions } from './pinned-copy.ts';

export interface S3PartCopierOptions extends PinnedCopyOptions {
  readonly roots: readonly S3RootLocation[];
}

/** Copies parts from S3 roots into the vault inside S3: no byte passes through here. */
export class S3PartCopier implements PartCopier {
  readonly #options: S3PartCopierOptions;

  constructor(options: S3PartCopierOptions) {
    this.#options = options;
  }

  async copy(task: CopyTask): Promise<Receipt | undefined> {
    const source = this.#sourceOf(task);
    return copyIntoVault(this.#options, {
      task,
      source: {
        copySource: copySource(source),
        failure: (error) => sourceFailure(source, error),
        rangeFailure: (error) => rangeFailure(source, error),
        assertUnchanged: async () => assertUnchanged(source),
      },
    });
  }

  #sourceOf(task: CopyTask): PartSource {
    const { part, rank } = task;
    const root = this.#options.roots.find(({ name }) => name === part.root);
    const pin = s3PinOf(part.token);
    if (root === undefined || pin === undefined) {
      throw new ConfigInvalid(
        `${JSON.stringify(part.path)} is of root ${part.root}, which is no S3 root of this run.`,
        {
          hint: 'Do not change the roots of a cluster while a run of it is under way; take a new snapshot.',
        },
      );
    }
    return { ...root, key: keyInRoot(root, rank, part.path), ...pin };
  }
}

function copySource(source: PartSource): CopySource {
  return {
    bucket: source.bucket,
    key: source.key,
    etag: source.etag,
    ...(source.versionId === undefined ? {} : { versionId: source.versionId }),
    ...(source.expectedBucketOwner === undefined ? {} : { expectedBucketOwner: source.expectedBucketOwner }),
  };
}
