import { copySourceOf } from './s3-url.ts';

/** The version of an object that a copy reads. At least one of `etag` and `versionId` is set: no copy goes without a pin. */
export type CopySource = {
  readonly bucket: string;
  readonly key: string;
  readonly expectedBucketOwner?: string;
} & ({ readonly etag: string; readonly versionId?: string } | { readonly etag?: string; readonly versionId: string });

/** Source fields of CopyObject and UploadPartCopy. */
export function sourceHeaders(source: CopySource) {
  return {
    CopySource: copySourceOf(source.bucket, source.key, source.versionId),
    ...(source.etag === undefined ? {} : { CopySourceIfMatch: source.etag }),
    ...(source.expectedBucketOwner === undefined ? {} : { ExpectedSourceBucketOwner: source.expectedBucketOwner }),
  };
}
