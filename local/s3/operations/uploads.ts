import {
  type ChecksumAlgorithm,
  type ChecksumType,
  checksumElement,
  checksumHeader,
  isCrc,
  parseChecksumAlgorithm,
} from '../protocol/checksums.ts';
import { type Context, headerOf, type Reply, type S3Request, xmlReply } from '../protocol/exchange.ts';
import { S3Error } from '../protocol/s3-error.ts';
import { listedDate } from '../protocol/times.ts';
import { element, xmlDeclaration, xmlNamespace } from '../protocol/xml.ts';
import type { Part, Upload, UploadSpec } from '../store/uploads.ts';
import { describeObject } from './description.ts';
import { nameEncoder, pageSizeOf } from './list-parameters.ts';
import { accountId } from './owner.ts';

/** How long a completed upload is remembered, so that completing it again gets the same answer. S3 names no time. */
const completedMemoryMillis = 3_600_000;

export function createMultipartUpload(request: S3Request, { store, clock }: Context): Reply {
  const bucket = store.buckets.require(request.bucket);
  const now = clock();
  const checksum = wantedChecksum(request);
  const description = describeObject(request, bucket, now);
  store.uploads.forgetCompletedBefore(now - completedMemoryMillis);
  const spec: UploadSpec = { description, ...(checksum === undefined ? {} : { checksum }) };
  const id = store.uploads.create(bucket, request.key, now, spec);
  const result = element('Bucket', bucket.name) + element('Key', request.key) + element('UploadId', id);
  return xmlReply(
    `${xmlDeclaration}<InitiateMultipartUploadResult ${xmlNamespace}>${result}</InitiateMultipartUploadResult>`,
    {
      ...description.attributes.encryption,
      ...(checksum === undefined
        ? {}
        : { 'x-amz-checksum-algorithm': checksum.algorithm, 'x-amz-checksum-type': checksum.type }),
    },
  );
}

/** CRC64NVME is for full objects only, the SHAs for composites only; the others default to composite. */
function wantedChecksum(request: S3Request): UploadSpec['checksum'] {
  const name = headerOf(request, 'x-amz-checksum-algorithm');
  const type = headerOf(request, 'x-amz-checksum-type');
  if (name === undefined) {
    if (type === undefined) return undefined;
    throw new S3Error(
      'InvalidRequest',
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    );
  }
  const algorithm = parseChecksumAlgorithm(name);
  if (algorithm === undefined) {
    throw new S3Error(
      'InvalidRequest',
      'Checksum algorithm provided is unsupported. Please try again with any of the valid types.',
    );
  }
  const wanted = type ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE');
  if (wanted !== 'FULL_OBJECT' && wanted !== 'COMPOSITE') {
    throw new S3Error('InvalidRequest', 'Value for x-amz-checksum-type header is invalid.');
  }
  requireCombination(algorithm, wanted);
  return { algorithm, type: wanted };
}

