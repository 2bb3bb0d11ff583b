import { DeleteObjectsCommand, type ObjectIdentifier } from '@aws-sdk/client-s3';
import { listPages } from './key-listing.ts';
import { ownerHeaders } from './object-lock.ts';
import type { S3Bucket } from './s3-bucket.ts';
import { S3RequestFailed, s3Failure } from './s3-errors.ts';

/**
 * Deletes every object below a prefix, a page of 1,000 a request. For roots: in the vault a delete without a version only hides.
 * @throws S3RequestFailed naming the first object that S3 would not delete
 */
export async function deletePrefix(bucket: S3Bucket, prefix: string): Promise<void> {
  for await (const page of listPages(bucket, { prefix, startAfter: undefined })) {
    const objects = page.flatMap((unit) => (unit.kind === 'object' ? [{ Key: unit.object.key }] : []));
    if (objects.length > 0) {
      await deleteObjects(bucket, objects);
    }
  }
}

async function deleteObjects(bucket: S3Bucket, objects: ObjectIdentifier[]): Promise<void> {
  const { client, bucket: name, expectedBucketOwner } = bucket;
  try {
    const output = await client.send(
      new DeleteObjectsCommand({
        Bucket: name,
        Delete: { Objects: objects, Quiet: true },
        ...ownerHeaders(expectedBucketOwner),
      }),
    );
    const [first] = output.Errors ?? [];
    if (first !== undefined) {
      throw new S3RequestFailed(`s3://${name}/${first.Key} could not be deleted: ${first.Code} ${first.Message}.`, {
        hint: 'Allow s3:DeleteObject to the role, or delete the object by hand.',
      });
    }
  } catch (error) {
    throw s3Failure(error, { operation: 'DeleteObjects', bucket: name, key: objects[0]?.Key ?? '' });
  }
}
