import { setTimeout as delay } from 'node:timers/promises';
import { DeleteObjectsCommand, HeadObjectCommand, type _Error as S3EntryError } from '@aws-sdk/client-s3';
import pMap, { pMapSkip } from 'p-map';
import { StoreUnavailable } from '../../core/errors.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { LockedVersion, VersionName } from '../../core/ports/vault-versions.ts';
import { ownerHeaders } from './object-lock.ts';
import type { S3Bucket } from './s3-bucket.ts';
import {
  isAbsent,
  isAbsentCode,
  isDeleteMarker,
  isTransientCode,
  S3AccessDenied,
  S3RequestFailed,
  s3Failure,
} from './s3-errors.ts';

/** S3 API reference, DeleteObjects. */
const MOST_VERSIONS = 1_000;
/** Tries of the entries that S3 could not delete just now; it answers 200 with an error for each, which the SDK does not retry. */
const MAX_TRIES = 6;
const FIRST_DELAY_MILLIS = 100;
/** A lock that ended less than this ago by our clock may not have ended by S3's. */
const CLOCK_SKEW_MILLIS = 5 * 60_000;
/** Refused versions looked at side by side. */
const LOOK_CONCURRENCY = 16;

/**
 * Deletes exactly these versions.
 * @returns those under Object Lock or a legal hold
 * @throws S3AccessDenied a version that no lock protects could not be deleted, or the caller may not see its lock
 * @throws StoreUnavailable, S3RequestFailed
 */
export async function deleteVersions(
  bucket: S3Bucket,
  versions: readonly VersionName[],
  clock: Clock,
): Promise<readonly LockedVersion[]> {
  if (versions.length > MOST_VERSIONS) {
    throw new S3RequestFailed(`${versions.length} versions cannot be deleted in one request.`, {
      hint: `Ask for ${MOST_VERSIONS} at most.`,
    });
  }
  const denied: VersionName[] = [];
  let left = versions;
  for (let tries = 0; left.length > 0; tries += 1) {
    if (tries === MAX_TRIES) {
      throw stillFailing(bucket, left);
    }
    if (tries > 0) {
      await delay(FIRST_DELAY_MILLIS * 2 ** tries * Math.random());
    }
    const outcome = sortErrors(bucket, await requestDeletion(bucket, left));
    denied.push(...outcome.denied);
    left = outcome.passing;
  }
  return pMap(denied, async (version) => (await lockOf(bucket, version, clock)) ?? pMapSkip, {
    concurrency: LOOK_CONCURRENCY,
  });
}

async function requestDeletion(bucket: S3Bucket, versions: readonly VersionName[]): Promise<readonly S3EntryError[]> {
  const Objects = versions.map(({ key, versionId }) => ({ Key: key, VersionId: versionId }));
  try {
    const output = await bucket.client.send(
      new DeleteObjectsCommand({
        Bucket: bucket.bucket,
        Delete: { Objects, Quiet: true },
        ...ownerHeaders(bucket.expectedBucketOwner),
      }),
    );
    return output.Errors ?? [];
  } catch (error) {
    throw s3Failure(error, { operation: 'DeleteObjects', bucket: bucket.bucket, key: versions[0]?.key ?? '' });
  }
}

interface SortedErrors {
  readonly denied: readonly VersionName[];
  /** Failed for now. */
  readonly passing: readonly VersionName[];
}

/** @throws S3RequestFailed for what is neither */
function sortErrors(bucket: S3Bucket, errors: readonly S3EntryError[]): SortedErrors {
  const denied: VersionName[] = [];
  const passing: VersionName[] = [];
  for (const { Key: key = '', VersionId: versionId = '', Code: code = '', Message: message = '' } of errors) {
    if (code === 'AccessDenied') {
      denied.push({ key, versionId });
    } else if (isTransientCode(code)) {
      passing.push({ key, versionId });
    } else if (!isAbsentCode(code)) {
      throw new S3RequestFailed(
        `Version ${versionId} of s3://${bucket.bucket}/${key} could not be deleted: ${code}: ${message}.`,
        { hint: 'Correct what S3 names, then run it again.' },
      );
    }
  }
  return { denied, passing };
}

/** @returns undefined when the version is gone meanwhile @throws S3AccessDenied when nothing shows that it is locked */
async function lockOf(bucket: S3Bucket, version: VersionName, clock: Clock): Promise<LockedVersion | undefined> {
  try {
    const head = await bucket.client.send(
      new HeadObjectCommand({
        Bucket: bucket.bucket,
        Key: version.key,
        VersionId: version.versionId,
        ...ownerHeaders(bucket.expectedBucketOwner),
      }),
    );
    if (head.ObjectLockLegalHoldStatus === 'ON') {
      return { ...version, lockedUntilEpochMillis: undefined };
    }
    const until = head.ObjectLockRetainUntilDate?.getTime() ?? 0;
    if (until > clock.nowEpochMillis() - CLOCK_SKEW_MILLIS) {
      return { ...version, lockedUntilEpochMillis: until };
    }
  } catch (error) {
    if (isAbsent(error)) {
      return undefined;
    }
    if (!isDeleteMarker(error)) {
      throw s3Failure(error, { operation: 'HeadObject', bucket: bucket.bucket, key: version.key });
    }
  }
  throw denied(bucket, version);
}

function denied(bucket: S3Bucket, { key, versionId }: VersionName): S3AccessDenied {
  return new S3AccessDenied(
    `Version ${versionId} of s3://${bucket.bucket}/${key} may not be deleted, and no lock of it can be seen.`,
    {
      hint: 'Allow s3:DeleteObjectVersion to the role in its policy and in the bucket policy, and s3:GetObjectRetention and s3:GetObjectLegalHold, without which a lock is not shown.',
    },
  );
}

function stillFailing(bucket: S3Bucket, left: readonly VersionName[]): StoreUnavailable {
  return new StoreUnavailable(
    `${left.length} versions in s3://${bucket.bucket} were refused for now ${MAX_TRIES} times, first ${left[0]?.key}.`,
    { hint: 'The workflow tries again; if it goes on, look at the health of S3 and at the request rate.' },
  );
}
