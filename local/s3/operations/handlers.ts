import type { Handler } from '../protocol/exchange.ts';
import type { Operation } from '../protocol/operations.ts';
import * as buckets from './buckets.ts';
import { completeMultipartUpload } from './complete-upload.ts';
import { copyObject } from './copy-object.ts';
import { deleteObject, deleteObjects } from './delete-object.ts';
import { getObject, headObject } from './get-object.ts';
import { listObjects } from './list-objects.ts';
import { listObjectVersions } from './list-versions.ts';
import * as locks from './object-lock.ts';
import { uploadPart, uploadPartCopy } from './parts.ts';
import { putObject } from './put-object.ts';
import * as uploads from './uploads.ts';

/** What carries out each operation. */
export const handlers: Readonly<Record<Operation, Handler>> = {
  ListBuckets: buckets.listBuckets,
  CreateBucket: buckets.createBucket,
  HeadBucket: buckets.headBucket,
  DeleteBucket: buckets.deleteBucket,
  GetBucketVersioning: buckets.getBucketVersioning,
  PutBucketVersioning: buckets.putBucketVersioning,
  GetObjectLockConfiguration: buckets.getObjectLockConfiguration,
  PutObjectLockConfiguration: buckets.putObjectLockConfiguration,
  ListObjectsV2: listObjects,
  ListObjectVersions: listObjectVersions,
  ListMultipartUploads: uploads.listMultipartUploads,
  DeleteObjects: deleteObjects,
  PutObject: putObject,
  CopyObject: copyObject,
  GetObject: getObject,
  HeadObject: headObject,
  DeleteObject: deleteObject,
  CreateMultipartUpload: uploads.createMultipartUpload,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
  ListParts: uploads.listParts,
  CompleteMultipartUpload: completeMultipartUpload,
  AbortMultipartUpload: uploads.abortMultipartUpload,
  GetObjectRetention: locks.getObjectRetention,
  PutObjectRetention: locks.putObjectRetention,
  GetObjectLegalHold: locks.getObjectLegalHold,
  PutObjectLegalHold: locks.putObjectLegalHold,
};
