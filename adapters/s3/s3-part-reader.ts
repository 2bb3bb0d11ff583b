import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3';
import type { Checksum, ChecksumAlgorithm } from '../../core/checksum.ts';
import { SourceUnreadable, StoreUnavailable } from '../../core/errors.ts';
import type { PartReader, ReadPart } from '../../core/ports/part-reader.ts';
import type { VersionName } from '../../core/ports/vault-versions.ts';
import { startChecksum } from '../file/running-checksum.ts';
import { ownerHeaders } from './object-lock.ts';
import { byteChunks } from './read-bytes.ts';
import type { S3Bucket } from './s3-bucket.ts';
import { isAbsent, isArchived, isDeleteMarker, s3Failure } from './s3-errors.ts';

/**
 * Reads versions of the vault. Memory holds a chunk of the network's.
 *
 * Its client must not compare the bytes with the checksum that S3 keeps (`responseChecksumValidation: 'WHEN_REQUIRED'`): it would turn the
 * damage that is looked for into an error, and compute everything twice.
 *
 * Permissions: s3:GetObjectVersion; s3:GetObjectRetention, without which S3 leaves the lock's date away; s3:ListBucket and
 * s3:ListBucketVersions, without which a missing version is a 403; kms:Decrypt.
 */
export class S3PartReader implements PartReader {
  readonly #vault: S3Bucket;

  constructor(vault: S3Bucket) {
    this.#vault = vault;
  }

  async read(version: VersionName, algorithm: ChecksumAlgorithm): Promise<ReadPart | undefined> {
    const answer = await this.#open(version);
    if (answer === undefined) {
      return undefined;
    }
    const { sizeBytes, checksum } = await this.#drain(version, answer, algorithm);
    if (sizeBytes !== answer.ContentLength) {
      throw new StoreUnavailable(
        `s3://${this.#vault.bucket}/${version.key} broke off after ${sizeBytes} of ${answer.ContentLength} bytes.`,
        { hint: 'The workflow tries again; if it goes on, look at the health of S3.' },
      );
    }
    return { sizeBytes, checksum, lockedUntilEpochMillis: answer.ObjectLockRetainUntilDate?.getTime() };
  }

  async #open({ key, versionId }: VersionName): Promise<GetObjectCommandOutput | undefined> {
    const { client, bucket, expectedBucketOwner } = this.#vault;
    try {
      return await client.send(
        new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId, ...ownerHeaders(expectedBucketOwner) }),
      );
    } catch (error) {
      if (isAbsent(error) || isDeleteMarker(error)) {
        return undefined;
      }
      if (isArchived(error)) {
        throw new SourceUnreadable(`Version ${versionId} of s3://${bucket}/${key} is archived.`, {
          hint: 'Restore it from the archive class, and take the rule away that moved it there.',
          cause: error,
        });
      }
      throw s3Failure(error, { operation: 'GetObject', bucket, key });
    }
  }

  async #drain(
    { key }: VersionName,
    answer: GetObjectCommandOutput,
    algorithm: ChecksumAlgorithm,
  ): Promise<{ readonly sizeBytes: number; readonly checksum: Checksum }> {
    const running = startChecksum(algorithm);
    let sizeBytes = 0;
    try {
      for await (const chunk of byteChunks(answer.Body)) {
        running.update(chunk);
        sizeBytes += chunk.byteLength;
      }
    } catch (error) {
      throw s3Failure(error, { operation: 'Reading', bucket: this.#vault.bucket, key });
    }
    return { sizeBytes, checksum: await running.finish() };
  }
}
