import { ConfigInvalid } from '../../core/errors.ts';

export interface S3Url {
  readonly bucket: string;
  /** Ends in `/`, or is empty for a whole bucket. */
  readonly prefix: string;
}

/**
 * `s3://bucket/some/prefix`, with or without a final `/`. The prefix is taken as written: `%` and `+` mean themselves.
 * @throws ConfigInvalid
 */
export function parseS3Url(url: string): S3Url {
  const match = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(url);
  if (match?.[1] === undefined) {
    throw new ConfigInvalid(`${JSON.stringify(url)} is not an S3 URL.`, { hint: 'Write s3://bucket/prefix.' });
  }
  const path = (match[2] ?? '').replace(/\/+$/, '');
  return { bucket: match[1], prefix: path === '' ? '' : `${path}/` };
}

/** `x-amz-copy-source` of a key, or of one version of it: each segment percent-encoded as UTF-8. */
export function copySourceOf(bucket: string, key: string, versionId: string | undefined): string {
  const path = key.split('/').map(encodeURIComponent).join('/');
  return versionId === undefined ? `${bucket}/${path}` : `${bucket}/${path}?versionId=${encodeURIComponent(versionId)}`;
}
