import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { GetObjectCommand, PutObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import type { ItemStore } from './execution.ts';
import type { JsonValue } from './json.ts';

/** Distributed Maps read and write S3 themselves on AWS; here through the same client as everybody else. */
export function s3ItemStore(s3: S3Client): ItemStore {
  const open = async (bucket: string, key: string) => {
    const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    if (!(body instanceof Readable)) throw new Error(`GetObject of ${key} gave no stream. Use the Node.js S3 client.`);
    return body;
  };
  return {
    readText: async (bucket, key) => {
      const chunks: Buffer[] = [];
      for await (const chunk of await open(bucket, key)) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    },
    readLines: (bucket, key) => lines(() => open(bucket, key)),
    list: (bucket, prefix) => listing(s3, bucket, prefix),
    write: async (bucket, key, body) => {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: 'application/json' }));
    },
  };
}

async function* lines(open: () => Promise<Readable>): AsyncIterable<string> {
  const body = await open();
  try {
    yield* createInterface({ input: body, crlfDelay: Number.POSITIVE_INFINITY });
  } finally {
    body.destroy();
  }
}

/** The fields that Step Functions gives to each object of a listing. */
async function* listing(s3: S3Client, bucket: string, prefix: string): AsyncIterable<JsonValue> {
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: prefix })) {
    for (const object of page.Contents ?? []) {
      yield {
        Etag: object.ETag ?? '',
        Key: object.Key ?? '',
        LastModified: Math.floor((object.LastModified?.getTime() ?? 0) / 1000),
        Size: object.Size ?? 0,
        StorageClass: object.StorageClass ?? 'STANDARD',
      };
    }
  }
}
