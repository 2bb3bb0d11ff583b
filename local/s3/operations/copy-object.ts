import { type Checksum, type ChecksumAlgorithm, parseChecksumAlgorithm } from '../protocol/checksums.ts';
import { type Context, headerOf, type Reply, type S3Request, xmlReply } from '../protocol/exchange.ts';
import { S3Error } from '../protocol/s3-error.ts';
import { listedDate } from '../protocol/times.ts';
import { element, xmlDeclaration, xmlNamespace } from '../protocol/xml.ts';
import type { BlobStore } from '../store/blobs.ts';
import { checksumOfContent } from '../store/content-checksum.ts';
import type { ObjectDescription, ObjectVersion } from '../store/version.ts';
import { shownVersionId } from '../store/versions.ts';
import { type CopySource, locateSource } from './copy-source.ts';
import { describeContent, describeEncryption, describeLock, describeStorageClass, requireTags } from './description.ts';
import { checksumElements } from './object-headers.ts';
import { insertIfAllowed, newEtag, writtenHeaders } from './put-object.ts';

/** 5 GiB: the most one CopyObject takes (S3 API reference, CopyObject). */
const maxCopySourceBytes = 5 * 1024 ** 3;

/** CopyObject: the new version shares the source's bytes; they are read only for a checksum that nobody knows yet. */
export async function copyObject(request: S3Request, context: Context): Promise<Reply> {
  const { store, clock } = context;
  const source = locateSource(request, context);
  const { version } = source;
  const bucket = store.buckets.require(request.bucket);
  const description = describeCopy(request, context, version);
  requireCopyable(request, source);
  const unpin = store.blobs.pin(version.content);
  try {
    const checksum = await copyChecksum(request, context, version);
    const etag = newEtag();
    const modifiedEpochMillis = clock();
    const object = {
      description,
      modifiedEpochMillis,
      sizeBytes: version.sizeBytes,
      etag,
      checksum,
      content: version.content,
    };
    const versionId = store.database.transaction(() => {
      store.blobs.retain(version.content);
      return insertIfAllowed(request, context, object);
    });
    const result = `${element('LastModified', listedDate(modifiedEpochMillis))}${element('ETag', `"${etag}"`)}${checksumElements(checksum)}`;
    return xmlReply(`${xmlDeclaration}<CopyObjectResult ${xmlNamespace}>${result}</CopyObjectResult>`, {
      ...writtenHeaders(bucket, versionId, { checksum: undefined, encryption: description.attributes.encryption }),
      ...sourceVersionHeader(source),
    });
  } finally {
    unpin();
  }
}

/** Which version was copied, so that the writer can record it. */
export function sourceVersionHeader({ bucket, version }: CopySource): Record<string, string> {
  const versionId = shownVersionId(bucket, version.versionId);
  return versionId === undefined ? {} : { 'x-amz-copy-source-version-id': versionId };
}

function describeCopy(request: S3Request, { store, clock }: Context, source: ObjectVersion): ObjectDescription {
  const bucket = store.buckets.require(request.bucket);
  const replacesContent = directive(request, 'x-amz-metadata-directive') === 'REPLACE';
  const { system, user } = replacesContent ? describeContent(request) : source.attributes;
  const replacesTags = directive(request, 'x-amz-tagging-directive') === 'REPLACE';
  const tags = replacesTags ? requireTags(headerOf(request, 'x-amz-tagging') ?? '') : source.tags;
  return {
    attributes: { system, user, encryption: describeEncryption(request) },
    storageClass: describeStorageClass(request),
    lock: describeLock(request, bucket, clock()),
    ...(tags === undefined ? {} : { tags }),
  };
}

function directive(request: S3Request, name: string): 'COPY' | 'REPLACE' {
  const value = headerOf(request, name) ?? 'COPY';
  if (value === 'COPY' || value === 'REPLACE') return value;
  throw new S3Error('InvalidArgument', `Unknown directive ${value} in ${name}.`);
}

function requireCopyable(request: S3Request, { bucket, version, pinned }: CopySource): void {
  if (version.sizeBytes > maxCopySourceBytes) {
    throw new S3Error(
      'InvalidRequest',
      `The specified copy source is larger than the maximum allowable size for a copy source: ${maxCopySourceBytes}`,
    );
  }
  const ontoItself = bucket.name === request.bucket && version.key === request.key && !pinned;
  const changes = ['x-amz-storage-class', 'x-amz-server-side-encryption'].some((name) => name in request.headers);
  if (!ontoItself || changes || directive(request, 'x-amz-metadata-directive') === 'REPLACE') return;
  throw new S3Error(
    'InvalidRequest',
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

/** The algorithm asked for, else the source's, else the default; always of the full object. */
async function copyChecksum(
  request: S3Request,
  context: Context,
  source: ObjectVersion,
): Promise<Checksum | undefined> {
  const algorithm = wantedAlgorithm(request, context, source);
  if (algorithm === undefined) return undefined;
  const { checksum } = source;
  const { blobs } = context.store;
  if (checksum?.algorithm === algorithm && checksum.type === 'FULL_OBJECT' && !isBelied(blobs, source)) return checksum;
  const value = await checksumOfContent(blobs, source.content, algorithm);
  return { algorithm, type: 'FULL_OBJECT', value };
}

/** Bytes that were damaged have another checksum than their version says, see `Damage`. */
function isBelied(blobs: BlobStore, { checksum, content }: ObjectVersion): boolean {
  const [only, ...more] = content;
  if (checksum === undefined || only === undefined || more.length > 0) return false;
  const known = blobs.knownChecksum(only, checksum.algorithm);
  return known !== undefined && known !== checksum.value;
}

function wantedAlgorithm(
  request: S3Request,
  { storesDefaultChecksum }: Context,
  source: ObjectVersion,
): ChecksumAlgorithm | undefined {
  const asked = headerOf(request, 'x-amz-checksum-algorithm');
  if (asked === undefined) {
    return source.checksum?.algorithm ?? (storesDefaultChecksum(request.bucket) ? 'CRC64NVME' : undefined);
  }
  const algorithm = parseChecksumAlgorithm(asked);
  if (algorithm !== undefined) return algorithm;
  throw new S3Error(
    'InvalidRequest',
    'Checksum algorithm provided is unsupported. Please try again with any of the valid types.',
  );
}
