import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  type ChecksumAlgorithm,
  type ChecksumType,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  type UploadPartCommandInput,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { base64Of, failureOf, patterned, required, s3Contract } from './subject.ts';

const mebibyte = 1024 ** 2;
const first = patterned(5 * mebibyte, 1);
const second = patterned(5 * mebibyte + 4, 2);
const last = patterned(1000, 3);
const whole = Buffer.concat([first, second, last]);

s3Contract('multipart uploads', (s3) => {
  const create = async (Bucket: string, more: Partial<CreateMultipartUploadCommandInput> = {}) => {
    const sums = { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } as const;
    const command = new CreateMultipartUploadCommand({ Bucket, Key: 'key', ...sums, ...more });
    return required((await s3().client.send(command)).UploadId);
  };
  const send = async (
    Bucket: string,
    UploadId: string,
    parts: readonly Buffer[],
    more: Partial<UploadPartCommandInput> = {},
  ) => {
    const sent: CompletedPart[] = [];
    for (const [index, Body] of parts.entries()) {
      const PartNumber = index + 1;
      const command = new UploadPartCommand({ Bucket, Key: 'key', UploadId, PartNumber, Body, ...more });
      const { ETag, $metadata: _, ...sums } = await s3().client.send(command);
      sent.push({ PartNumber, ETag, ...sums });
    }
    return sent;
  };
  const complete = (Bucket: string, UploadId: string, Parts: CompletedPart[], more: object = {}) =>
    s3().client.send(
      new CompleteMultipartUploadCommand({ Bucket, Key: 'key', UploadId, MultipartUpload: { Parts }, ...more }),
    );

  it('makes one object of the parts', async () => {
    const bucket = await s3().bucket();
    const id = await create(bucket, { ContentType: 'text/x', Metadata: { rank: '1' }, StorageClass: 'STANDARD_IA' });
    const parts = await send(bucket, id, [first, second, last]);
    expect(await failureOf(s3().read(bucket, 'key'))).toBe('404 NoSuchKey');
    const { ETag } = await complete(bucket, id, parts);
    expect(ETag).toMatch(/-3"$/);
    expect((await s3().read(bucket, 'key')).equals(whole)).toBe(true);
    const head = await s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'key' }));
    expect(head).toMatchObject({ ETag, ContentType: 'text/x', Metadata: { rank: '1' }, StorageClass: 'STANDARD_IA' });
  });

  it('reads ranges across the border of two parts', async () => {
    const bucket = await s3().bucket();
    const id = await create(bucket);
    await complete(bucket, id, await send(bucket, id, [first, second, last]));
    const from = first.length - 10;
    const got = await s3().read(bucket, 'key', { Range: `bytes=${from}-${from + 29}` });
    expect(got.equals(whole.subarray(from, from + 30))).toBe(true);
  });

  it('takes the parts named, in place of those uploaded before them', async () => {
    const bucket = await s3().bucket();
    const id = await create(bucket);
    await send(bucket, id, [first, second, last]);
    const [replaced] = await send(bucket, id, [second]);
    const { Parts } = await s3().client.send(new ListPartsCommand({ Bucket: bucket, Key: 'key', UploadId: id }));
    const third = required(Parts?.[2]);
    await complete(bucket, id, [required(replaced), { PartNumber: 3, ETag: third.ETag }]);
    expect((await s3().read(bucket, 'key')).equals(Buffer.concat([second, last]))).toBe(true);
  });

  it('asserts and keeps the CRC32 of the full object', async () => {
    const bucket = await s3().bucket();
    const id = await create(bucket);
    const parts = await send(bucket, id, [first, second, last]);
    const right = { ChecksumCRC32: base64Of(crc32(whole)), ChecksumType: 'FULL_OBJECT' };
    const wrong = complete(bucket, id, parts, { ...right, ChecksumCRC32: base64Of(crc32(first)) });
    expect(await failureOf(wrong)).toBe('400 BadDigest');
    expect(await complete(bucket, id, parts, right)).toMatchObject(right);
    const head = await s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'key', ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject(right);
  });

  it('puts the CRC64NVME of the full object together from parts', async () => {
    const bucket = await s3().bucket();
    const id = await create(bucket, { ChecksumAlgorithm: 'CRC64NVME' });
    const parts = await send(bucket, id, [first, last], { ChecksumAlgorithm: 'CRC64NVME' });
    const { ChecksumCRC64NVME, ChecksumType } = await complete(bucket, id, parts);
    const direct = await s3().put(bucket, 'direct', Buffer.concat([first, last]), { ChecksumAlgorithm: 'CRC64NVME' });
    expect([ChecksumCRC64NVME, ChecksumType]).toEqual([direct.ChecksumCRC64NVME, 'FULL_OBJECT']);
  });

  it('keeps a checksum of checksums for a composite upload', async () => {
    const bucket = await s3().bucket();
    const id = await create(bucket, { ChecksumAlgorithm: 'SHA256', ChecksumType: 'COMPOSITE' });
    const parts = await send(bucket, id, [first, last], { ChecksumAlgorithm: 'SHA256' });
    const digests = [first, last].map((part) => createHash('sha256').update(part).digest());
    expect(parts.map((part) => part.ChecksumSHA256)).toEqual(digests.map((digest) => digest.toString('base64')));
    const { ChecksumSHA256, ChecksumType } = await complete(bucket, id, parts);
    const expected = createHash('sha256').update(Buffer.concat(digests)).digest('base64');
    expect([ChecksumSHA256, ChecksumType]).toEqual([`${expected}-2`, 'COMPOSITE']);
  });

  it('computes a full checksum when a composite object is copied', async () => {
    const bucket = await s3().bucket();
    const id = await create(bucket, { ChecksumAlgorithm: 'CRC32', ChecksumType: 'COMPOSITE' });
    await complete(bucket, id, await send(bucket, id, [first, last]));
    const command = new CopyObjectCommand({ Bucket: bucket, Key: 'copy', CopySource: `${bucket}/key` });
    const { CopyObjectResult } = await s3().client.send(command);
    const sum = base64Of(crc32(Buffer.concat([first, last])));
    expect(CopyObjectResult).toMatchObject({ ChecksumCRC32: sum, ChecksumType: 'FULL_OBJECT' });
  });

  it.each([
    ['SHA256', 'FULL_OBJECT'],
    ['CRC64NVME', 'COMPOSITE'],
  ] satisfies [ChecksumAlgorithm, ChecksumType][])('refuses %s as %s', async (algorithm, type) => {
    const bucket = await s3().bucket();
    const request = create(bucket, { ChecksumAlgorithm: algorithm, ChecksumType: type });
    expect(await failureOf(request)).toBe('400 InvalidRequest');
  });

  it('takes no part with a checksum that the upload was not created for', async () => {
    const bucket = await s3().bucket();
    const id = await create(bucket, { ChecksumAlgorithm: 'CRC32C' });
    expect(await failureOf(send(bucket, id, [last], { ChecksumAlgorithm: 'SHA1' }))).toBe('400 InvalidRequest');
  });

  it('wants the parts’ checksums again to complete a composite upload', async () => {
    const bucket = await s3().bucket();
    const id = await create(bucket, { ChecksumAlgorithm: 'CRC32', ChecksumType: 'COMPOSITE' });
    const [part] = await send(bucket, id, [last]);
    const bare = [{ PartNumber: 1, ETag: required(part).ETag }];
    expect(await failureOf(complete(bucket, id, bare))).toMatch(/^400 Invalid(Request|Part)$/);
  });

  it('refuses wrong, missing and unordered parts', async () => {
    const bucket = await s3().bucket();
    const id = await create(bucket);
    const [one, two] = await send(bucket, id, [first, second]);
    const parts = [required(one), required(two)];
    const wrongTag = [{ ...required(one), ETag: '"00000000000000000000000000000000"' }];
    expect(await failureOf(complete(bucket, id, wrongTag))).toBe('400 InvalidPart');
    expect(await failureOf(complete(bucket, id, [...parts, { ...required(two), PartNumber: 9 }]))).toBe(
      '400 InvalidPart',
    );
    expect(await failureOf(complete(bucket, id, [...parts].reverse()))).toBe('400 InvalidPartOrder');
    const wrongSum = [{ ...required(one), ChecksumCRC32: 'AAAAAA==' }];
    expect(await failureOf(complete(bucket, id, wrongSum))).toBe('400 InvalidPart');
    expect(await failureOf(complete(bucket, id, []))).toBe('400 MalformedXML');
  });

  it('refuses a part under 5 MiB that is not the last', async () => {
    const bucket = await s3().bucket();
    const id = await create(bucket);
    const parts = await send(bucket, id, [first.subarray(1), last]);
    expect(await failureOf(complete(bucket, id, parts))).toBe('400 EntityTooSmall');
  });

  it.each([0, 10_001])('refuses part number %i', async (PartNumber) => {
    const bucket = await s3().bucket();
    const id = await create(bucket);
    expect(await failureOf(send(bucket, id, [last], { PartNumber }))).toBe('400 InvalidArgument');
  });

  it('judges the conditions of the completion, and can be completed afterwards', async () => {
    const bucket = await s3().bucket();
    const { ETag } = await s3().put(bucket, 'key', 'taken');
    const id = await create(bucket);
    const parts = await send(bucket, id, [last]);
    expect(await failureOf(complete(bucket, id, parts, { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed');
    expect(await s3().text(bucket, 'key')).toBe('taken');
    await complete(bucket, id, parts, { IfMatch: ETag });
    expect((await s3().read(bucket, 'key')).equals(last)).toBe(true);
  });

  it('answers the same completion twice', async () => {
    const bucket = await s3().bucket();
    const id = await create(bucket);
    const parts = await send(bucket, id, [last]);
    const once = await complete(bucket, id, parts);
    const twice = await complete(bucket, id, parts);
    expect(twice.ETag).toBe(once.ETag);
  });

  it('compares the object size that the completion names', async () => {
    const bucket = await s3().bucket();
    const id = await create(bucket);
    const parts = await send(bucket, id, [last]);
    expect(await failureOf(complete(bucket, id, parts, { MpuObjectSize: 999 }))).toBe('400 InvalidRequest');
    await complete(bucket, id, parts, { MpuObjectSize: 1000 });
  });

  it('knows no upload that was aborted, or never was', async () => {
    const bucket = await s3().bucket();
    const UploadId = await create(bucket);
    const parts = await send(bucket, UploadId, [last]);
    const abort = () => s3().client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: 'key', UploadId }));
    await abort();
    expect(await failureOf(complete(bucket, UploadId, parts))).toBe('404 NoSuchUpload');
    expect(await failureOf(send(bucket, UploadId, [last]))).toBe('404 NoSuchUpload');
    expect(await failureOf(abort())).toBe('404 NoSuchUpload');
    const list = new ListPartsCommand({ Bucket: bucket, Key: 'key', UploadId: 'never-was' });
    expect(await failureOf(s3().client.send(list))).toBe('404 NoSuchUpload');
  });

  it('lists parts, page after page', async () => {
    const bucket = await s3().bucket();
    const UploadId = await create(bucket);
    const sent = await send(bucket, UploadId, [last, last, last]);
    const list = (PartNumberMarker?: string) =>
      s3().client.send(new ListPartsCommand({ Bucket: bucket, Key: 'key', UploadId, MaxParts: 2, PartNumberMarker }));
    const one = await list();
    const two = await list(one.NextPartNumberMarker);
    expect([one.IsTruncated, two.IsTruncated]).toEqual([true, false]);
    const listed = [...(one.Parts ?? []), ...(two.Parts ?? [])];
    expect(listed).toMatchObject(
      sent.map(({ PartNumber, ETag, ChecksumCRC32 }) => ({ PartNumber, ETag, ChecksumCRC32, Size: 1000 })),
    );
    expect([one.ChecksumAlgorithm, one.ChecksumType]).toEqual(['CRC32', 'FULL_OBJECT']);
  });

  it('lists open uploads by key, page after page', async () => {
    const bucket = await s3().bucket();
    const ids: string[] = [];
    for (const Key of ['a', 'b', 'b', 'c/d']) ids.push(await create(bucket, { Key }));
    const list = (more: object) => s3().client.send(new ListMultipartUploadsCommand({ Bucket: bucket, ...more }));
    const one = await list({ MaxUploads: 2 });
    const two = await list({ KeyMarker: one.NextKeyMarker, UploadIdMarker: one.NextUploadIdMarker });
    const listed = [...(one.Uploads ?? []), ...(two.Uploads ?? [])];
    expect(listed.map(({ Key }) => Key)).toEqual(['a', 'b', 'b', 'c/d']);
    expect(new Set(listed.map(({ UploadId }) => UploadId))).toEqual(new Set(ids));
    expect((await list({ Prefix: 'c/' })).Uploads).toMatchObject([{ Key: 'c/d', UploadId: ids[3] }]);
    expect((await list({ KeyMarker: 'b' })).Uploads).toMatchObject([{ Key: 'c/d' }]);
  });
});