function requireCombination(algorithm: ChecksumAlgorithm, type: ChecksumType): void {
  const possible = type === 'FULL_OBJECT' ? isCrc(algorithm) : algorithm !== 'CRC64NVME';
  if (possible) return;
  throw new S3Error(
    'InvalidRequest',
    `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
  );
}

export function abortMultipartUpload(request: S3Request, { store }: Context): Reply {
  const bucket = store.buckets.require(request.bucket);
  const upload = store.uploads.requireOpen(bucket, request.key, uploadIdOf(request));
  store.database.transaction(() => store.uploads.remove(upload));
  return { status: 204, headers: {} };
}

export function uploadIdOf(request: S3Request): string {
  return request.query.get('uploadId') ?? '';
}

export function listParts(request: S3Request, { store }: Context): Reply {
  const bucket = store.buckets.require(request.bucket);
  const upload = store.uploads.requireOpen(bucket, request.key, uploadIdOf(request));
  const maxParts = pageSizeOf(request, 'max-parts');
  const marker = Number(request.query.get('part-number-marker') ?? '0');
  if (!Number.isInteger(marker)) throw new S3Error('InvalidArgument', 'Provided part-number-marker not an integer');
  const found = store.uploads.parts(upload, marker, maxParts + 1);
  const shown = found.slice(0, maxParts);
  const { checksum, description } = upload.spec;
  return xmlReply(
    [
      `${xmlDeclaration}<ListPartsResult ${xmlNamespace}>`,
      element('Bucket', bucket.name) + element('Key', upload.key) + element('UploadId', upload.id),
      element('PartNumberMarker', marker),
      element('NextPartNumberMarker', shown.at(-1)?.number ?? 0),
      element('MaxParts', maxParts),
      element('IsTruncated', found.length > maxParts),
      element('ChecksumAlgorithm', checksum?.algorithm) + element('ChecksumType', checksum?.type),
      element('StorageClass', description.storageClass),
      ...shown.map((part) => partXml(part, checksum?.algorithm)),
      '</ListPartsResult>',
    ].join(''),
  );
}

function partXml(part: Part, algorithm: ChecksumAlgorithm | undefined): string {
  const checksum = algorithm === undefined ? '' : element(checksumElement(algorithm), part.checksum);
  return `<Part>${element('PartNumber', part.number)}${element('LastModified', listedDate(part.modifiedEpochMillis))}${element('ETag', `"${part.etag}"`)}${element('Size', part.sizeBytes)}${checksum}</Part>`;
}

/** A part's checksum as a response header; none when the upload was created without an algorithm. */
export function partChecksumHeader(upload: Upload, value: string | undefined): Record<string, string> {
  const algorithm = upload.spec.checksum?.algorithm;
  return algorithm === undefined || value === undefined ? {} : { [checksumHeader(algorithm)]: value };
}

export function listMultipartUploads(request: S3Request, { store }: Context): Reply {
  const bucket = store.buckets.require(request.bucket);
  const prefix = request.query.get('prefix') ?? '';
  const keyMarker = request.query.get('key-marker') ?? '';
  const idMarker = request.query.get('upload-id-marker') ?? '';
  const maxUploads = pageSizeOf(request, 'max-uploads');
  const encode = nameEncoder(request);
  const first = Buffer.compare(Buffer.from(prefix), Buffer.from(keyMarker)) < 0 ? keyMarker : prefix;
  const shown: Upload[] = [];
  let truncated = false;
  for (const upload of uploadsAfter(store.uploads.scan(bucket, first), keyMarker, idMarker)) {
    if (!upload.key.startsWith(prefix)) break;
    truncated = shown.length === maxUploads;
    if (truncated) break;
    shown.push(upload);
  }
  const last = shown.at(-1);
  return xmlReply(
    [
      `${xmlDeclaration}<ListMultipartUploadsResult ${xmlNamespace}>`,
      element('Bucket', bucket.name) + element('Prefix', encode(prefix)),
      element('KeyMarker', encode(keyMarker)) + element('UploadIdMarker', idMarker),
      truncated && last ? element('NextKeyMarker', encode(last.key)) + element('NextUploadIdMarker', last.id) : '',
      element('MaxUploads', maxUploads) + element('IsTruncated', truncated),
      element('EncodingType', request.query.get('encoding-type')),
      ...shown.map((upload) => uploadXml(upload, encode)),
      '</ListMultipartUploadsResult>',
    ].join(''),
  );
}

/** What follows the markers: later uploads of the marked key when an upload id is given too, else later keys. */
function* uploadsAfter(uploads: Iterable<Upload>, keyMarker: string, idMarker: string): Generator<Upload> {
  let passed = idMarker === '';
  for (const upload of uploads) {
    if (keyMarker !== '' && upload.key === keyMarker) {
      const marked = upload.id === idMarker;
      if (passed && idMarker !== '') yield upload;
      passed ||= marked;
      continue;
    }
    yield upload;
  }
}

function uploadXml(upload: Upload, encode: (name: string) => string): string {
  const { checksum, description } = upload.spec;
  return [
    `<Upload>${element('Key', encode(upload.key))}${element('UploadId', upload.id)}`,
    `<Initiator>${element('ID', accountId)}</Initiator><Owner>${element('ID', accountId)}</Owner>`,
    element('StorageClass', description.storageClass) + element('Initiated', listedDate(upload.initiatedEpochMillis)),
    element('ChecksumAlgorithm', checksum?.algorithm) + element('ChecksumType', checksum?.type),
    '</Upload>',
  ].join('');
}
