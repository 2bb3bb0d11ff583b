import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
} from '@aws-sdk/client-s3';
import type { Clock } from '../../core/ports/clock.ts';
import type {
  ListedVersion,
  LockedVersion,
  OpenUpload,
  VaultVersions,
  VersionName,
} from '../../core/ports/vault-versions.ts';
import { deleteVersions } from './delete-versions.ts';
import { ownerHeaders } from './object-lock.ts';
import type { VaultBucket } from './s3-bucket.ts';
import { isUploadGone, S3RequestFailed, s3Failure } from './s3-errors.ts';
import { versionsOfPage } from './version-page.ts';

/**
 * The vault's versions in S3.
 *
 * Permissions: s3:ListBucketVersions and s3:ListBucketMultipartUploads on the bucket; on the objects s3:DeleteObjectVersion,
 * s3:DeleteObject (delete markers), s3:AbortMultipartUpload, and, to tell a locked version from a missing permission,
 * s3:GetObjectVersion, s3:GetObjectRetention, s3:GetObjectLegalHold. Never s3:BypassGovernanceRetention.
 */
export class S3VaultVersions implements VaultVersions {
  readonly #vault: VaultBucket;
  readonly #clock: Clock;

  /** @param clock says whether the lock of a version that S3 would not delete still holds */
  constructor(vault: VaultBucket, clock: Clock) {
    this.#vault = vault;
    this.#clock = clock;
  }

  async *listVersions(prefix: string, after?: string): AsyncIterable<ListedVersion> {
    // A key marker without a version id marker begins after the last version of that key (S3 API reference, ListObjectVersions).
    for await (const page of this.#pages({ Prefix: prefix, ...(after === undefined ? {} : { KeyMarker: after }) })) {
      yield* versionsOfPage(page);
    }
  }

  async *listDirectories(prefix: string): AsyncIterable<string> {
    for await (const page of this.#pages({ Prefix: prefix, Delimiter: '/' })) {
      for (const { Prefix: directory = '' } of page.CommonPrefixes ?? []) {
        yield directory.slice(prefix.length, -1);
      }
    }
  }

  async deleteVersions(versions: readonly VersionName[]): Promise<readonly LockedVersion[]> {
    return deleteVersions(this.#vault, versions, this.#clock);
  }

  async hide(key: string): Promise<void> {
    try {
      await this.#vault.client.send(new DeleteObjectCommand({ ...this.#bucket(), Key: key }));
    } catch (error) {
      throw this.#failure('DeleteObject', key, error);
    }
  }

  async *listUploads(prefix: string): AsyncIterable<OpenUpload> {
    let markers: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } | undefined = {};
    while (markers !== undefined) {
      const page = await this.#uploadPage(prefix, markers);
      for (const { Key: key = '', UploadId: uploadId = '', Initiated: initiated } of page.Uploads ?? []) {
        yield { key, uploadId, initiatedAtEpochMillis: initiated?.getTime() ?? 0 };
      }
      const { NextUploadIdMarker: UploadIdMarker = '' } = page;
      markers = page.IsTruncated === true ? { KeyMarker: this.#nextKey(page), UploadIdMarker } : undefined;
    }
  }

  async abortUpload({ key, uploadId }: Pick<OpenUpload, 'key' | 'uploadId'>): Promise<void> {
    try {
      await this.#vault.client.send(
        new AbortMultipartUploadCommand({ ...this.#bucket(), Key: key, UploadId: uploadId }),
      );
    } catch (error) {
      if (!isUploadGone(error)) {
        throw this.#failure('AbortMultipartUpload', key, error);
      }
    }
  }

  /** The SDK has no paginator for listings with two markers. */
  async *#pages(query: {
    readonly Prefix: string;
    readonly KeyMarker?: string;
    readonly Delimiter?: '/';
  }): AsyncGenerator<ListObjectVersionsCommandOutput> {
    let markers: { readonly KeyMarker?: string; readonly VersionIdMarker?: string } | undefined = {};
    while (markers !== undefined) {
      const page: ListObjectVersionsCommandOutput = await this.#page({ ...query, ...markers });
      yield page;
      const { NextVersionIdMarker: VersionIdMarker } = page;
      const version = VersionIdMarker === undefined ? {} : { VersionIdMarker };
      markers = page.IsTruncated === true ? { KeyMarker: this.#nextKey(page), ...version } : undefined;
    }
  }

  async #page(query: { readonly Prefix: string }): Promise<ListObjectVersionsCommandOutput> {
    try {
      return await this.#vault.client.send(new ListObjectVersionsCommand({ ...this.#bucket(), ...query }));
    } catch (error) {
      throw this.#failure('ListObjectVersions', query.Prefix, error);
    }
  }

  async #uploadPage(prefix: string, markers: { readonly KeyMarker?: string; readonly UploadIdMarker?: string }) {
    try {
      const query = { ...this.#bucket(), Prefix: prefix, ...markers };
      return await this.#vault.client.send(new ListMultipartUploadsCommand(query));
    } catch (error) {
      throw this.#failure('ListMultipartUploads', prefix, error);
    }
  }

  /** Taking a listing for complete that is not would make parts look lost. */
  #nextKey(page: { readonly NextKeyMarker?: string | undefined }): string {
    if (page.NextKeyMarker === undefined) {
      throw new S3RequestFailed(`A listing of s3://${this.#vault.bucket} was cut without saying where to go on.`, {
        hint: 'Run it again; if it stays, the endpoint does not page as S3 does: use S3 itself.',
      });
    }
    return page.NextKeyMarker;
  }

  #bucket() {
    return { Bucket: this.#vault.bucket, ...ownerHeaders(this.#vault.expectedBucketOwner) };
  }

  #failure(operation: string, key: string, error: unknown): Error {
    return s3Failure(error, { operation, bucket: this.#vault.bucket, key });
  }
}
