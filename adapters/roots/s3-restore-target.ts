import { DeleteObjectCommand, HeadObjectCommand, type HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { algorithmOf, type Checksum, type ChecksumAlgorithm } from '../../core/checksum.ts';
import { ChecksumMismatch, VaultPartMissing } from '../../core/errors.ts';
import type { RankName } from '../../core/ids.ts';
import { isDirectoryLine, type ManifestLine, type PartLine } from '../../core/manifest.ts';
import type { LiveEntry } from '../../core/part.ts';
import type { RestoreMarker, VaultSource } from '../../core/ports/restore-target.ts';
import { deletePrefix } from '../s3/delete-prefix.ts';
import { copyObject } from '../s3/object-copy.ts';
import { ownerHeaders } from '../s3/object-lock.ts';
import { fullObjectChecksumOf } from '../s3/s3-checksum.ts';
import { isAbsent, isBadDigest, s3Failure } from '../s3/s3-errors.ts';
import { asideDirectory } from './restore-marker.ts';
import { moveObjectAside } from './s3-aside.ts';
import { S3RestoreMarker } from './s3-markers.ts';
import { discoverS3Ranks, listS3Rank } from './s3-root-entries.ts';
import { keyInRoot, pathInRoot, rankPrefix, type S3RootLocation } from './s3-root-location.ts';
import { rootFailure } from './s3-source-root.ts';
import type { SingleTarget } from './single-root.ts';

export interface S3TargetOptions {
  /** @default MULTIPART_COPY_ABOVE_BYTES */
  readonly multipartAboveBytes?: number;
  /** @default - see `rangeSizeFor` */
  readonly rangeSizeBytes?: number;
  /** Account that owns the vault. @default - not checked */
  readonly vaultOwner?: string;
}

/** A root on S3 as a restore reads and writes it. Objects have no attributes and there are no directories. */
export class S3RestoreTarget implements SingleTarget {
  readonly name: string;
  readonly hasDirectories = false;
  readonly #location: S3RootLocation;
  readonly #marker: S3RestoreMarker;
  readonly #options: S3TargetOptions;

  constructor(location: S3RootLocation, options: S3TargetOptions = {}) {
    this.name = location.name;
    this.#location = location;
    this.#marker = new S3RestoreMarker(location);
    this.#options = options;
  }

  async *listRank(rank: RankName, after: string | undefined): AsyncIterable<LiveEntry> {
    try {
      yield* listS3Rank(this.#location, rank, { after, archived: 'show' });
    } catch (error) {
      throw rootFailure(this.#location, error);
    }
  }

  async discoverRanks(): Promise<readonly number[]> {
    try {
      return await discoverS3Ranks(this.#location);
    } catch (error) {
      throw rootFailure(this.#location, error);
    }
  }

  accepts(rank: RankName): boolean {
    return rankPrefix(this.#location, rank) !== undefined;
  }

  excludes(rank: RankName, line: ManifestLine): boolean {
    return !isDirectoryLine(line) && this.#location.excludes(pathInRoot(this.#location, rank, line.path));
  }

  async checksumOf(rank: RankName, path: string, algorithm: ChecksumAlgorithm): Promise<Checksum | undefined> {
    const head = await this.#head(keyInRoot(this.#location, rank, path));
    return head === undefined ? undefined : fullObjectChecksumOf(head, algorithm);
  }

  async placePart(rank: RankName, line: PartLine, source: VaultSource): Promise<void> {
    const key = keyInRoot(this.#location, rank, line.path);
    const placed = await this.#failing('Copying from the vault', key, async () =>
      this.#copyFromVault(key, line, source),
    );
    if (placed !== line.checksum) {
      throw mismatch(line, source, `has ${placed}`);
    }
  }

  setAttributes(): Promise<void> {
    return Promise.resolve();
  }

  makeDirectory(): Promise<void> {
    return Promise.resolve();
  }

  finishDirectory(): Promise<void> {
    return Promise.resolve();
  }

  async remove(rank: RankName, path: string): Promise<void> {
    if (!path.endsWith('/')) {
      const key = keyInRoot(this.#location, rank, path);
      await this.#failing('DeleteObject', key, async () =>
        this.#location.client.send(new DeleteObjectCommand(this.#at(key))),
      );
    }
  }

  async moveAside(rank: RankName, path: string, label: string): Promise<void> {
    if (path.endsWith('/')) {
      return;
    }
    const { vaultOwner: _, ...sizes } = this.#options;
    await moveObjectAside(this.#location, {
      key: keyInRoot(this.#location, rank, path),
      asideKey: this.#location.prefix + asideDirectory(label) + pathInRoot(this.#location, rank, path),
      ...sizes,
    });
  }

  async removeAside(label: string): Promise<void> {
    await deletePrefix(this.#location, this.#location.prefix + asideDirectory(label));
  }

  async readMarker(): Promise<RestoreMarker | undefined> {
    return this.#marker.read();
  }

  async writeMarker(marker: RestoreMarker): Promise<void> {
    await this.#marker.write(marker);
  }

  async removeMarker(execution: string): Promise<void> {
    await this.#marker.remove(execution);
  }

  async #copyFromVault(key: string, line: PartLine, source: VaultSource): Promise<Checksum> {
    const { vaultOwner, ...sizes } = this.#options;
    try {
      return await copyObject({
        source: { ...source, ...(vaultOwner === undefined ? {} : { expectedBucketOwner: vaultOwner }) },
        target: this.#location,
        key,
        sizeBytes: line.sizeBytes,
        algorithm: algorithmOf(line.checksum),
        expected: line.checksum,
        ...sizes,
      });
    } catch (error) {
      if (isAbsent(error)) {
        throw new VaultPartMissing(
          `s3://${source.bucket}/${source.key} version ${source.versionId} (${line.path}) is not in the vault.`,
          { hint: 'Restore another snapshot, and verify this one to learn what else is missing.', cause: error },
        );
      }
      throw isBadDigest(error) ? mismatch(line, source, 'has another checksum') : error;
    }
  }

  async #head(key: string): Promise<HeadObjectCommandOutput | undefined> {
    try {
      return await this.#location.client.send(new HeadObjectCommand({ ...this.#at(key), ChecksumMode: 'ENABLED' }));
    } catch (error) {
      if (isAbsent(error)) {
        return undefined;
      }
      throw s3Failure(error, { operation: 'HeadObject', bucket: this.#location.bucket, key });
    }
  }

  async #failing<Result>(operation: string, key: string, call: () => Promise<Result>): Promise<Result> {
    try {
      return await call();
    } catch (error) {
      throw s3Failure(error, { operation, bucket: this.#location.bucket, key });
    }
  }

  #at(key: string) {
    return { Bucket: this.#location.bucket, Key: key, ...ownerHeaders(this.#location.expectedBucketOwner) };
  }
}

function mismatch(line: PartLine, source: VaultSource, problem: string): ChecksumMismatch {
  return new ChecksumMismatch(
    `s3://${source.bucket}/${source.key} version ${source.versionId} ${problem}, and the manifest says ${line.checksum}.`,
    { hint: 'The vault does not hold what was backed up: restore another snapshot, and verify this one.' },
  );
}
