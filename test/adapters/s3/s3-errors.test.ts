import { describe, expect, it } from 'vitest';
import {
  isAbsent,
  isArchived,
  isConditionLost,
  isCustomerKeyNeeded,
  isUploadGone,
  s3Failure,
  wasRetried,
} from '../../../adapters/s3/s3-errors.ts';
import { PartMissing } from '../../../core/errors.ts';

const SUBJECT = { operation: 'CopyObject', bucket: 'vault', key: 'a/b' };

function sdkError(name: string, httpStatusCode: number, message = 'said S3', attempts = 1): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode, attempts } });
}

describe('errors of S3', () => {
  it.each([
    ['NoSuchKey', 404, true],
    ['NotFound', 404, true],
    ['NoSuchVersion', 404, true],
    ['NoSuchBucket', 404, false],
    ['NoSuchUpload', 404, false],
    ['AccessDenied', 403, false],
    ['Forbidden', 403, false],
  ])('reads %s (%i) as absence: %s', (name, status, absent) => {
    expect(isAbsent(sdkError(name, status))).toBe(absent);
  });

  it.each([
    ['PreconditionFailed', 412, true],
    ['ConditionalRequestConflict', 409, true],
    // In the body of a 200, which the SDK makes a 503.
    ['PreconditionFailed', 503, true],
    ['OperationAborted', 409, false],
    ['SlowDown', 503, false],
  ])('reads %s (%i) as a lost condition: %s', (name, status, lost) => {
    expect(isConditionLost(sdkError(name, status))).toBe(lost);
  });

  it.each([
    sdkError('SlowDown', 503),
    sdkError('ServiceUnavailable', 503),
    sdkError('InternalError', 500),
    sdkError('InternalError', 200),
    sdkError('RequestTimeout', 400),
    sdkError('TooManyRequestsException', 429),
    sdkError('502', 502),
    sdkError('OperationAborted', 409),
    sdkError('ConditionalRequestConflict', 409),
    sdkError('TimeoutError', 0),
    Object.assign(new Error('read'), { code: 'ECONNRESET' }),
    Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
    Object.assign(new Error('dns'), { code: 'EAI_AGAIN' }),
    new Error('socket hang up'),
    new Error('aborted'),
    new Error('Connection lost or stream closed before all data was received.'),
  ])('is transient: $name $message', (error) => {
    expect(s3Failure(error, SUBJECT)).toMatchObject({ name: 'StoreUnavailable', family: 'transient', cause: error });
  });

  it.each([
    [sdkError('AccessDenied', 403), 'S3AccessDenied', /s3:ListBucket/],
    [sdkError('Forbidden', 403), 'S3AccessDenied', /s3:ListBucket/],
    [sdkError('NoSuchBucket', 404), 'S3BucketMissing', /bucket name/],
    [sdkError('PermanentRedirect', 301), 'S3RequestFailed', /another region/],
    [sdkError('BadDigest', 400), 'ChecksumMismatch', /Run it again.*restore another snapshot/],
    [
      new Error('Checksum mismatch: expected "a" but received "b"'),
      'ChecksumMismatch',
      /Run it again.*restore another snapshot/,
    ],
    [sdkError('InvalidArgument', 400), 'S3RequestFailed', /Correct/],
    [sdkError('NotImplemented', 501), 'S3RequestFailed', /Correct/],
    [new TypeError('a bug'), 'S3RequestFailed', /Correct/],
    ['not even an error', 'S3RequestFailed', /Correct/],
  ])('is fatal, and says where and what to do: %s', (error, name, hint) => {
    const failure = s3Failure(error, SUBJECT);
    expect(failure).toMatchObject({ name, family: 'fatal', hint: expect.stringMatching(hint) });
    expect(failure.message).toContain('CopyObject of s3://vault/a/b');
  });

  it('lets errors of Rankvault through', () => {
    const error = new PartMissing('gone.', { hint: 'Look.' });
    expect(s3Failure(error, SUBJECT)).toBe(error);
  });

  it('tells archived objects, customer keys and vanished uploads apart', () => {
    expect(isArchived(sdkError('InvalidObjectState', 403))).toBe(true);
    expect(s3Failure(sdkError('InvalidObjectState', 403), SUBJECT).name).not.toBe('StoreUnavailable');
    const message =
      'The object was stored using a form of Server Side Encryption. The correct parameters must be provided.';
    expect(isCustomerKeyNeeded(sdkError('InvalidRequest', 400, message))).toBe(true);
    expect(isCustomerKeyNeeded(sdkError('400', 400, 'UnknownError'))).toBe(true);
    expect(isCustomerKeyNeeded(sdkError('InvalidRequest', 400, 'Something else'))).toBe(false);
    expect(isUploadGone(sdkError('NoSuchUpload', 404))).toBe(true);
  });

  it('knows whether the SDK sent a request more than once', () => {
    expect(wasRetried(sdkError('PreconditionFailed', 412, '', 2))).toBe(true);
    expect(wasRetried(sdkError('PreconditionFailed', 412, '', 1))).toBe(false);
    expect(wasRetried(new Error('x'))).toBe(false);
  });
});
