import type { Checksum } from '../protocol/checksums.ts';
import { requireWriteConditions } from '../protocol/conditions.ts';
import { type DeclaredBody, declareBody } from '../protocol/declared-body.ts';
import { type Context, definedHeaders, headerOf, type Reply, type S3Request } from '../protocol/exchange.ts';
import { type ReceivedBody, receiveObject } from '../protocol/receive.ts';
import { S3Error } from '../protocol/s3-error.ts';
import type { Bucket } from '../store/buckets.ts';
import { randomBytesPooled } from '../store/random.ts';
import type { NewObject } from '../store/versions.ts';
import { shownVersionId } from '../store/versions.ts';
import { describeObject } from './description.ts';
import { checksumHeaders } from './object-headers.ts';

/** An ETag nobody can compute: it pins one write and proves nothing about the bytes. */
export function newEtag(): string {
  return randomBytesPooled(16).toString('hex');
}

export async function putObject(request: S3Request, context: Context): Promise<Reply> {
  const { store, clock } = context;
  const bucket = store.buckets.require(request.bucket);
  const declared = declareBody(request);
  const description = describeObject(request, bucket, clock());
  requireIntegrity(declared, Object.keys(description.lock).length > 0);
  const byDefault = declared.checksum === undefined && context.storesDefaultChecksum(bucket.name);
  const received = await receiveObject(request, declared, byDefault ? 'CRC64NVME' : undefined, store.blobs);
  try {
    const checksum = storedChecksum(received);
    const etag = newEtag();
    const versionId = store.database.transaction(() =>
      insertIfAllowed(request, context, {
        description,
        modifiedEpochMillis: clock(),
        sizeBytes: received.incoming.sizeBytes,
        etag,
        checksum,
        content: store.blobs.adopt(received.incoming),
      }),
    );
    return {
      status: 200,
      headers: writtenHeaders(bucket, versionId, { etag, checksum, encryption: description.attributes.encryption }),
    };
  } catch (error) {
    store.blobs.discard(received.incoming);
    throw error;
  }
}

/** Judges the request's conditions and writes, in one transaction of the caller's. Returns the version id. */
export function insertIfAllowed(request: S3Request, { store }: Context, object: NewObject): string {
  const bucket = store.buckets.require(request.bucket);
  const current = store.versions.current(bucket, request.key);
  requireWriteConditions(
    { ifMatch: headerOf(request, 'if-match'), ifNoneMatch: headerOf(request, 'if-none-match') },
    current === undefined || current.isMarker ? undefined : current,
  );
  return store.versions.insertObject(bucket, request.key, object);
}

interface Written {
  readonly etag?: string;
  readonly checksum: Checksum | undefined;
  readonly encryption: Readonly<Record<string, string>>;
}

/** Headers of the answer to a write. */
export function writtenHeaders(bucket: Bucket, versionId: string, written: Written): Record<string, string> {
  return {
    ...written.encryption,
    ...checksumHeaders(written.checksum),
    ...definedHeaders({
      etag: written.etag === undefined ? undefined : `"${written.etag}"`,
      'x-amz-version-id': shownVersionId(bucket, versionId),
    }),
  };
}

function storedChecksum({ checksums }: ReceivedBody): Checksum | undefined {
  for (const [algorithm, value] of checksums) return { algorithm, type: 'FULL_OBJECT', value };
  return undefined;
}

function requireIntegrity(declared: DeclaredBody, locked: boolean): void {
  if (!locked || declared.checksum !== undefined || declared.contentMd5 !== undefined) return;
  throw new S3Error(
    'InvalidRequest',
    'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
  );
}
