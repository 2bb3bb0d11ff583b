import * as z from 'zod/mini';
import { ChecksumMismatch, RankvaultError, StoreUnavailable } from '../../core/errors.ts';

/** S3 said no, and asking again cannot help; the message has its words. */
export class S3RequestFailed extends RankvaultError {
  override readonly name = 'S3RequestFailed';
  readonly family = 'fatal';
}
/** 403. Never absence: without `s3:ListBucket` S3 answers 403 for keys that do not exist. */
export class S3AccessDenied extends RankvaultError {
  override readonly name = 'S3AccessDenied';
  readonly family = 'fatal';
}
/** The bucket does not exist, or belongs to another account than expected. */
export class S3BucketMissing extends RankvaultError {
  override readonly name = 'S3BucketMissing';
  readonly family = 'fatal';
}

/** What a request was about, for messages. */
export interface S3Subject {
  /** `CopyObject` */
  readonly operation: string;
  readonly bucket: string;
  readonly key?: string;
}

/** The parts of an SDK error that matter here; everything is optional, because socket errors come as plain errors. */
const sdkErrorSchema = z.object({
  name: z._default(z.string(), 'Error'),
  message: z._default(z.string(), ''),
  code: z.optional(z.string()),
  $metadata: z._default(z.object({ httpStatusCode: z.optional(z.number()), attempts: z.optional(z.number()) }), {}),
});

interface S3ErrorFacts {
  /** S3's error code, which the SDK keeps in `name`; for HEAD only the status tells. */
  readonly code: string;
  readonly message: string;
  readonly socketCode: string | undefined;
  readonly httpStatus: number | undefined;
}

const SOCKET_CODES: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** Words of errors without a code: Node's, when a response breaks off, and those of the SDK's checksum stream. */
const BROKEN_CONNECTION = /socket hang up|^aborted$|Connection lost or stream closed/;

/** Codes that S3 answers when the same request may succeed later, whatever the status they come with. */
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  'SlowDown',
  'ServiceUnavailable',
  'InternalError',
  'RequestTimeout',
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'TimeoutError',
  'OperationAborted',
  'IncompleteBody',
]);

/** What the SDK makes of a 400 without a body. */
const BARE_400_CODES: ReadonlySet<string> = new Set(['BadRequest', '400', 'Unknown', 'UnknownError']);

const ABSENT_CODES: ReadonlySet<string> = new Set(['NoSuchKey', 'NoSuchVersion', 'NotFound']);

/** The code of an error as such: of an entry in an answer of 200. */
export function isTransientCode(code: string): boolean {
  return TRANSIENT_CODES.has(code);
}

export function isAbsentCode(code: string): boolean {
  return ABSENT_CODES.has(code);
}

/** No such key or version. A bucket that does not exist and an upload that is gone are not meant. */
export function isAbsent(error: unknown): boolean {
  return ABSENT_CODES.has(factsOf(error).code);
}

export function isUploadGone(error: unknown): boolean {
  return factsOf(error).code === 'NoSuchUpload';
}

/** 412, or the 409 of a race between conditional writes: the condition did not hold, or S3 could not tell in time. */
export function isConditionLost(error: unknown): boolean {
  return isPreconditionFailed(error) || factsOf(error).code === 'ConditionalRequestConflict';
}

export function isPreconditionFailed(error: unknown): boolean {
  const { code, httpStatus } = factsOf(error);
  return code === 'PreconditionFailed' || httpStatus === 412;
}

/** The bytes that S3 got do not have the checksum that the request names. */
export function isBadDigest(error: unknown): boolean {
  return factsOf(error).code === 'BadDigest';
}

/**
 * The version that was named is a delete marker: 405 to a read (S3 user guide, "Working with delete markers"; HEAD has the status
 * alone), 400 InvalidRequest to a copy from it.
 */
export function isDeleteMarker(error: unknown): boolean {
  const { code, message, httpStatus } = factsOf(error);
  return (
    httpStatus === 405 || code === 'MethodNotAllowed' || (code === 'InvalidRequest' && /delete marker/.test(message))
  );
}

