import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksumAlgorithms,
  checksumHeader,
  compositeChecksum,
  isCrc,
} from '../protocol/checksums.ts';
import { requireWriteConditions } from '../protocol/conditions.ts';
import { combineCrcs } from '../protocol/crc-combine.ts';
import { declareWithoutChecksum } from '../protocol/declared-body.ts';
import { type Context, headerOf, type Reply, type S3Request, xmlReply } from '../protocol/exchange.ts';
import { receiveDocument } from '../protocol/receive.ts';
import { S3Error } from '../protocol/s3-error.ts';
import { element, parseXml, xmlDeclaration, xmlNamespace } from '../protocol/xml.ts';
import type { Part, Upload } from '../store/uploads.ts';
import { checksumElements } from './object-headers.ts';
import { maxPartNumber } from './parts.ts';
import { insertIfAllowed, newEtag, writtenHeaders } from './put-object.ts';
import { uploadIdOf } from './uploads.ts';

/** 5 MiB: the least a part that is not the last may have (S3 user guide, "Amazon S3 multipart upload limits"). */
const minPartBytes = 5 * 1024 ** 2;

const optionalText = z.optional(z.string());
const namedPart = z.object({
  PartNumber: z.string().check(z.regex(/^\d{1,9}$/)),
  ETag: z.string(),
  ChecksumCRC64NVME: optionalText,
  ChecksumCRC32: optionalText,
  ChecksumCRC32C: optionalText,
  ChecksumSHA1: optionalText,
  ChecksumSHA256: optionalText,
});
const completeBody = z.object({
  CompleteMultipartUpload: z.object({ Part: z.array(namedPart).check(z.minLength(1), z.maxLength(maxPartNumber)) }),
});

type NamedPart = z.output<typeof namedPart>;

/** CompleteMultipartUpload: the object is its parts' bytes, one after another, without copying any. */
export async function completeMultipartUpload(request: S3Request, context: Context): Promise<Reply> {
  const { Part: named } = parseXml(
    await receiveDocument(request, declareWithoutChecksum(request)),
    completeBody,
  ).CompleteMultipartUpload;
  const { store } = context;
  const bucket = store.buckets.require(request.bucket);
  const upload = store.uploads.require(bucket, request.key, uploadIdOf(request));
  const version =
    upload.completed === undefined
      ? store.database.transaction(() => complete(request, context, upload, named))
      : repeat(request, context, upload, named);
  const result = [
    element('Location', `/${bucket.name}/${request.key}`) +
      element('Bucket', bucket.name) +
      element('Key', request.key),
    element('ETag', `"${version.etag}"`) + checksumElements(version.checksum),
  ].join('');
  return xmlReply(
    `${xmlDeclaration}<CompleteMultipartUploadResult ${xmlNamespace}>${result}</CompleteMultipartUploadResult>`,
    writtenHeaders(bucket, version.versionId, { checksum: undefined, encryption: version.encryption }),
  );
}

interface Completed {
  readonly versionId: string;
  readonly etag: string;
  readonly checksum: Checksum | undefined;
  readonly encryption: Readonly<Record<string, string>>;
}

function complete(request: S3Request, context: Context, upload: Upload, named: readonly NamedPart[]): Completed {
  const { store, clock } = context;
  const parts = chooseParts(store.uploads.parts(upload, 0, maxPartNumber), named, upload);
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  requireObjectSize(request, sizeBytes);
  const checksum = objectChecksum(upload, parts);
  requireObjectChecksum(request, checksum);
  const content = parts.flatMap((part) => part.content);
  const etag = `${newEtag()}-${parts.length}`;
  const { description } = upload.spec;
  store.blobs.retain(content);
  const object = { description, modifiedEpochMillis: clock(), sizeBytes, etag, checksum, content };
  const versionId = insertIfAllowed(request, context, object);
  store.uploads.removeParts(upload);
  const memory = { parts: partsDigest(named), versionId, etag, ...(checksum === undefined ? {} : { checksum }) };
  store.uploads.markCompleted(upload, memory, clock());
  return { versionId, etag, checksum, encryption: description.attributes.encryption };
}

/**
 * The same request again: the same answer, although the upload is gone. Conditions are judged anew, so that
 * `If-None-Match: *` meets the object that the first request made; what S3 does there is not documented,
 * and this is the answer that asks more of the writer.
 */
function repeat(request: S3Request, { store }: Context, upload: Upload, named: readonly NamedPart[]): Completed {
  const { completed } = upload;
  if (completed === undefined || completed.parts !== partsDigest(named)) {
    throw new S3Error('NoSuchUpload', 'The specified upload does not exist. It was completed with other parts.');
  }
  const current = store.versions.current(store.buckets.require(request.bucket), request.key);
  requireWriteConditions(
    { ifMatch: headerOf(request, 'if-match'), ifNoneMatch: headerOf(request, 'if-none-match') },
    current === undefined || current.isMarker ? undefined : current,
  );
  const { versionId, etag, checksum } = completed;
  return { versionId, etag, checksum, encryption: upload.spec.description.attributes.encryption };
}

