import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AwsChunkedDecoder } from '../../../local/s3/protocol/aws-chunked.ts';
import { type ChecksumAlgorithm, createHasher } from '../../../local/s3/protocol/checksums.ts';
import { combineCrcs } from '../../../local/s3/protocol/crc-combine.ts';
import { crc32c } from '../../../local/s3/protocol/crc32c.ts';
import { parseTarget } from '../../../local/s3/protocol/route.ts';
import { S3Error } from '../../../local/s3/protocol/s3-error.ts';
import { sliceContent } from '../../../local/s3/store/content.ts';
import { newVersionId, sequenceOf } from '../../../local/s3/store/version-id.ts';

async function sum(algorithm: ChecksumAlgorithm, data: Uint8Array): Promise<string> {
  const hasher = createHasher(algorithm);
  hasher.update(data);
  return (await hasher.digest()).toString('base64');
}

it('computes the check values of the CRC catalogues', async () => {
  const digits = Buffer.from('123456789');
  expect(Buffer.from(await sum('CRC64NVME', digits), 'base64').toString('hex')).toBe('ae8b14860a799888');
  expect(crc32(digits).toString(16)).toBe('cbf43926');
  expect(crc32c(digits).toString(16)).toBe('e3069283');
});

it.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)('puts %s together from those of pieces', async (algorithm) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }), async (pieces) => {
      const runs = await Promise.all(
        pieces.map(async (piece) => ({ value: await sum(algorithm, piece), lengthBytes: piece.length })),
      );
      expect(combineCrcs(algorithm, runs)).toBe(await sum(algorithm, Buffer.concat(pieces)));
    }),
  );
});

it('shifts a CRC over more bytes than memory holds', () => {
  // The CRC of 2^40 zero bytes twice over is that of 2^41 at once.
  const zeros = (exponent: number): string => {
    let value = Buffer.alloc(4);
    value.writeUInt32BE(crc32(Buffer.alloc(1)));
    for (let power = 0; power < exponent; power += 1) {
      const run = { value: value.toString('base64'), lengthBytes: 2 ** power };
      value = Buffer.from(combineCrcs('CRC32', [run, run]), 'base64');
    }
    return value.toString('base64');
  };
  const known = Buffer.alloc(4);
  known.writeUInt32BE(crc32(Buffer.alloc(2 ** 20)));
  expect(zeros(20)).toBe(known.toString('base64'));
  const half = { value: zeros(40), lengthBytes: 2 ** 40 };
  expect(combineCrcs('CRC32', [half, half])).toBe(zeros(41));
});

/** Frames data the way SDKs do, signed or not. */
function frame(chunks: readonly Uint8Array[], signed: boolean, trailers = ''): Buffer {
  const signature = signed ? `;chunk-signature=${'a'.repeat(64)}` : '';
  const framed = chunks
    .filter((chunk) => chunk.length > 0)
    .map((chunk) =>
      Buffer.concat([Buffer.from(`${chunk.length.toString(16)}${signature}\r\n`), chunk, Buffer.from('\r\n')]),
    );
  return Buffer.concat([...framed, Buffer.from(`0${signature}\r\n${trailers}\r\n`)]);
}

it('takes aws-chunked framing off, however the network cuts it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 5 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 30 }),
      (chunks, signed, cut) => {
        const body = frame(chunks, signed, 'x-amz-checksum-crc32:AAAAAA==\r\nx-amz-trailer-signature:abc\r\n');
        const decoder = new AwsChunkedDecoder();
        const data: Buffer[] = [];
        for (let start = 0; start < body.length; start += cut)
          data.push(...decoder.push(body.subarray(start, start + cut)));
        decoder.finish();
        expect(Buffer.concat(data)).toEqual(Buffer.concat(chunks));
        expect(decoder.trailers.get('x-amz-checksum-crc32')).toBe('AAAAAA==');
      },
    ),
  );
});

it.each([
  ['no size', 'zz\r\n'],
  ['data longer than its size', '1\r\nab\r\n0\r\n\r\n'],
  ['no last chunk', '1\r\na\r\n'],
  ['an endless line', `1;${'x'.repeat(10_000)}`],
  ['a trailer without a colon', '0\r\nnonsense\r\n\r\n'],
])('refuses framing with %s', (_name, body) => {
  const decode = () => {
    const decoder = new AwsChunkedDecoder();
    decoder.push(Buffer.from(body));
    decoder.finish();
  };
  expect(decode).toThrow(S3Error);
});

it('finds every key in a URL again, and normalizes none', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }), (key) => {
      expect(parseTarget(`/b/${encodeURIComponent(key)}?versionId=a%2Bb`)).toMatchObject({ bucket: 'b', key });
    }),
  );
  expect(parseTarget('/b/a/../b//./c').key).toBe('a/../b//./c');
  expect(() => parseTarget('/b/%ff')).toThrow("Couldn't parse the specified URI.");
});

it('hides the place in time in a version id, and finds it again', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (sequence) => {
      expect(sequenceOf(newVersionId(sequence))).toBe(sequence);
    }),
  );
  expect(newVersionId(1)).not.toBe(newVersionId(1));
  expect(sequenceOf('null')).toBeUndefined();
});

it('slices a content without a byte too many or too few', () => {
  const bytes = Buffer.from('abcdefghijklmnopqrstuvwxyz');
  // Three segments of one blob, out of order.
  const content = [
    { blobId: 1, offset: 20, length: 6 },
    { blobId: 1, offset: 0, length: 3 },
    { blobId: 1, offset: 10, length: 5 },
  ];
  const read = (part: typeof content) =>
    part.map(({ offset, length }) => bytes.toString('utf8', offset, offset + length)).join('');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 14 }), fc.integer({ min: 0, max: 14 }), (start, end) => {
      expect(read([...sliceContent(content, start, end)])).toBe(read(content).slice(start, end));
    }),
  );
});