/** The object is in an archive class, or in the archive tier of Intelligent-Tiering. */
export function isArchived(error: unknown): boolean {
  return factsOf(error).code === 'InvalidObjectState';
}

/**
 * The object needs a customer-provided key (SSE-C): S3 answers 400 InvalidRequest to reads and copies without it ("The object was
 * stored using a form of Server Side Encryption"), and a bare 400 to HEAD.
 */
export function isCustomerKeyNeeded(error: unknown): boolean {
  const { code, message, httpStatus } = factsOf(error);
  return httpStatus === 400 && (message.includes('Server Side Encryption') || BARE_400_CODES.has(code));
}

/** The SDK sent the request more than once, so a refusal may be the echo of our own success. */
export function wasRetried(error: unknown): boolean {
  const parsed = sdkErrorSchema.safeParse(error);
  return parsed.success && (parsed.data.$metadata.attempts ?? 1) > 1;
}

/**
 * The error to throw for a failed request. Errors of Rankvault pass through.
 *
 * CopyObject, UploadPartCopy and CompleteMultipartUpload can answer 200 with an error in the body; the SDK throws these as well,
 * with S3's code as the name, which is why codes are looked at before the status.
 */
export function s3Failure(error: unknown, subject: S3Subject): Error {
  if (error instanceof RankvaultError) {
    return error;
  }
  const facts = factsOf(error);
  const what = `${subject.operation} of s3://${subject.bucket}/${subject.key ?? ''}`;
  const said = `${facts.code}${facts.message === '' ? '' : `: ${facts.message}`}`;
  if (isTransient(facts)) {
    return new StoreUnavailable(`${what} failed for now (${said}).`, {
      hint: 'The workflow tries again; if it goes on, look at the health of S3 and at the request rate.',
      cause: error,
    });
  }
  return fatalFailure(facts, `${what} failed (${said}).`, error);
}

function fatalFailure(facts: S3ErrorFacts, problem: string, cause: unknown): Error {
  if (facts.code === 'NoSuchBucket') {
    return new S3BucketMissing(problem, { hint: 'Correct the bucket name in the configuration.', cause });
  }
  if (isBadDigest(cause) || facts.message.startsWith('Checksum mismatch')) {
    return new ChecksumMismatch(problem, {
      hint: 'Run it again: bytes may change on their way. When it fails again the stored object is damaged: restore another snapshot, and verify this one.',
      cause,
    });
  }
  if (facts.httpStatus === 403 || facts.code === 'AccessDenied') {
    return new S3AccessDenied(problem, {
      hint: 'Allow the action in the role and the bucket policy, and the key if it is KMS; S3 also answers 403 for a missing key when the role lacks s3:ListBucket.',
      cause,
    });
  }
  if (facts.httpStatus === 301 || facts.code === 'PermanentRedirect') {
    return new S3RequestFailed(problem, {
      hint: 'The bucket is in another region: deploy Rankvault in that one.',
      cause,
    });
  }
  return new S3RequestFailed(problem, { hint: 'Correct what S3 names, then run it again.', cause });
}

function isTransient(facts: S3ErrorFacts): boolean {
  const status = facts.httpStatus ?? 0;
  return (
    TRANSIENT_CODES.has(facts.code) ||
    (facts.socketCode !== undefined && SOCKET_CODES.has(facts.socketCode)) ||
    BROKEN_CONNECTION.test(facts.message) ||
    (status >= 500 && facts.code !== 'NotImplemented') ||
    status === 429 ||
    facts.code === 'ConditionalRequestConflict'
  );
}

function factsOf(error: unknown): S3ErrorFacts {
  const parsed = sdkErrorSchema.safeParse(error);
  if (!parsed.success) {
    return { code: 'Error', message: String(error), socketCode: undefined, httpStatus: undefined };
  }
  const { name, message, code, $metadata } = parsed.data;
  return { code: name, message, socketCode: code, httpStatus: $metadata.httpStatusCode };
}
