import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { CatalogCorrupt, SourceUnreadable, VaultPartMissing } from '../../core/errors.ts';
import type { Receipt, StoredBytes } from '../../core/part.ts';
import type { CopyTask, PartCopier } from '../../core/ports/part-copier.ts';
import { partKey } from '../../core/vault-layout.ts';
import { ownerHeaders } from './object-lock.ts';
import { copyIntoVault, type PinnedCopyOptions, type PinnedSource } from './pinned-copy.ts';
import type { VaultBucket } from './s3-bucket.ts';
import { isAbsent, isArchived, isDeleteMarker } from './s3-errors.ts';

/**
 * Copies parts that the vault has already into another directory of it, inside S3. Exactly the recorded version is read, and the copy has
 * the recorded checksum, computed by S3 from the bytes that it copied.
 *
 * Permissions besides those of `S3PartCopier`: s3:GetObjectVersion on the vault's own objects.
 */
export class VaultPartCopier implements PartCopier {
  readonly #options: PinnedCopyOptions;

  constructor(options: PinnedCopyOptions) {
    this.#options = options;
  }

  /** @throws VaultPartMissing, ChecksumMismatch, SourceUnreadable (archived), VaultKeyTaken, StoreUnavailable */
  async copy(task: CopyTask): Promise<Receipt | undefined> {
    const { stored } = task;
    if (stored === undefined) {
      throw new CatalogCorrupt(`The copy of ${JSON.stringify(task.part.path)} does not say where the vault has it.`, {
        hint: 'Start the merge again.',
      });
    }
    const source = storedSource(this.#options.vault, task, stored);
    return copyIntoVault(this.#options, { task, source, expected: stored.checksum });
  }
}

function storedSource(vault: VaultBucket, task: CopyTask, stored: StoredBytes): PinnedSource {
  const { bucket, expectedBucketOwner } = vault;
  const key = stored.key ?? partKey(task.backup, stored.in, task.rank, task.part.path);
  const { versionId } = stored;
  const failure = (error: unknown): unknown => storedFailure(`Version ${versionId} of s3://${bucket}/${key}`, error);
  return {
    copySource: { bucket, key, versionId, ...(expectedBucketOwner === undefined ? {} : { expectedBucketOwner }) },
    failure,
    rangeFailure: failure,
    assertUnchanged: async () => {
      const head = { Bucket: bucket, Key: key, VersionId: versionId, ...ownerHeaders(expectedBucketOwner) };
      await vault.client.send(new HeadObjectCommand(head)).catch((error: unknown) => {
        throw failure(error);
      });
    },
  };
}

function storedFailure(what: string, error: unknown): unknown {
  if (isAbsent(error) || isDeleteMarker(error)) {
    return new VaultPartMissing(`${what} is gone.`, {
      hint: 'Run a verification, and merge a chain that does not need it: the vault lost bytes that its catalog names.',
      cause: error,
    });
  }
  if (isArchived(error)) {
    return new SourceUnreadable(`${what} is archived.`, {
      hint: 'Restore it from the archive class, and take the rule away that moved it there.',
      cause: error,
    });
  }
  return error;
}
