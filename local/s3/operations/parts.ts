import { type ChecksumAlgorithm, checksumElement } from '../protocol/checksums.ts';
import { type DeclaredBody, declareBody } from '../protocol/declared-body.ts';
import { type Context, headerOf, type Reply, type S3Request, xmlReply } from '../protocol/exchange.ts';
import { parseCopyRange } from '../protocol/range.ts';
import { maxSinglePutBytes, receiveObject } from '../protocol/receive.ts';
import { S3Error } from '../protocol/s3-error.ts';
import { listedDate } from '../protocol/times.ts';
import { element, xmlDeclaration, xmlNamespace } from '../protocol/xml.ts';
import { sliceContent } from '../store/content.ts';
import { checksumOfContent } from '../store/content-checksum.ts';
import type { Upload } from '../store/uploads.ts';
import { sourceVersionHeader } from './copy-object.ts';
import { locateSource } from './copy-source.ts';
import { newEtag } from './put-object.ts';
import { partChecksumHeader, uploadIdOf } from './uploads.ts';

/** S3 user guide, "Amazon S3 multipart upload limits". */
export const maxPartNumber = 10_000;

export async function uploadPart(request: S3Request, context: Context): Promise<Reply> {
  const { store, clock } = context;
  const number = partNumberOf(request);
  const upload = requireUpload(request, context);
  const declared = declareBody(request);
  requireAlgorithm(declared, upload);
  const algorithm = partAlgorithm(upload, context, request.bucket);
  const { incoming, checksums } = await receiveObject(request, declared, algorithm, store.blobs);
  try {
    const checksum = algorithm === undefined ? undefined : checksums.get(algorithm);
    const etag = newEtag();
    store.database.transaction(() => {
      const content = store.blobs.adopt(incoming);
      const part = { number, etag, sizeBytes: incoming.sizeBytes, modifiedEpochMillis: clock(), checksum, content };
      store.uploads.putPart(requireUpload(request, context), part);
      for (const segment of content) {
        // So that a later copy of the whole object need not read the parts again.
        for (const [known, value] of checksums) store.blobs.rememberChecksum(segment, known, value);
      }
    });
    return {
      status: 200,
      headers: {
        etag: `"${etag}"`,
        ...upload.spec.description.attributes.encryption,
        ...partChecksumHeader(upload, checksum),
      },
    };
  } catch (error) {
    store.blobs.discard(incoming);
    throw error;
  }
}

/** UploadPartCopy: the part shares the source's bytes; they are read for the part's checksum only. */
export async function uploadPartCopy(request: S3Request, context: Context): Promise<Reply> {
  const { store, clock } = context;
  const number = partNumberOf(request);
  const upload = requireUpload(request, context);
  const source = locateSource(request, context);
  const rangeHeader = headerOf(request, 'x-amz-copy-source-range');
  const { sizeBytes: sourceBytes, content: whole } = source.version;
  const range = rangeHeader === undefined ? { start: 0, end: sourceBytes } : parseCopyRange(rangeHeader, sourceBytes);
  const sizeBytes = range.end - range.start;
  if (sizeBytes > maxSinglePutBytes) {
    throw new S3Error(
      'InvalidRequest',
      `The specified copy source is larger than the maximum allowable size for a copy source: ${maxSinglePutBytes}`,
    );
  }
  const content = sliceContent(whole, range.start, range.end);
  const algorithm = partAlgorithm(upload, context, request.bucket);
  const unpin = store.blobs.pin(content);
  try {
    const checksum = algorithm === undefined ? undefined : await checksumOfContent(store.blobs, content, algorithm);
    const etag = newEtag();
    const modifiedEpochMillis = clock();
    store.database.transaction(() => {
      store.blobs.retain(content);
      const part = { number, etag, sizeBytes, modifiedEpochMillis, checksum, content };
      store.uploads.putPart(requireUpload(request, context), part);
    });
    const shown = upload.spec.checksum?.algorithm;
    const result = [
      element('LastModified', listedDate(modifiedEpochMillis)) + element('ETag', `"${etag}"`),
      shown === undefined ? '' : element(checksumElement(shown), checksum),
    ].join('');
    return xmlReply(
      `${xmlDeclaration}<CopyPartResult ${xmlNamespace}>${result}</CopyPartResult>`,
      sourceVersionHeader(source),
    );
  } finally {
    unpin();
  }
}

function requireUpload(request: S3Request, { store }: Context): Upload {
  return store.uploads.requireOpen(store.buckets.require(request.bucket), request.key, uploadIdOf(request));
}

function partNumberOf(request: S3Request): number {
  const text = request.query.get('partNumber') ?? '';
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number >= 1 && number <= maxPartNumber) return number;
  throw new S3Error('InvalidArgument', `Part number must be an integer between 1 and ${maxPartNumber}, inclusive`);
}

/** The upload's algorithm, or the default one that S3 uses silently. */
function partAlgorithm(upload: Upload, context: Context, bucket: string): ChecksumAlgorithm | undefined {
  return upload.spec.checksum?.algorithm ?? (context.storesDefaultChecksum(bucket) ? 'CRC64NVME' : undefined);
}

/** S3 takes from a part the upload's algorithm and no other; a composite upload needs one from each. */
function requireAlgorithm(declared: DeclaredBody, upload: Upload): void {
  const sent = declared.checksum?.algorithm;
  const expected = upload.spec.checksum?.algorithm;
  if (sent === expected) return;
  if (sent === undefined && upload.spec.checksum?.type === 'FULL_OBJECT') return;
  throw new S3Error(
    'InvalidRequest',
    `Checksum Type mismatch occurred, expected checksum Type: ${expected?.toLowerCase() ?? 'null'}, actual checksum Type: ${sent?.toLowerCase() ?? 'null'}`,
  );
}
