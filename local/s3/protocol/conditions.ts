import { notImplemented, S3Error } from './s3-error.ts';
import { parseDate } from './times.ts';

/** What a condition is judged against: the ETag (without quotes) and time of the version. */
interface Judged {
  readonly etag: string;
  readonly modifiedEpochMillis: number;
}

/** The four conditional headers, by any prefix (`if-match`, `x-amz-copy-source-if-match`). */
export interface Conditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
  readonly ifModifiedSince?: string | undefined;
  readonly ifUnmodifiedSince?: string | undefined;
}

/** Whether an `If-Match` or `If-None-Match` value names this ETag; `*` names any. */
function matchesEtag(header: string, etag: string): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some((one) => stripQuotes(one) === etag);
}

function stripQuotes(text: string): string {
  return text.trim().replace(/^"|"$/g, '');
}

export function preconditionFailed(condition: string): S3Error {
  return new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
    elements: { Condition: condition },
  });
}

/** RFC 7232's order, as S3 documents it for reads: a matching If-Match beats If-Unmodified-Since, and so on. */
export function judgeRead(conditions: Conditions, version: Judged): 'holds' | 'notModified' | 'failed' {
  const { ifMatch, ifNoneMatch } = conditions;
  if (ifMatch !== undefined) {
    if (!matchesEtag(ifMatch, version.etag)) return 'failed';
  } else if (changedSince(conditions.ifUnmodifiedSince, version) === true) {
    return 'failed';
  }
  if (ifNoneMatch !== undefined) return matchesEtag(ifNoneMatch, version.etag) ? 'notModified' : 'holds';
  return changedSince(conditions.ifModifiedSince, version) === false ? 'notModified' : 'holds';
}

function changedSince(header: string | undefined, version: Judged): boolean | undefined {
  const since = header === undefined ? undefined : parseDate(header);
  if (since === undefined) return undefined;
  return Math.floor(version.modifiedEpochMillis / 1000) * 1000 > since;
}

/**
 * Conditions of a write (PutObject, CopyObject, CompleteMultipartUpload) against the current object, where a
 * delete marker counts as no object. Throws PreconditionFailed, NoSuchKey (If-Match without an object) or NotImplemented.
 */
export function requireWriteConditions(conditions: Conditions, current: Judged | undefined): void {
  const { ifMatch, ifNoneMatch } = conditions;
  if (ifMatch !== undefined && ifNoneMatch !== undefined) throw notImplemented('If-Match together with If-None-Match');
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() !== '*') throw notImplemented('If-None-Match with an ETag on a write');
    if (current !== undefined) throw preconditionFailed('If-None-Match');
  }
  if (ifMatch !== undefined) requireMatch(ifMatch, current);
}

/** If-Match of a write or a delete. Throws NoSuchKey when there is no object, PreconditionFailed when it is another. */
export function requireMatch(ifMatch: string, current: Judged | undefined): void {
  if (current === undefined) throw new S3Error('NoSuchKey', 'The specified key does not exist.');
  if (!matchesEtag(ifMatch, current.etag)) throw preconditionFailed('If-Match');
}
