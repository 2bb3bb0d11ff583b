import * as z from 'zod/mini';
import { type Context, headerOf, type Reply, type S3Request, xmlReply } from '../protocol/exchange.ts';
import { receiveDocument } from '../protocol/receive.ts';
import { notImplemented, S3Error } from '../protocol/s3-error.ts';
import { listedDate } from '../protocol/times.ts';
import { element, parseXml, xmlDeclaration, xmlNamespace } from '../protocol/xml.ts';
import { accountId } from './owner.ts';

const versioningBody = z.object({
  VersioningConfiguration: z.object({
    Status: z.optional(z.enum(['Enabled', 'Suspended'])),
    MfaDelete: z.optional(z.string()),
  }),
});

const lockBody = z.object({
  ObjectLockConfiguration: z.object({ ObjectLockEnabled: z.optional(z.string()), Rule: z.optional(z.unknown()) }),
});

export function listBuckets(_request: S3Request, { store }: Context): Reply {
  const buckets = store.buckets
    .list()
    .map(
      ({ name, createdEpochMillis }) =>
        `<Bucket>${element('Name', name)}${element('CreationDate', listedDate(createdEpochMillis))}</Bucket>`,
    )
    .join('');
  const owner = `<Owner>${element('ID', accountId)}</Owner>`;
  return xmlReply(
    `${xmlDeclaration}<ListAllMyBucketsResult ${xmlNamespace}>${owner}<Buckets>${buckets}</Buckets></ListAllMyBucketsResult>`,
  );
}

export async function createBucket(request: S3Request, { store, clock }: Context): Promise<Reply> {
  // The body only names a region, and there is one.
  if (request.headers['content-length'] !== undefined) await receiveDocument(request);
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(request.bucket)) {
    throw new S3Error('InvalidBucketName', 'The specified bucket is not valid.');
  }
  const objectLock = headerOf(request, 'x-amz-bucket-object-lock-enabled')?.toLowerCase() === 'true';
  store.buckets.create({
    name: request.bucket,
    createdEpochMillis: clock(),
    versioning: objectLock ? 'Enabled' : '',
    objectLock,
  });
  return { status: 200, headers: { location: `/${request.bucket}` } };
}

export function headBucket(request: S3Request, { store }: Context): Reply {
  store.buckets.require(request.bucket);
  return { status: 200, headers: { 'x-amz-bucket-region': 'us-east-1' } };
}

export function deleteBucket(request: S3Request, { store }: Context): Reply {
  store.buckets.remove(store.buckets.require(request.bucket));
  return { status: 204, headers: {} };
}

export function getBucketVersioning(request: S3Request, { store }: Context): Reply {
  const { versioning } = store.buckets.require(request.bucket);
  const status = versioning === '' ? '' : element('Status', versioning);
  return xmlReply(`${xmlDeclaration}<VersioningConfiguration ${xmlNamespace}>${status}</VersioningConfiguration>`);
}

export async function putBucketVersioning(request: S3Request, { store }: Context): Promise<Reply> {
  const { VersioningConfiguration: wanted } = parseXml(await receiveDocument(request), versioningBody);
  const bucket = store.buckets.require(request.bucket);
  if (wanted.MfaDelete !== undefined) throw notImplemented('MfaDelete');
  if (wanted.Status === undefined) {
    throw new S3Error('IllegalVersioningConfigurationException', 'The Versioning element must be specified');
  }
  if (wanted.Status === 'Suspended' && bucket.objectLock) {
    throw new S3Error(
      'InvalidBucketState',
      'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.',
    );
  }
  store.buckets.update({ ...bucket, versioning: wanted.Status });
  return { status: 200, headers: {} };
}

export function getObjectLockConfiguration(request: S3Request, { store }: Context): Reply {
  if (!store.buckets.require(request.bucket).objectLock) {
    throw new S3Error(
      'ObjectLockConfigurationNotFoundError',
      'Object Lock configuration does not exist for this bucket',
    );
  }
  const enabled = element('ObjectLockEnabled', 'Enabled');
  return xmlReply(`${xmlDeclaration}<ObjectLockConfiguration ${xmlNamespace}>${enabled}</ObjectLockConfiguration>`);
}

export async function putObjectLockConfiguration(request: S3Request, { store }: Context): Promise<Reply> {
  const { ObjectLockConfiguration: wanted } = parseXml(await receiveDocument(request), lockBody);
  const bucket = store.buckets.require(request.bucket);
  if (wanted.Rule !== undefined) throw notImplemented('A default retention of the bucket');
  if (wanted.ObjectLockEnabled !== 'Enabled') throw new S3Error('MalformedXML', 'ObjectLockEnabled must be Enabled');
  if (bucket.versioning !== 'Enabled') {
    throw new S3Error(
      'InvalidBucketState',
      "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
    );
  }
  store.buckets.update({ ...bucket, objectLock: true });
  return { status: 200, headers: {} };
}
