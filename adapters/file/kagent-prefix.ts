import { ListObjectsV2Command, type ListObjectsV2CommandOutput, type S3Client } from '@aws-sdk/client-s3';
import { epochMillisOfDirectory } from '../../core/ids.ts';
import type { KagentCandidate } from '../../core/kagent.ts';
import { s3Failure } from '../s3/s3-errors.ts';
import { parseS3Url } from '../s3/s3-url.ts';
import type { KagentStorage } from './kagent-storage.ts';

interface KagentPrefixOptions {
  readonly client: S3Client;
  /** KAgent's backup path: `s3://bucket/backups`. */
  readonly url: string;
  /** KAgent's name of the cluster. */
  readonly clusterName: string;
}

/** KAgent's snapshot directories in a bucket, to which its backup path was synced or mounted. */
export class S3KagentStorage implements KagentStorage {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(options: KagentPrefixOptions) {
    const { bucket, prefix } = parseS3Url(options.url);
    this.#client = options.client;
    this.#bucket = bucket;
    this.#prefix = `${prefix}${options.clusterName}/`;
  }

  async directories(): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const page of this.#pages(this.#prefix, '/')) {
      for (const { Prefix } of page.CommonPrefixes ?? []) {
        names.push((Prefix ?? '').slice(this.#prefix.length, -1));
      }
    }
    return names.filter((name) => epochMillisOfDirectory(name) !== undefined);
  }

  async inspect(directory: string): Promise<KagentCandidate | undefined> {
    let newest: number | undefined;
    for await (const page of this.#pages(`${this.#prefix}${directory}/`, undefined)) {
      for (const { LastModified } of page.Contents ?? []) {
        newest = Math.max(newest ?? 0, LastModified?.getTime() ?? 0);
      }
    }
    return newest === undefined ? undefined : { directory, newestChangeEpochMillis: newest, holdsFiles: true };
  }

  async *#pages(prefix: string, delimiter: '/' | undefined): AsyncGenerator<ListObjectsV2CommandOutput> {
    let token: string | undefined;
    do {
      const page = await this.#page(prefix, delimiter, token);
      yield page;
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  async #page(
    prefix: string,
    delimiter: '/' | undefined,
    token: string | undefined,
  ): Promise<ListObjectsV2CommandOutput> {
    try {
      return await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: prefix,
          ...(delimiter === undefined ? {} : { Delimiter: delimiter }),
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
      );
    } catch (error) {
      throw s3Failure(error, { operation: 'ListObjectsV2', bucket: this.#bucket, key: prefix });
    }
  }
}
