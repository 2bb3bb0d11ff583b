import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { expect, it } from 'vitest';
import { raw, running } from './running.ts';

function crcOf(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString('base64');
}

it.each([
  ['GET /bkt/key?acl', {}, "The query parameter 'acl' of GetObject"],
  ['GET /bkt/key?partNumber=1', {}, "The query parameter 'partNumber' of GetObject"],
  ['GET /bkt', {}, 'GET on a bucket is'],
  ['GET /bkt?lifecycle', {}, 'GET on a bucket with lifecycle'],
  ['POST /bkt/key?select', {}, 'POST on an object with select'],
  ['PATCH /bkt/key', {}, 'PATCH on an object'],
  ['PUT /', {}, 'PUT on the service'],
  ['PUT /bkt?policy', {}, "The query parameter 'policy' of CreateBucket"],
  ['PUT /bkt/key', { 'x-amz-acl': 'private' }, "The header 'x-amz-acl' of PutObject"],
  ['PUT /bkt/key', { 'x-amz-checksum-md5': 'AA==' }, "The header 'x-amz-checksum-md5' of PutObject"],
  [
    'PUT /bkt/key',
    { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' },
    'x-amz-server-side-encryption-customer-algorithm',
  ],
  ['PUT /bkt/key', { 'x-amz-server-side-encryption': 'aws:kms:dsse' }, "Server-side encryption 'aws:kms:dsse'"],
  ['PUT /bkt/key', { 'if-none-match': '"etag"' }, 'If-None-Match with an ETag on a write'],
  ['PUT /bkt/key?partNumber=1&uploadId=u', { 'if-none-match': '*' }, "The header 'if-none-match' of UploadPart"],
  ['GET /bkt/key', { 'x-amz-request-payer': 'requester' }, "The header 'x-amz-request-payer' of GetObject"],
  ['DELETE /bkt/key', { 'x-amz-mfa': '1 2' }, "The header 'x-amz-mfa' of DeleteObject"],
  ['DELETE /bkt/key?versionId=v', { 'if-match': '*' }, 'If-Match on the deletion of a version'],
])('answers %s %j with 501 and names it', async (line, headers, named) => {
  const { s3 } = await running();
  const answer = await raw(s3, line, headers);
  expect([answer.status, answer.code]).toEqual([501, 'NotImplemented']);
  expect(answer.text.replaceAll('&quot;', '"')).toContain(named);
});

it('wants the length of a body', async () => {
  const { s3 } = await running();
  const answer = await raw(s3, 'PUT /bkt/key', { 'transfer-encoding': 'chunked' }, 'body');
  expect([answer.status, answer.code]).toEqual([411, 'MissingContentLength']);
});

it('refuses more than 5 GiB in one put before a byte is sent', async () => {
  const { s3 } = await running();
  const headers = {
    'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'x-amz-decoded-content-length': '5368709121',
  };
  expect((await raw(s3, 'PUT /bkt/key', headers, '0\r\n\r\n')).code).toBe('EntityTooLarge');
});

it('checks the hash of a signed payload', async () => {
  const { s3 } = await running();
  const right = createHash('sha256').update('body').digest('hex');
  expect((await raw(s3, 'PUT /bkt/key', { 'x-amz-content-sha256': right }, 'body')).status).toBe(200);
  const answer = await raw(s3, 'PUT /bkt/key', { 'x-amz-content-sha256': right }, 'other');
  expect(answer.code).toBe('XAmzContentSHA256Mismatch');
});

it('takes signed chunks with a trailing checksum, and refuses a wrong one', async () => {
  const { s3 } = await running();
  const send = (trailer: string) => {
    const signature = `;chunk-signature=${'0'.repeat(64)}`;
    const body = `4${signature}\r\nsome\r\n5${signature}\r\n data\r\n0${signature}\r\nx-amz-checksum-crc32:${trailer}\r\nx-amz-trailer-signature:${'0'.repeat(64)}\r\n\r\n`;
    const headers = {
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': '9',
      'x-amz-trailer': 'x-amz-checksum-crc32',
      'content-encoding': 'aws-chunked',
    };
    return raw(s3, 'PUT /bkt/key', headers, body);
  };
  const right = await send(crcOf('some data'));
  expect([right.status, right.headers['x-amz-checksum-crc32']]).toEqual([200, crcOf('some data')]);
  const got = await raw(s3, 'GET /bkt/key');
  expect([got.text, got.headers['content-encoding']]).toEqual(['some data', undefined]);
  expect((await send(crcOf('other'))).code).toBe('BadDigest');
  expect((await send('short')).code).toBe('InvalidRequest');
});

it('takes signed chunks without a trailer', async () => {
  const { s3 } = await running();
  const signature = `;chunk-signature=${'0'.repeat(64)}`;
  const headers = { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'x-amz-decoded-content-length': '4' };
  const answer = await raw(s3, 'PUT /bkt/key', headers, `4${signature}\r\nsome\r\n0${signature}\r\n\r\n`);
  expect(answer.status).toBe(200);
  expect((await raw(s3, 'GET /bkt/key')).text).toBe('some');
});

it('refuses a decoded length that is not the data’s', async () => {
  const { s3 } = await running();
  const headers = { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'x-amz-decoded-content-length': '5' };
  expect((await raw(s3, 'PUT /bkt/key', headers, '4\r\nsome\r\n0\r\n\r\n')).code).toBe('IncompleteBody');
  expect((await raw(s3, 'PUT /bkt/key', headers, '6\r\nsome d\r\n0\r\n\r\n')).code).toBe('IncompleteBody');
});

it('refuses checksums that contradict each other or were promised and not sent', async () => {
  const { s3 } = await running();
  const crc = crcOf('x');
  const two = { 'x-amz-checksum-crc32': crc, 'x-amz-checksum-crc32c': crc };
  expect((await raw(s3, 'PUT /bkt/key', two, 'x')).code).toBe('InvalidRequest');
  expect((await raw(s3, 'PUT /bkt/key', { 'x-amz-sdk-checksum-algorithm': 'CRC32' }, 'x')).code).toBe('InvalidRequest');
  const other = { 'x-amz-sdk-checksum-algorithm': 'SHA1', 'x-amz-checksum-crc32': crc };
  expect((await raw(s3, 'PUT /bkt/key', other, 'x')).code).toBe('InvalidRequest');
});

it('wants a checksum or an MD5 with a batch delete', async () => {
  const { s3 } = await running();
  const body = '<Delete><Object><Key>a</Key></Object></Delete>';
  expect((await raw(s3, 'POST /bkt?delete', {}, body)).code).toBe('InvalidRequest');
  const md5 = createHash('md5').update(body).digest('base64');
  expect((await raw(s3, 'POST /bkt?delete', { 'content-md5': md5 }, body)).status).toBe(200);
});

it.each(['', 'not xml', '<Delete>', '<Delete><Object><Kay>a</Kay></Object></Delete>', '<Other/>'])(
  'refuses %j as a batch delete',
  async (body) => {
    const { s3 } = await running();
    const md5 = createHash('md5').update(body).digest('base64');
    expect((await raw(s3, 'POST /bkt?delete', { 'content-md5': md5 }, body)).code).toBe('MalformedXML');
  },
);

it('refuses a URL that is not UTF-8, and a range of several ranges', async () => {
  const { s3 } = await running();
  expect((await raw(s3, 'GET /bkt/%ff')).code).toBe('InvalidURI');
  await raw(s3, 'PUT /bkt/key', {}, 'content');
  expect((await raw(s3, 'GET /bkt/key', { range: 'bytes=0-1,3-4' })).code).toBe('NotImplemented');
});

it('ignores a range that is not understood, as HTTP says', async () => {
  const { s3 } = await running();
  await raw(s3, 'PUT /bkt/key', {}, 'content');
  for (const range of ['bytes=x-y', 'lines=1-2', 'bytes=-', 'bytes=5-2']) {
    expect(await raw(s3, 'GET /bkt/key', { range })).toMatchObject({ status: 200, text: 'content' });
  }
});

it('counts what it refused, by caller', async () => {
  const { s3 } = await running();
  await raw(s3, 'GET /bkt/key?acl', { 'user-agent': 'curl rankvault/Curious x' });
  const { byCaller } = s3.counters.snapshot();
  expect(byCaller).toMatchObject({ Curious: { byOperation: { Unknown: { requests: 1, failures: 1 } } } });
});