function partsDigest(named: readonly NamedPart[]): string {
  const list = named.map(({ PartNumber, ETag }) => `${Number(PartNumber)}:${unquoted(ETag)}`).join();
  return createHash('sha256').update(list).digest('hex');
}

/** The stored parts in the order named. Throws InvalidPartOrder, InvalidPart, EntityTooSmall. */
function chooseParts(stored: readonly Part[], named: readonly NamedPart[], upload: Upload): Part[] {
  const byNumber = new Map(stored.map((part) => [part.number, part]));
  let previousNumber = 0;
  return named.map((one, index) => {
    const number = Number(one.PartNumber);
    if (number <= previousNumber) {
      throw new S3Error(
        'InvalidPartOrder',
        'The list of parts was not in ascending order. Parts must be ordered by part number.',
      );
    }
    previousNumber = number;
    const part = byNumber.get(number);
    if (part === undefined || part.etag !== unquoted(one.ETag)) throw invalidPart(number);
    requirePartChecksum(part, one, upload);
    if (part.sizeBytes < minPartBytes && index < named.length - 1) {
      throw new S3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
        elements: {
          ProposedSize: String(part.sizeBytes),
          MinSizeAllowed: String(minPartBytes),
          PartNumber: String(number),
        },
      });
    }
    return part;
  });
}

function unquoted(etag: string): string {
  return etag.replace(/^"|"$/g, '');
}

function invalidPart(number: number): S3Error {
  return new S3Error(
    'InvalidPart',
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    { elements: { PartNumber: String(number) } },
  );
}

/** A composite upload must name every part's checksum again; whatever is named must be right. */
function requirePartChecksum(part: Part, named: NamedPart, upload: Upload): void {
  const { checksum } = upload.spec;
  for (const algorithm of checksumAlgorithms) {
    const value = named[`Checksum${algorithm}`];
    const isOurs = algorithm === checksum?.algorithm;
    if (value !== undefined && (!isOurs || value !== part.checksum)) throw invalidPart(part.number);
    if (value === undefined && isOurs && checksum.type === 'COMPOSITE') {
      throw new S3Error(
        'InvalidRequest',
        `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${part.number} in the request.`,
      );
    }
  }
}

function requireObjectSize(request: S3Request, sizeBytes: number): void {
  const expected = headerOf(request, 'x-amz-mp-object-size');
  if (expected === undefined || Number(expected) === sizeBytes) return;
  throw new S3Error(
    'InvalidRequest',
    `The provided 'x-amz-mp-object-size' header value ${expected} does not match what was computed: ${sizeBytes}`,
  );
}

/** What S3 keeps for the object; nothing when a part was stored without a checksum. */
function objectChecksum({ spec }: Upload, parts: readonly Part[]): Checksum | undefined {
  const algorithm: ChecksumAlgorithm = spec.checksum?.algorithm ?? 'CRC64NVME';
  const values = parts.map((part) => part.checksum).filter((value) => value !== undefined);
  if (values.length < parts.length) return undefined;
  if (spec.checksum?.type === 'COMPOSITE' && algorithm !== 'CRC64NVME') {
    return { algorithm, type: 'COMPOSITE', value: compositeChecksum(algorithm, values) };
  }
  if (!isCrc(algorithm)) return undefined;
  const runs = parts.map((part, index) => ({ value: values[index] ?? '', lengthBytes: part.sizeBytes }));
  return { algorithm, type: 'FULL_OBJECT', value: combineCrcs(algorithm, runs) };
}

/** A checksum sent with the request must be the object's. Throws BadDigest, InvalidRequest. */
function requireObjectChecksum(request: S3Request, checksum: Checksum | undefined): void {
  const type = headerOf(request, 'x-amz-checksum-type');
  if (type !== undefined && type !== checksum?.type) {
    throw new S3Error(
      'InvalidRequest',
      `The upload was created using the ${checksum?.type ?? 'null'} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  for (const algorithm of checksumAlgorithms) {
    const sent = headerOf(request, checksumHeader(algorithm));
    if (sent === undefined) continue;
    if (algorithm !== checksum?.algorithm) {
      throw new S3Error(
        'InvalidRequest',
        `Checksum Type mismatch occurred, expected checksum Type: ${checksum?.algorithm.toLowerCase() ?? 'null'}, actual checksum Type: ${algorithm.toLowerCase()}`,
      );
    }
    if (sent.replace(/-\d+$/, '') !== checksum.value.replace(/-\d+$/, '')) {
      throw new S3Error('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
    }
  }
}
