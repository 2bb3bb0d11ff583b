import type { S3Client } from '@aws-sdk/client-s3';
import { openS3Root } from '../../adapters/roots/open-s3-root.ts';
import type { S3RootLocation } from '../../adapters/roots/s3-root-location.ts';
import type { RootShape } from './in-memory-tree.ts';

/** Roots of one bucket: the first at a prefix, so that prefixes are tested, and one at the bucket's top only when asked for. */
export function s3Roots(client: S3Client, bucket: string, shapes: readonly RootShape[]): readonly S3RootLocation[] {
  return shapes.map((shape) => openS3Root({ ...shape, url: `s3://${bucket}/clusters/p+ä x/${shape.name}` }, client));
}
