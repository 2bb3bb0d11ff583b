import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3';
import { StoreUnavailable } from '../../core/errors.ts';
import type {
  ListedObject,
  ListOptions,
  ObjectHead,
  ObjectStore,
  StoredObject,
  StreamedObject,
} from '../../core/ports/object-store.ts';
import { DigestedStream } from './block-stream.ts';
import { ownerHeaders } from './object-lock.ts';
import { byteChunks, readBytes } from './read-bytes.ts';
import type { VaultBucket } from './s3-bucket.ts';
import { isAbsent, isConditionLost, isPreconditionFailed, isUploadGone, s3Failure, wasRetried } from './s3-errors.ts';
import { putBytes, uploadStream } from './stream-upload.ts';

/** One bucket of S3; the vault's with its Object Lock, or the work bucket. */
export class S3ObjectStore implements ObjectStore {
  readonly #bucket: VaultBucket;

  constructor(bucket: VaultBucket) {
    this.#bucket = bucket;
  }

  async get(key: string): Promise<StoredObject | undefined> {
    const output = await this.#unlessAbsent('GetObject', key, () =>
      this.#bucket.client.send(new GetObjectCommand({ ...this.#at(key), ChecksumMode: 'ENABLED' })),
    );
    return output === undefined ? undefined : { ...headOf(output), body: this.#bodyOf(output, key) };
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    const output = await this.#unlessAbsent('HeadObject', key, () =>
      this.#bucket.client.send(new HeadObjectCommand(this.#at(key))),
    );
    return output === undefined ? undefined : headOf(output);
  }

  async create(key: string, body: Uint8Array): Promise<'created' | 'exists'> {
    return this.#unlessThere(key, () => putBytes(this.#bucket, { key, bytes: body, ifNoneMatch: '*' }));
  }

  async createStream(key: string, body: AsyncIterable<Uint8Array>): Promise<StreamedObject> {
    const stream = new DigestedStream(body);
    const outcome = await this.#unlessThere(key, () =>
      uploadStream(this.#bucket, { key, body: stream.read(), ifNoneMatch: '*' }),
    );
    return { outcome, sha256: stream.sha256(), sizeBytes: stream.sizeBytes };
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    await this.#failing('PutObject', key, () => putBytes(this.#bucket, { key, bytes: body }));
  }

  async putStream(key: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#failing('Upload', key, () => uploadStream(this.#bucket, { key, body }));
  }

  async replace(key: string, body: Uint8Array, etag: string): Promise<'replaced' | 'lost'> {
    try {
      await putBytes(this.#bucket, { key, bytes: body, ifMatch: etag });
      return 'replaced';
    } catch (error) {
      if (isPreconditionFailed(error) || isAbsent(error)) {
        return wasRetried(error) && (await this.#holds(key, body)) ? 'replaced' : 'lost';
      }
      throw s3Failure(error, { operation: 'PutObject', bucket: this.#bucket.bucket, key });
    }
  }

  async deleteIfMatch(key: string, etag: string): Promise<'deleted' | 'lost'> {
    try {
      await this.#bucket.client.send(new DeleteObjectCommand({ ...this.#at(key), IfMatch: etag }));
      return 'deleted';
    } catch (error) {
      if (isPreconditionFailed(error) || isAbsent(error)) {
        return wasRetried(error) && (await this.head(key)) === undefined ? 'deleted' : 'lost';
      }
      throw s3Failure(error, { operation: 'DeleteObject', bucket: this.#bucket.bucket, key });
    }
  }

  async delete(key: string): Promise<void> {
    await this.#failing('DeleteObject', key, () => this.#bucket.client.send(new DeleteObjectCommand(this.#at(key))));
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<ListedObject> {
    let token: string | undefined;
    do {
      const page = await this.#failing('ListObjectsV2', prefix, () =>
        this.#bucket.client.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket.bucket,
            Prefix: prefix,
            ...(options.startAfter === undefined ? {} : { StartAfter: options.startAfter }),
            ...(token === undefined ? {} : { ContinuationToken: token }),
            ...ownerHeaders(this.#bucket.expectedBucketOwner),
          }),
        ),
      );
      for (const entry of page.Contents ?? []) {
        yield { key: entry.Key ?? '', sizeBytes: entry.Size ?? 0, etag: entry.ETag ?? '' };
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  #at(key: string) {
    return { Bucket: this.#bucket.bucket, Key: key, ...ownerHeaders(this.#bucket.expectedBucketOwner) };
  }

  async #failing<Result>(operation: string, key: string, call: () => Promise<Result>): Promise<Result> {
    try {
      return await call();
    } catch (error) {
      throw s3Failure(error, { operation, bucket: this.#bucket.bucket, key });
    }
  }

  async #unlessAbsent<Result>(
    operation: string,
    key: string,
    call: () => Promise<Result>,
  ): Promise<Result | undefined> {
    try {
      return await call();
    } catch (error) {
      if (isAbsent(error)) {
        return undefined;
      }
      throw s3Failure(error, { operation, bucket: this.#bucket.bucket, key });
    }
  }

  /** A lost race (409) leaves the winner's object; an upload that is gone was completed by an earlier try of ours. */
  async #unlessThere(key: string, write: () => Promise<void>): Promise<'created' | 'exists'> {
    try {
      await write();
      return 'created';
    } catch (error) {
      if (isPreconditionFailed(error)) {
        return 'exists';
      }
      if ((isConditionLost(error) || isUploadGone(error)) && (await this.head(key)) !== undefined) {
        return 'exists';
      }
      throw isUploadGone(error) ? this.#vanished(key, error) : s3Failure(error, this.#subject(key));
    }
  }

  #vanished(key: string, cause: unknown): StoreUnavailable {
    return new StoreUnavailable(`The multipart upload of s3://${this.#bucket.bucket}/${key} vanished.`, {
      hint: 'The workflow tries again; if it goes on, look for a lifecycle rule that aborts uploads too early.',
      cause,
    });
  }

  #subject(key: string) {
    return { operation: 'Creation', bucket: this.#bucket.bucket, key };
  }

  async #holds(key: string, body: Uint8Array): Promise<boolean> {
    const stored = await this.get(key);
    return stored !== undefined && (await readBytes(stored.body)).equals(body);
  }

  /** Bytes as they arrive; a connection that breaks, or a checksum that does not fit, throws as any other failure. */
  async *#bodyOf(output: GetObjectCommandOutput, key: string): AsyncIterable<Uint8Array> {
    try {
      for await (const chunk of byteChunks(output.Body)) {
        yield chunk;
      }
    } catch (error) {
      throw s3Failure(error, { operation: 'Reading', bucket: this.#bucket.bucket, key });
    }
  }
}

function headOf(output: {
  readonly ContentLength?: number | undefined;
  readonly ETag?: string | undefined;
  readonly VersionId?: string | undefined;
}): ObjectHead {
  return {
    sizeBytes: output.ContentLength ?? 0,
    etag: output.ETag ?? '',
    ...(output.VersionId === undefined ? {} : { versionId: output.VersionId }),
  };
}