s3Contract('UploadPartCopy', (s3) => {
  const create = async (Bucket: string, sums: Partial<CreateMultipartUploadCommandInput>) =>
    required((await s3().client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'key', ...sums }))).UploadId);
  const copy = async (Bucket: string, UploadId: string, PartNumber: number, more: object = {}) => {
    const source = { CopySource: `${Bucket}/source`, ...more };
    const command = new UploadPartCopyCommand({ Bucket, Key: 'key', UploadId, PartNumber, ...source });
    return required((await s3().client.send(command)).CopyPartResult);
  };

  it.each(['CRC64NVME', 'CRC32'] satisfies ChecksumAlgorithm[])('copies ranges with their %s', async (algorithm) => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'source', whole);
    const UploadId = await create(bucket, { ChecksumAlgorithm: algorithm, ChecksumType: 'FULL_OBJECT' });
    const border = 5 * mebibyte + 77;
    const one = await copy(bucket, UploadId, 1, { CopySourceRange: `bytes=0-${border - 1}` });
    const two = await copy(bucket, UploadId, 2, { CopySourceRange: `bytes=${border}-${whole.length - 1}` });
    const Parts = [one, two].map(({ LastModified: _, ...part }, index) => ({ PartNumber: index + 1, ...part }));
    expect(required(one[`Checksum${algorithm}`])).not.toBe(two[`Checksum${algorithm}`]);
    const direct = await s3().put(bucket, 'direct', whole, { ChecksumAlgorithm: algorithm });
    const asserted = { [`Checksum${algorithm}`]: direct[`Checksum${algorithm}`] };
    const command = { Bucket: bucket, Key: 'key', UploadId, MultipartUpload: { Parts }, ...asserted };
    expect(await s3().client.send(new CompleteMultipartUploadCommand(command))).toMatchObject(asserted);
    expect((await s3().read(bucket, 'key')).equals(whole)).toBe(true);
  });

  it('copies a part only from the ETag and the version named', async () => {
    const bucket = await s3().bucket('versioned');
    const { ETag, VersionId } = await s3().put(bucket, 'source', 'one');
    await s3().put(bucket, 'source', 'two');
    const UploadId = await create(bucket, {});
    const late = copy(bucket, UploadId, 1, { CopySourceIfMatch: ETag });
    expect(await failureOf(late)).toBe('412 PreconditionFailed');
    const CopySource = `${bucket}/source?versionId=${VersionId}`;
    const part = await copy(bucket, UploadId, 1, { CopySource, CopySourceIfMatch: ETag });
    const Parts = [{ PartNumber: 1, ETag: part.ETag }];
    const command = { Bucket: bucket, Key: 'key', UploadId, MultipartUpload: { Parts } };
    await s3().client.send(new CompleteMultipartUploadCommand(command));
    expect(await s3().text(bucket, 'key')).toBe('one');
  });

  it.each(['bytes=0-9', 'bytes=2-', 'bytes=-2'])('refuses %s of a source of 3 bytes', async (CopySourceRange) => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'source', 'one');
    const UploadId = await create(bucket, {});
    expect(await failureOf(copy(bucket, UploadId, 1, { CopySourceRange }))).toMatch(/^4(00|16) Invalid/);
  });

  it('returns no checksum for an upload that was created without', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'source', 'one');
    const part = await copy(bucket, await create(bucket, {}), 1);
    expect(Object.keys(part).sort()).toEqual(['ETag', 'LastModified']);
  });

  it('refuses to copy an object of more than 5 GiB at once, and copies it in ranges', async () => {
    const bucket = await s3().bucket();
    await s3().put(bucket, 'source', patterned(16 * mebibyte), { ChecksumAlgorithm: 'CRC32' });
    const assemble = async (from: string, times: number) => {
      const UploadId = await create(bucket, { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' });
      const Parts: CompletedPart[] = [];
      for (let PartNumber = 1; PartNumber <= times; PartNumber += 1) {
        const { ETag } = await copy(bucket, UploadId, PartNumber, { CopySource: `${bucket}/${from}` });
        Parts.push({ PartNumber, ETag });
      }
      const command = { Bucket: bucket, Key: 'key', UploadId, MultipartUpload: { Parts } };
      await s3().client.send(new CompleteMultipartUploadCommand(command));
    };
    await assemble('source', 32);
    await assemble('key', 11);
    const head = await s3().client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'key' }));
    expect(head.ContentLength).toBe(5.5 * 1024 ** 3);
    const whole = { Bucket: bucket, Key: 'copy', CopySource: `${bucket}/key` };
    expect(await failureOf(s3().client.send(new CopyObjectCommand(whole)))).toBe('400 InvalidRequest');
    const UploadId = await create(bucket, {});
    expect(await failureOf(copy(bucket, UploadId, 1, { CopySource: `${bucket}/key` }))).toBe('400 InvalidRequest');
  });
});
