import { headerOf, type S3Request } from '../protocol/exchange.ts';
import { S3Error } from '../protocol/s3-error.ts';

/** The account that owns every bucket here. */
export const accountId = '000000000000';

/** Throws AccessDenied when a request expects its bucket, or its source's, to belong to somebody else. */
export function requireExpectedOwners(request: S3Request): void {
  for (const name of ['x-amz-expected-bucket-owner', 'x-amz-source-expected-bucket-owner']) {
    const expected = headerOf(request, name);
    if (expected !== undefined && expected !== accountId) throw new S3Error('AccessDenied', 'Access Denied');
  }
}
