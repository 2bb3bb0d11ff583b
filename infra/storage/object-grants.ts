import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';

/** What writing an object takes; one that is streamed becomes a multipart upload, which is given up when it fails. */
export const OBJECT_WRITES = ['s3:PutObject', 's3:AbortMultipartUpload'] as const;

/** What writing a part takes: as above, and listing what an upload has when it is resumed. */
export const PART_WRITES = [...OBJECT_WRITES, 's3:ListMultipartUploadParts'] as const;

/** What moving an object aside takes beside, so that it keeps its tags. */
export const TAG_KEEPING = ['s3:GetObjectTagging', 's3:GetObjectVersionTagging', 's3:PutObjectTagging'] as const;

/**
 * Without a condition on `s3:prefix`: S3 answers 403 instead of 404 for a missing key to a caller that may not list the bucket, and
 * a GET or HEAD carries no prefix that a condition could match. "There is none" would read as "access denied".
 */
export function grantListing(grantee: iam.IGrantable, bucketArn: string): void {
  addStatement(grantee, ['s3:ListBucket'], [bucketArn]);
}

/** Current and named versions: a source is pinned, and a manifest names the version of its bytes. */
export function grantReads(grantee: iam.IGrantable, objectArns: readonly string[]): void {
  addStatement(grantee, ['s3:GetObject', 's3:GetObjectVersion'], objectArns);
}

/** S3 decrypts also while writing, for the parts of a multipart upload (KMS guide, S3 with multipart uploads). */
export function grantKeys(grantee: iam.IGrantable, key: kms.IKey, purpose: 'read' | 'write'): void {
  key.grant(grantee, ...(purpose === 'read' ? ['kms:Decrypt'] : ['kms:Decrypt', 'kms:GenerateDataKey']));
}

export function addStatement(
  grantee: iam.IGrantable,
  actions: readonly string[],
  resources: readonly string[],
  conditions?: Record<string, Record<string, string | readonly string[]>>,
): void {
  grantee.grantPrincipal.addToPrincipalPolicy(
    new iam.PolicyStatement({
      actions: [...actions],
      resources: [...resources],
      ...(conditions === undefined ? {} : { conditions }),
    }),
  );
}
