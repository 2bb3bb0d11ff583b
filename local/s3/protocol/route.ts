import type { IncomingHttpHeaders } from 'node:http';
import { type Operation, operationRules, universalHeaders } from './operations.ts';
import { notImplemented, S3Error } from './s3-error.ts';

/** Where a request goes: the parts of its URL, decoded. Bucket and key are '' when the path has none. */
interface Target {
  readonly bucket: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
}

/** The longest key (S3 user guide, "Naming Amazon S3 objects"). */
const maxKeyBytes = 1024;

/** Splits a raw request URL. Never normalizes: `a//b/../c` is a key like any other. Throws InvalidURI, KeyTooLongError. */
export function parseTarget(url: string): Target {
  const questionMark = url.indexOf('?');
  const path = questionMark < 0 ? url : url.slice(0, questionMark);
  const slash = path.indexOf('/', 1);
  const key = slash < 0 ? '' : decode(path.slice(slash + 1));
  if (key.length * 3 > maxKeyBytes && Buffer.byteLength(key) > maxKeyBytes) {
    throw new S3Error('KeyTooLongError', 'Your key is too long', {
      elements: { Size: String(Buffer.byteLength(key)), MaxSizeAllowed: String(maxKeyBytes) },
    });
  }
  return {
    bucket: decode(slash < 0 ? path.slice(1) : path.slice(1, slash)),
    key,
    query: parseQuery(questionMark < 0 ? '' : url.slice(questionMark + 1)),
  };
}

function parseQuery(text: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  if (text === '') return query;
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=');
    const name = equals < 0 ? pair : pair.slice(0, equals);
    query.set(decode(name), equals < 0 ? '' : decode(pair.slice(equals + 1).replaceAll('+', ' ')));
  }
  return query;
}

/** Percent-decoding that takes nothing but UTF-8. Throws InvalidURI. */
export function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error('InvalidURI', "Couldn't parse the specified URI.");
  }
}

/** The operation of a request. Throws NotImplemented for anything this S3 does not know. */
export function resolveOperation(method: string, target: Target, headers: IncomingHttpHeaders): Operation {
  const operation =
    target.bucket === ''
      ? serviceOperation(method)
      : target.key === ''
        ? bucketOperation(method, target.query)
        : objectOperation(method, target.query, headers['x-amz-copy-source'] !== undefined);
  if (operation === undefined) {
    const parameters = [...target.query.keys()].filter((name) => name !== 'x-id').join(', ');
    const scope = target.bucket === '' ? 'the service' : target.key === '' ? 'a bucket' : 'an object';
    throw notImplemented(`${method} on ${scope}${parameters === '' ? '' : ` with ${parameters}`}`);
  }
  return operation;
}

function serviceOperation(method: string): Operation | undefined {
  return method === 'GET' ? 'ListBuckets' : undefined;
}

function bucketOperation(method: string, query: ReadonlyMap<string, string>): Operation | undefined {
  switch (method) {
    case 'GET':
      if (query.get('list-type') === '2') return 'ListObjectsV2';
      if (query.has('versions')) return 'ListObjectVersions';
      if (query.has('uploads')) return 'ListMultipartUploads';
      if (query.has('versioning')) return 'GetBucketVersioning';
      return query.has('object-lock') ? 'GetObjectLockConfiguration' : undefined;
    case 'PUT':
      if (query.has('versioning')) return 'PutBucketVersioning';
      if (query.has('object-lock')) return 'PutObjectLockConfiguration';
      return 'CreateBucket';
    case 'POST':
      return query.has('delete') ? 'DeleteObjects' : undefined;
    case 'HEAD':
      return 'HeadBucket';
    case 'DELETE':
      return 'DeleteBucket';
    default:
      return undefined;
  }
}

function objectOperation(method: string, query: ReadonlyMap<string, string>, isCopy: boolean): Operation | undefined {
  switch (method) {
    case 'GET':
      if (query.has('uploadId')) return 'ListParts';
      if (query.has('retention')) return 'GetObjectRetention';
      return query.has('legal-hold') ? 'GetObjectLegalHold' : 'GetObject';
    case 'PUT':
      if (query.has('partNumber')) return isCopy ? 'UploadPartCopy' : 'UploadPart';
      if (query.has('retention')) return 'PutObjectRetention';
      if (query.has('legal-hold')) return 'PutObjectLegalHold';
      return isCopy ? 'CopyObject' : 'PutObject';
    case 'POST':
      if (query.has('uploads')) return 'CreateMultipartUpload';
      return query.has('uploadId') ? 'CompleteMultipartUpload' : undefined;
    case 'HEAD':
      return 'HeadObject';
    case 'DELETE':
      return query.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
    default:
      return undefined;
  }
}

const conditionalHeaders = new Set(['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'range']);

/** Refuses every query parameter, x-amz header and condition that the operation does not understand. */
export function requireUnderstood(operation: Operation, target: Target, headers: IncomingHttpHeaders): void {
  const rule = operationRules[operation];
  for (const name of target.query.keys()) {
    if (name !== 'x-id' && !rule.query.includes(name)) {
      throw notImplemented(`The query parameter '${name}' of ${operation}`);
    }
  }
  for (const name in headers) {
    if (!name.startsWith('x-amz-') && !conditionalHeaders.has(name)) continue;
    if (universalHeaders.includes(name) || understands(rule.headers, name)) continue;
    throw notImplemented(`The header '${name}' of ${operation}`);
  }
}

function understands(known: readonly string[], name: string): boolean {
  return known.includes(name.startsWith('x-amz-meta-') ? 'x-amz-meta-*' : name);
}
