import { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { VaultPartMissing } from '../../core/errors.ts';
import type { VaultSource } from '../../core/ports/restore-target.ts';
import { ownerHeaders } from '../s3/object-lock.ts';
import type { S3Bucket } from '../s3/s3-bucket.ts';
import { isAbsent, s3Failure } from '../s3/s3-errors.ts';

/**
 * The bytes of exactly one version of a vault object, as they arrive.
 * @throws VaultPartMissing, StoreUnavailable, ChecksumMismatch, also while the stream is read
 */
export async function* readVaultPart(
  access: Pick<S3Bucket, 'client' | 'expectedBucketOwner'>,
  source: VaultSource,
): AsyncGenerator<Uint8Array> {
  const { bucket, key, versionId } = source;
  try {
    const answer = await access.client.send(
      new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        VersionId: versionId,
        ...ownerHeaders(access.expectedBucketOwner),
      }),
    );
    if (answer.Body instanceof Readable) {
      for await (const chunk of answer.Body) {
        if (chunk instanceof Uint8Array) {
          yield chunk;
        }
      }
    }
  } catch (error) {
    throw isAbsent(error) ? missing(source, error) : s3Failure(error, { operation: 'GetObject', bucket, key });
  }
}

function missing({ bucket, key, versionId }: VaultSource, cause: unknown): VaultPartMissing {
  return new VaultPartMissing(`s3://${bucket}/${key} has no version ${versionId}.`, {
    hint: 'Run a verification of the snapshot, and restore another one: the vault lost bytes that its catalog names.',
    cause,
  });
}
