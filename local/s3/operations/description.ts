import { headerOf, type S3Request } from '../protocol/exchange.ts';
import { type ObjectLock, parseRetentionMode } from '../protocol/object-lock.ts';
import { notImplemented, S3Error } from '../protocol/s3-error.ts';
import { parseDate } from '../protocol/times.ts';
import type { Bucket } from '../store/buckets.ts';
import type { Attributes, ObjectDescription } from '../store/version.ts';

const systemHeaders = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
];

/** 2 KB for all user metadata together (S3 user guide, "Working with object metadata"). */
const maxUserMetadataBytes = 2048;

const storageClasses = [
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'DEEP_ARCHIVE',
  'GLACIER_IR',
];

/** Classes that must be restored before they can be read. */
const archivedClasses = ['GLACIER', 'DEEP_ARCHIVE'];

/** Everything a request says about the object it writes. */
export function describeObject(request: S3Request, bucket: Bucket, now: number): ObjectDescription {
  const tags = headerOf(request, 'x-amz-tagging');
  return {
    attributes: { ...describeContent(request), encryption: describeEncryption(request) },
    storageClass: describeStorageClass(request),
    lock: describeLock(request, bucket, now),
    ...(tags === undefined ? {} : { tags: requireTags(tags) }),
  };
}

/** The headers that CopyObject takes from its source unless told to replace them. */
export function describeContent(request: S3Request): Pick<Attributes, 'system' | 'user'> {
  const system: Record<string, string> = {};
  for (const name of systemHeaders) {
    const value = headerOf(request, name);
    if (value !== undefined) system[name] = value;
  }
  const encoding = system['content-encoding'];
  if (encoding !== undefined) {
    const kept = encoding.split(',').filter((one) => one.trim() !== 'aws-chunked');
    delete system['content-encoding'];
    if (kept.length > 0) system['content-encoding'] = kept.join(',');
  }
  system['content-type'] ??= 'binary/octet-stream';
  return { system, user: describeUserMetadata(request) };
}

function describeUserMetadata(request: S3Request): Record<string, string> {
  const user: Record<string, string> = {};
  let sizeBytes = 0;
  for (const name in request.headers) {
    if (!name.startsWith('x-amz-meta-')) continue;
    const value = headerOf(request, name) ?? '';
    user[name] = value;
    sizeBytes += name.length - 'x-amz-meta-'.length + value.length;
  }
  if (sizeBytes > maxUserMetadataBytes) {
    throw new S3Error('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size');
  }
  return user;
}

export function describeEncryption(request: S3Request): Record<string, string> {
  const encryption: Record<string, string> = {};
  for (const name in request.headers) {
    if (name.startsWith('x-amz-server-side-encryption')) encryption[name] = headerOf(request, name) ?? '';
  }
  const algorithm = encryption['x-amz-server-side-encryption'];
  if (algorithm !== undefined && algorithm !== 'AES256' && algorithm !== 'aws:kms') {
    throw notImplemented(`Server-side encryption '${algorithm}'`);
  }
  if (algorithm !== 'aws:kms' && Object.keys(encryption).length > (algorithm === undefined ? 0 : 1)) {
    throw new S3Error(
      'InvalidArgument',
      'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms',
    );
  }
  return encryption;
}

export function describeStorageClass(request: S3Request): string {
  const storageClass = headerOf(request, 'x-amz-storage-class') ?? 'STANDARD';
  if (!storageClasses.includes(storageClass)) {
    throw new S3Error('InvalidStorageClass', 'The storage class you specified is not valid');
  }
  return storageClass;
}

/** Throws InvalidObjectState for a class whose bytes cannot be read now. */
export function requireReadable(storageClass: string): void {
  if (!archivedClasses.includes(storageClass)) return;
  throw new S3Error('InvalidObjectState', "The operation is not valid for the object's storage class", {
    elements: { StorageClass: storageClass },
  });
}

export function describeLock(request: S3Request, bucket: Bucket, now: number): ObjectLock {
  const mode = headerOf(request, 'x-amz-object-lock-mode');
  const until = headerOf(request, 'x-amz-object-lock-retain-until-date');
  const legalHold = headerOf(request, 'x-amz-object-lock-legal-hold');
  if (mode === undefined && until === undefined && legalHold === undefined) return {};
  requireLockEnabled(bucket);
  if ((mode === undefined) !== (until === undefined)) {
    throw new S3Error(
      'InvalidArgument',
      'x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied',
    );
  }
  return {
    ...(mode === undefined ? {} : { retention: { mode: parseRetentionMode(mode), ...requireFuture(until, now) } }),
    ...(legalHold === undefined ? {} : { legalHold: requireLegalHold(legalHold) }),
  };
}

export function requireLockEnabled(bucket: Bucket): void {
  if (!bucket.objectLock) throw new S3Error('InvalidRequest', 'Bucket is missing Object Lock Configuration');
}

export function requireLegalHold(text: string): 'ON' | 'OFF' {
  if (text === 'ON' || text === 'OFF') return text;
  throw new S3Error('InvalidArgument', "Legal Hold must be either of 'ON' or 'OFF'");
}

/** Throws InvalidArgument unless the date is one, and later than now. */
export function requireFuture(text: string | undefined, now: number): { readonly retainUntilEpochMillis: number } {
  const until = parseDate(text ?? '');
  if (until === undefined) {
    throw new S3Error('InvalidArgument', 'The retain until date must be provided in ISO 8601 format');
  }
  if (until <= now) throw new S3Error('InvalidArgument', 'The retain until date must be in the future!');
  return { retainUntilEpochMillis: until };
}

/** `a=1&b=2`; at most 10 tags of 128 and 256 characters (S3 user guide, "Categorizing your storage using tags"). */
export function requireTags(text: string): string {
  const tags = [...new URLSearchParams(text)];
  const wellFormed = tags.every(([name, value]) => name !== '' && name.length <= 128 && value.length <= 256);
  const names = new Set(tags.map(([name]) => name));
  if (!wellFormed || names.size !== tags.length)
    throw new S3Error('InvalidTag', 'The tag provided was not a valid tag.');
  if (tags.length > 10) throw new S3Error('BadRequest', 'Object tags cannot be greater than 10');
  return new URLSearchParams(tags).toString();
}

export function countTags(tags: string | undefined): number {
  return tags === undefined || tags === '' ? 0 : [...new URLSearchParams(tags)].length;
}
