import type { S3Client } from '@aws-sdk/client-s3';
import type { RootConfig } from '../../core/config/schema.ts';
import { compileRootPattern } from '../../core/root-pattern.ts';
import { parseS3Url } from '../s3/s3-url.ts';
import { compileExcludes } from './excludes.ts';
import type { S3RootLocation } from './s3-root-location.ts';

/** @throws ConfigInvalid, RootPatternInvalid */
export function openS3Root(config: RootConfig, client: S3Client, expectedBucketOwner?: string): S3RootLocation {
  return {
    client,
    name: config.name,
    ...parseS3Url(config.url),
    pattern: compileRootPattern(config.pattern, config.rank),
    excludes: compileExcludes(config.exclude),
    ...(expectedBucketOwner === undefined ? {} : { expectedBucketOwner }),
  };
}
