import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';

/** Bytes of an object's version; undefined when there is none. */
export async function s3Bytes(
  client: S3Client,
  at: { readonly bucket: string; readonly key: string; readonly versionId?: string },
): Promise<Uint8Array | undefined> {
  try {
    const output = await client.send(
      new GetObjectCommand({
        Bucket: at.bucket,
        Key: at.key,
        ...(at.versionId === undefined ? {} : { VersionId: at.versionId }),
      }),
    );
    return await output.Body?.transformToByteArray();
  } catch (error) {
    if (error instanceof Error && (error.name === 'NoSuchKey' || error.name === 'NoSuchVersion')) {
      return undefined;
    }
    throw error;
  }
}

/** Puts an object and gives the version that S3 made of it. */
export async function putS3(
  client: S3Client,
  at: { readonly bucket: string; readonly key: string },
  body: Uint8Array | string,
): Promise<{ readonly etag: string; readonly versionId: string }> {
  const output = await client.send(new PutObjectCommand({ Bucket: at.bucket, Key: at.key, Body: body }));
  return { etag: output.ETag ?? '', versionId: output.VersionId ?? '' };
}
