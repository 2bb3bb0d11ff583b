import { DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { SampleInvalid, type SampleTree } from './sample-file.ts';

interface S3TreeOptions {
  readonly client: S3Client;
  readonly bucket: string;
  /** Empty, or ends in `/`. */
  readonly prefix: string;
  /** Requests under way at once; each put holds its file in memory. @default 16 */
  readonly concurrency?: number;
}

/** Writes a sample cluster's files below a prefix of an S3 bucket. Empty directories do not exist there and are left out. */
export function createS3Tree(options: S3TreeOptions): SampleTree {
  const { client, bucket, prefix } = options;
  if (prefix !== '' && !prefix.endsWith('/')) {
    throw new SampleInvalid(`Prefix ${JSON.stringify(prefix)} must be empty or end in "/"; add the slash.`);
  }
  return {
    concurrency: options.concurrency ?? 16,
    write: async (path, content) => {
      const body = Buffer.concat([...content]);
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}${path}`, Body: body }));
    },
    remove: async (path) => {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: `${prefix}${path}` }));
    },
    makeDirectory: async () => {},
  };
}
