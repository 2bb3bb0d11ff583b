import type { VaultBucket } from '../../adapters/s3/s3-bucket.ts';
import { createS3Client } from '../../adapters/s3/s3-client.ts';
import { S3ObjectStore } from '../../adapters/s3/s3-object-store.ts';
import type { ObjectLockConfig } from '../../core/config/schema.ts';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import { lockMillis } from '../../core/record-lock.ts';
import { isoOfEpochMillis } from '../../core/utc.ts';
import { clock } from './clock.ts';
import { environment } from './environment.ts';

const caller = environment.AWS_LAMBDA_FUNCTION_NAME;
const s3Endpoint = environment.AWS_ENDPOINT_URL_S3;

/** One client for everything that the function does on S3. */
export const s3 = createS3Client({ caller, ...(s3Endpoint === undefined ? {} : { endpoint: s3Endpoint }) });

const owner = environment.BUCKET_OWNER === undefined ? {} : { expectedBucketOwner: environment.BUCKET_OWNER };

export const work: ObjectStore = new S3ObjectStore({ client: s3, bucket: environment.WORK_BUCKET, ...owner });

/** The vault for readers. */
export const vault: ObjectStore = new S3ObjectStore({ client: s3, bucket: environment.VAULT_BUCKET, ...owner });

/** The vault for writers: every object that they create is locked as the frozen plan says, from now on. */
export function vaultBucket(objectLock: ObjectLockConfig | undefined): VaultBucket {
  const bucket = { client: s3, bucket: environment.VAULT_BUCKET, ...owner };
  if (objectLock === undefined) {
    return bucket;
  }
  const retainUntil = isoOfEpochMillis(clock.nowEpochMillis() + lockMillis(objectLock));
  return { ...bucket, objectLock: { mode: objectLock.mode, retainUntil } };
}

export function lockedVault(objectLock: ObjectLockConfig | undefined): ObjectStore {
  return new S3ObjectStore(vaultBucket(objectLock));
}
