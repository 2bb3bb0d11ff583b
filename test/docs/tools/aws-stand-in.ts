#!/usr/bin/env node
/**
 * Stands in for the AWS CLI v2 where docs/restore-by-hand.sh is tested: exactly the commands and flags that the script uses, sent
 * to AWS_ENDPOINT_URL_S3 by the AWS SDK, answered with the CLI's JSON. Everything else ends with 252, the CLI's code for a command
 * that it cannot parse.
 */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { GetObjectCommand, paginateListObjectsV2, S3Client, S3ServiceException } from '@aws-sdk/client-s3';

const CANNOT_PARSE = 252;
const SERVICE_SAID_NO = 254;

class NotOurs extends Error {
  override readonly name = 'NotOurs';
}

const GET_OBJECT = {
  bucket: { type: 'string' },
  key: { type: 'string' },
  'version-id': { type: 'string' },
  'checksum-mode': { type: 'string' },
  output: { type: 'string' },
} as const;
const LIST_OBJECTS = { bucket: { type: 'string' }, prefix: { type: 'string' }, output: { type: 'string' } } as const;

try {
  await run(process.argv.slice(2));
} catch (error) {
  process.exitCode = exitCodeOf(error);
  console.error(`aws (stand-in): ${error instanceof Error ? error.message : String(error)}`);
}

async function run([service, command, ...args]: readonly string[]): Promise<void> {
  if (service === 's3api' && command === 'get-object') {
    return getObject(args);
  }
  if (service === 's3api' && command === 'list-objects-v2') {
    return listObjects(args);
  }
  throw new NotOurs(`no command '${service} ${command}'`);
}

/** Writes the object to the file; the SDK compares the bytes with the checksum that S3 sends, as the CLI does. */
async function getObject(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args: [...args], options: GET_OBJECT, allowPositionals: true });
  const [file, ...more] = positionals;
  const checksumMode = values['checksum-mode'];
  assertJson(values.output);
  if (file === undefined || more.length > 0 || (checksumMode !== undefined && checksumMode !== 'ENABLED')) {
    throw new NotOurs('get-object takes one file, and no other checksum mode than ENABLED');
  }
  const {
    Body,
    $metadata: _,
    ...answer
  } = await client().send(
    new GetObjectCommand({
      Bucket: given('bucket', values.bucket),
      Key: given('key', values.key),
      VersionId: values['version-id'],
      ChecksumMode: checksumMode,
    }),
  );
  if (!(Body instanceof Readable)) {
    throw new TypeError('the answer has no body');
  }
  await pipeline(Body, createWriteStream(file));
  print(answer);
}

/** Every page in one answer, as the CLI gives it without --no-paginate. */
async function listObjects(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: LIST_OBJECTS });
  assertJson(values.output);
  const contents: unknown[] = [];
  const query = { Bucket: given('bucket', values.bucket), Prefix: given('prefix', values.prefix) };
  for await (const page of paginateListObjectsV2({ client: client() }, query)) {
    contents.push(...(page.Contents ?? []));
  }
  print(contents.length === 0 ? { RequestCharged: null } : { Contents: contents, RequestCharged: null });
}

function client(): S3Client {
  return new S3Client({ forcePathStyle: true, responseChecksumValidation: 'WHEN_SUPPORTED' });
}

function given(name: string, value: string | undefined): string {
  if (value === undefined) {
    throw new NotOurs(`--${name} is required`);
  }
  return value;
}

function assertJson(output: string | undefined): void {
  if (output !== 'json') {
    throw new NotOurs('--output json is required');
  }
}

function print(answer: unknown): void {
  console.log(JSON.stringify(answer, undefined, 4));
}

function exitCodeOf(error: unknown): number {
  if (error instanceof NotOurs || (error instanceof TypeError && 'code' in error)) {
    return CANNOT_PARSE;
  }
  return error instanceof S3ServiceException ? SERVICE_SAID_NO : 255;
}
