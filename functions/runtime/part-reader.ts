import { createS3Client } from '../../adapters/s3/s3-client.ts';
import { S3PartReader } from '../../adapters/s3/s3-part-reader.ts';
import type { PartReader } from '../../core/ports/part-reader.ts';
import { environment } from './environment.ts';
import { vaultBucket } from './stores.ts';

const endpoint = environment.AWS_ENDPOINT_URL_S3;

/** With a client of its own, which gives bytes as they are: damage is to be found, not refused. */
const client = createS3Client({
  caller: environment.AWS_LAMBDA_FUNCTION_NAME,
  responseChecksumValidation: 'WHEN_REQUIRED',
  ...(endpoint === undefined ? {} : { endpoint }),
});

export const reader: PartReader = new S3PartReader({ ...vaultBucket(undefined), client });
