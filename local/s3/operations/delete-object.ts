import * as z from 'zod/mini';
import { requireMatch } from '../protocol/conditions.ts';
import { declareBody } from '../protocol/declared-body.ts';
import { type Context, definedHeaders, headerOf, type Reply, type S3Request, xmlReply } from '../protocol/exchange.ts';
import { refusalToDelete } from '../protocol/object-lock.ts';
import { receiveDocument } from '../protocol/receive.ts';
import { notImplemented, S3Error } from '../protocol/s3-error.ts';
import { element, parseXml, xmlDeclaration, xmlNamespace } from '../protocol/xml.ts';
import type { Bucket } from '../store/buckets.ts';
import { nullVersionId } from '../store/version-id.ts';

const deleteBody = z.object({
  Delete: z.object({
    Quiet: z.optional(z.enum(['true', 'false'])),
    Object: z
      .array(
        z.strictObject({
          Key: z.string().check(z.minLength(1)),
          VersionId: z.optional(z.string()),
          ETag: z.optional(z.string()),
        }),
      )
      .check(z.minLength(1), z.maxLength(1000)),
  }),
});

/** One object to delete: the current one, which a marker will hide, or a version, which goes for ever. */
interface Deletion {
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly ifMatch?: string | undefined;
}

interface Deleted {
  /** Of what was deleted for ever. */
  readonly versionId?: string | undefined;
  /** Whether a delete marker was made or deleted. */
  readonly marker: boolean;
  /** Of the marker that was made or deleted. */
  readonly markerVersionId?: string | undefined;
}

export function deleteObject(request: S3Request, context: Context): Reply {
  const deletion = {
    key: request.key,
    versionId: request.query.get('versionId'),
    ifMatch: headerOf(request, 'if-match'),
  };
  const bucket = context.store.buckets.require(request.bucket);
  const deleted = context.store.database.transaction(() => deleteOne(deletion, bucket, request, context));
  const headers = definedHeaders({
    'x-amz-version-id': deleted.versionId ?? deleted.markerVersionId,
    'x-amz-delete-marker': deleted.marker ? 'true' : undefined,
  });
  return { status: 204, headers };
}

export async function deleteObjects(request: S3Request, context: Context): Promise<Reply> {
  const declared = declareBody(request);
  if (declared.checksum === undefined && declared.contentMd5 === undefined) {
    throw new S3Error('InvalidRequest', 'Missing required header for this request: Content-MD5');
  }
  const { Delete: wanted } = parseXml(await receiveDocument(request, declared), deleteBody);
  const bucket = context.store.buckets.require(request.bucket);
  const quiet = wanted.Quiet === 'true';
  const results = context.store.database.transaction(() =>
    wanted.Object.map((one) => {
      const deletion = { key: one.Key, versionId: one.VersionId, ifMatch: one.ETag };
      try {
        const deleted = deleteOne(deletion, bucket, request, context);
        return quiet ? '' : deletedXml(deletion, deleted);
      } catch (error) {
        if (error instanceof S3Error) return errorXml(deletion, error);
        throw error;
      }
    }),
  );
  return xmlReply(`${xmlDeclaration}<DeleteResult ${xmlNamespace}>${results.join('')}</DeleteResult>`);
}

function deleteOne(deletion: Deletion, bucket: Bucket, request: S3Request, context: Context): Deleted {
  if (deletion.versionId !== undefined)
    return deleteVersion(deletion, deletion.versionId, bucket, { request, context });
  const { versions } = context.store;
  const current = versions.current(bucket, deletion.key);
  if (deletion.ifMatch !== undefined) {
    requireMatch(deletion.ifMatch, current === undefined || current.isMarker ? undefined : current);
  }
  if (bucket.versioning === '') {
    if (current !== undefined) versions.remove(bucket, current);
    return { marker: false };
  }
  return { marker: true, markerVersionId: versions.insertMarker(bucket, deletion.key, context.clock()) };
}

function deleteVersion(
  { key, ifMatch }: Deletion,
  versionId: string,
  bucket: Bucket,
  { request, context }: { readonly request: S3Request; readonly context: Context },
): Deleted {
  if (ifMatch !== undefined) throw notImplemented('If-Match on the deletion of a version');
  const version = context.store.versions.find(bucket, key, versionId);
  if (version === undefined) return { versionId, marker: false };
  if (!version.isMarker) {
    const bypass = headerOf(request, 'x-amz-bypass-governance-retention')?.toLowerCase() === 'true';
    const refusal = refusalToDelete(version.lock, context.clock(), bypass);
    if (refusal !== undefined) throw new S3Error('AccessDenied', refusal);
  }
  context.store.versions.remove(bucket, version);
  const shown = bucket.versioning === '' && versionId === nullVersionId ? undefined : versionId;
  return { versionId: shown, marker: version.isMarker, markerVersionId: version.isMarker ? versionId : undefined };
}

function deletedXml({ key, versionId }: Deletion, deleted: Deleted): string {
  const marker = deleted.marker
    ? `${element('DeleteMarker', true)}${element('DeleteMarkerVersionId', deleted.markerVersionId)}`
    : '';
  return `<Deleted>${element('Key', key)}${element('VersionId', versionId)}${marker}</Deleted>`;
}

function errorXml({ key, versionId }: Deletion, error: S3Error): string {
  const cause = `${element('Code', error.code)}${element('Message', error.message)}`;
  return `<Error>${element('Key', key)}${element('VersionId', versionId)}${cause}</Error>`;
}
