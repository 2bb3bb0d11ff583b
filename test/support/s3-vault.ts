import { DeleteObjectCommand, PutObjectCommand, type S3Client, StorageClass } from '@aws-sdk/client-s3';
import type { VersionName } from '../../core/ports/vault-versions.ts';
import type { PutOptions } from '../contracts/vault-versions.contract.ts';

/** Puts a new version, locked or of another class as a writer would ask for. */
export async function putS3Version(
  client: S3Client,
  at: { readonly bucket: string; readonly key: string },
  bytes: Uint8Array,
  { lockedUntilEpochMillis: until, storageClass }: PutOptions = {},
): Promise<VersionName> {
  const lock = { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: new Date(until ?? 0) } as const;
  const wanted = Object.values(StorageClass).find((each) => each === storageClass);
  const output = await client.send(
    new PutObjectCommand({
      Bucket: at.bucket,
      Key: at.key,
      Body: bytes,
      ChecksumAlgorithm: 'CRC32',
      ...(until === undefined ? {} : lock),
      ...(wanted === undefined ? {} : { StorageClass: wanted }),
    }),
  );
  return { key: at.key, versionId: output.VersionId ?? '' };
}

/** Puts a delete marker over the key. @returns the marker */
export async function hideS3(
  client: S3Client,
  at: { readonly bucket: string; readonly key: string },
): Promise<VersionName> {
  const output = await client.send(new DeleteObjectCommand({ Bucket: at.bucket, Key: at.key }));
  return { key: at.key, versionId: output.VersionId ?? '' };
}
