import { RootUnreadable } from '../../core/errors.ts';
import type { RankName } from '../../core/ids.ts';
import type { LiveEntry } from '../../core/part.ts';
import { S3AccessDenied, S3BucketMissing } from '../s3/s3-errors.ts';
import { S3RestoreMarker } from './s3-markers.ts';
import { discoverS3Ranks, listS3Rank } from './s3-root-entries.ts';
import type { S3RootLocation } from './s3-root-location.ts';
import type { SingleRoot } from './single-root.ts';

/** A root on S3 as a snapshot reads it. */
export class S3SourceRoot implements SingleRoot {
  readonly name: string;
  readonly #location: S3RootLocation;

  constructor(location: S3RootLocation) {
    this.name = location.name;
    this.#location = location;
  }

  async *listRank(rank: RankName, after: string | undefined): AsyncIterable<LiveEntry> {
    try {
      yield* listS3Rank(this.#location, rank, { after, archived: 'refuse' });
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

  async hasRestoreMarker(): Promise<boolean> {
    try {
      return await new S3RestoreMarker(this.#location).exists();
    } catch (error) {
      throw rootFailure(this.#location, error);
    }
  }
}

/** A root that cannot be read at all gets its name into the message; other failures stay what they are. */
export function rootFailure(location: S3RootLocation, error: unknown): unknown {
  if (error instanceof S3AccessDenied || error instanceof S3BucketMissing) {
    const url = `s3://${location.bucket}/${location.prefix}`;
    return new RootUnreadable(`Root ${location.name} (${url}) cannot be read: ${error.problem}`, {
      hint: error.hint,
      cause: error,
    });
  }
  return error;
}
