import type { Readable } from 'node:stream';
import { type BlobStore, inlineLimitBytes } from '../store/blobs.ts';
import type { Incoming } from '../store/content.ts';
import { AwsChunkedDecoder } from './aws-chunked.ts';
import { type ChecksumAlgorithm, checksumHeader, createHasher, type Hasher } from './checksums.ts';
import { type DeclaredBody, declareBody, requireWellFormed } from './declared-body.ts';
import type { S3Request } from './exchange.ts';
import { S3Error } from './s3-error.ts';

/** 5 GiB: the most one PutObject or UploadPart takes (S3 user guide, "Amazon S3 multipart upload limits"). */
export const maxSinglePutBytes = 5 * 1024 ** 3;

/** Our largest documents are 10,000 parts with checksums; S3 allows 1 MiB for CompleteMultipartUpload's peers. */
const maxDocumentBytes = 8 * 1024 ** 2;

/** Called with every piece of data; a promise holds the sender back until it is settled. */
type Sink = (data: Buffer) => Promise<void> | undefined;

export interface ReceivedBody {
  readonly incoming: Incoming;
  /** base64, of the declared algorithm and those asked for. */
  readonly checksums: ReadonlyMap<ChecksumAlgorithm, string>;
}

/** Streams an object's bytes into the store and checks everything that was declared about them. */
export async function receiveObject(
  request: S3Request,
  declared: DeclaredBody,
  also: ChecksumAlgorithm | undefined,
  blobs: BlobStore,
): Promise<ReceivedBody> {
  if (declared.lengthBytes > maxSinglePutBytes) {
    throw new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
      elements: { ProposedSize: String(declared.lengthBytes), MaxSizeAllowed: String(maxSinglePutBytes) },
    });
  }
  const reader = new BodyReader(declared, also);
  if (declared.lengthBytes <= inlineLimitBytes) {
    const { data, checksums } = await collect(request, reader);
    return { incoming: { kind: 'inline', sizeBytes: data.length, data }, checksums };
  }
  const blob = blobs.createFile();
  try {
    const checksums = await reader.read(request, (data) => blob.write(data));
    return { incoming: await blob.close(), checksums };
  } catch (error) {
    blobs.discard(await blob.close());
    throw error;
  }
}

/** A whole XML document, its checksums checked. Throws MalformedXML when it is far too long. */
export async function receiveDocument(request: S3Request, declared = declareBody(request)): Promise<Buffer> {
  if (declared.lengthBytes > maxDocumentBytes) throw new S3Error('MalformedXML', 'The XML you provided is too long.');
  return (await collect(request, new BodyReader(declared, undefined))).data;
}

async function collect(
  request: S3Request,
  reader: BodyReader,
): Promise<{ data: Buffer; checksums: ReadonlyMap<ChecksumAlgorithm, string> }> {
  const pieces: Buffer[] = [];
  const checksums = await reader.read(request, (data) => {
    pieces.push(data);
    return undefined;
  });
  const [only] = pieces;
  return { data: pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces), checksums };
}

/** Reads one body: takes the framing off, hashes, counts, and judges at the end. */
class BodyReader {
  readonly #declared: DeclaredBody;
  readonly #decoder: AwsChunkedDecoder | undefined;
  readonly #hashers = new Map<ChecksumAlgorithm, Hasher>();
  readonly #md5: Hasher | undefined;
  readonly #payloadSha256: Hasher | undefined;
  #received = 0;

  constructor(declared: DeclaredBody, also: ChecksumAlgorithm | undefined) {
    this.#declared = declared;
    this.#decoder = declared.awsChunked ? new AwsChunkedDecoder() : undefined;
    for (const algorithm of [declared.checksum?.algorithm, also]) {
      if (algorithm !== undefined) this.#hashers.set(algorithm, createHasher(algorithm));
    }
    this.#md5 = declared.contentMd5 === undefined ? undefined : createHasher('MD5');
    this.#payloadSha256 = declared.payloadSha256 === undefined ? undefined : createHasher('SHA256');
  }

  async read(request: S3Request, sink: Sink): Promise<ReadonlyMap<ChecksumAlgorithm, string>> {
    await pump(request.body, (chunk) => {
      request.meter.bytesIn += chunk.length;
      if (this.#decoder === undefined) return this.#take(chunk, sink);
      return this.#takeAll(this.#decoder.push(chunk), sink);
    });
    this.#decoder?.finish();
    if (this.#received !== this.#declared.lengthBytes) throw wrongLength();
    return await this.#judge();
  }

  #take(data: Buffer, sink: Sink): Promise<void> | undefined {
    this.#received += data.length;
    if (this.#received > this.#declared.lengthBytes) throw wrongLength();
    for (const hasher of this.#hashers.values()) hasher.update(data);
    this.#md5?.update(data);
    this.#payloadSha256?.update(data);
    return sink(data);
  }

  #takeAll(pieces: readonly Buffer[], sink: Sink): Promise<void> | undefined {
    let last: Promise<void> | undefined;
    for (const piece of pieces) {
      const previous = last;
      last = previous === undefined ? this.#take(piece, sink) : previous.then(() => this.#take(piece, sink));
    }
    return last;
  }

  async #judge(): Promise<ReadonlyMap<ChecksumAlgorithm, string>> {
    const { checksum, contentMd5, payloadSha256 } = this.#declared;
    const values = new Map<ChecksumAlgorithm, string>();
    for (const [algorithm, hasher] of this.#hashers) {
      values.set(algorithm, (await hasher.digest()).toString('base64'));
    }
    if (contentMd5 !== undefined && (await this.#md5?.digest())?.toString('base64') !== contentMd5) {
      throw new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.');
    }
    if (payloadSha256 !== undefined && (await this.#payloadSha256?.digest())?.toString('hex') !== payloadSha256) {
      throw new S3Error(
        'XAmzContentSHA256Mismatch',
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    }
    if (checksum !== undefined) {
      const sent = checksum.value ?? this.#trailer(checksum.algorithm);
      if (values.get(checksum.algorithm) !== sent) {
        throw new S3Error(
          'BadDigest',
          `The ${checksum.algorithm} you specified did not match the calculated checksum.`,
        );
      }
    }
    return values;
  }

  #trailer(algorithm: ChecksumAlgorithm): string {
    const value = this.#decoder?.trailers.get(checksumHeader(algorithm));
    if (value === undefined) {
      throw new S3Error('InvalidRequest', `The trailer ${checksumHeader(algorithm)} was announced and did not come.`);
    }
    requireWellFormed(algorithm, value);
    return value;
  }
}

function wrongLength(): S3Error {
  return new S3Error(
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header.',
  );
}

/** Hands over a stream chunk by chunk, with backpressure; cheaper than an async iterator for small bodies. */
function pump(stream: Readable, take: Sink): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      stream.off('data', onData);
      reject(error);
    };
    const onData = (chunk: Buffer) => {
      try {
        const busy = take(chunk);
        if (busy === undefined) return;
        stream.pause();
        busy.then(() => stream.resume(), fail);
      } catch (error) {
        fail(error);
      }
    };
    stream.on('data', onData);
    stream.once('end', resolve);
    stream.once('error', () => fail(closedEarly()));
    stream.once('close', () => {
      if (!stream.readableEnded) fail(closedEarly());
    });
  });
}

function closedEarly(): S3Error {
  return new S3Error('IncompleteBody', 'The connection closed before the body was complete.');
}
