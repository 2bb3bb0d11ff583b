import { setTimeout as delay } from 'node:timers/promises';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { algorithmOf, type Checksum } from '../../core/checksum.ts';
import { ChecksumMismatch, ConfigInvalid, StoreUnavailable, VaultKeyTaken } from '../../core/errors.ts';
import type { Receipt } from '../../core/part.ts';
import type { SourceToken } from '../../core/source-token.ts';
import { type PartPlace, partKey, rewrittenPartKey } from '../../core/vault-layout.ts';
import { lockHeaders, ownerHeaders } from './object-lock.ts';
import type { VaultBucket } from './s3-bucket.ts';
import { fullObjectChecksum } from './s3-checksum.ts';
import { isAbsent, isConditionLost, isUploadGone, s3Failure } from './s3-errors.ts';

/** User metadata of every part in the vault: the source version whose bytes these are. */
export const TOKEN_METADATA = 'rankvault-token';

/** What S3 answered to a write. */
export interface WrittenObject {
  readonly etag: string;
  readonly versionId: string | undefined;
  readonly checksum: Checksum;
}

export interface PartWrite {
  readonly place: PartPlace;
  readonly token: SourceToken;
  readonly sizeBytes: number;
  /**
   * Writes the bytes to the key with `If-None-Match: *` (on CompleteMultipartUpload for a multipart one) and
   * `creationHeaders()`; lets the SDK's 412, 409 and NoSuchUpload through: a ghost may have written the key.
   * @returns undefined when it had to stop before it was done
   */
  readonly write: (key: string) => Promise<WrittenObject | undefined>;
  /** Checksum of the source's bytes once it is known; asked when the key exists. @default - the token decides alone */
  readonly knownChecksum?: () => Checksum | undefined;
  /** Throws when the refusal was the source's: it changed or is gone. Asked when a write is refused and the key is free. */
  readonly assertSourceUnchanged?: () => Promise<void>;
  /** Look whether the part is there before writing: for writes that cost more than a HEAD. @default false */
  readonly lookFirst?: boolean;
}

type Verdict =
  | { readonly kind: 'ours'; readonly written: WrittenObject }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'taken'; readonly because: string };

/** Tries per key. Each further one needs that another writer's conflict left no object behind. */
const MAX_TRIES = 6;
const FIRST_DELAY_MILLIS = 20;

/** Fields of PutObject, CopyObject and CreateMultipartUpload that make an object a part of the vault. */
export function creationHeaders(vault: VaultBucket, token: SourceToken) {
  return {
    Bucket: vault.bucket,
    Metadata: { [TOKEN_METADATA]: token },
    ...lockHeaders(vault.objectLock),
    ...ownerHeaders(vault.expectedBucketOwner),
  };
}

/**
 * The write-once rule of part bytes: the natural key is created; where it exists with the same token and size it is ours, done
 * before or by a ghost; where it is another version of the part (from the warm pass) the bytes go to the rewritten key, by the same rule.
 * @returns undefined when `write` stopped early
 * @throws VaultKeyTaken the rewritten key holds another part's bytes
 * @throws ChecksumMismatch the token is the same and the bytes are not
 */
export async function writeOnce(vault: VaultBucket, part: PartWrite): Promise<Receipt | undefined> {
  const { backup, snapshot, rank, path } = part.place;
  const natural = await writeTo(vault, part, partKey(backup, snapshot, rank, path));
  if (natural.kind !== 'taken') {
    return natural.kind === 'ours' ? receiptOf(part, natural.written, undefined) : undefined;
  }
  const key = rewrittenPartKey(part.place, part.token);
  const rewritten = await writeTo(vault, part, key);
  if (rewritten.kind !== 'taken') {
    return rewritten.kind === 'ours' ? receiptOf(part, rewritten.written, key) : undefined;
  }
  throw new VaultKeyTaken(`s3://${vault.bucket}/${key} ${rewritten.because}.`, {
    hint: 'Something else writes into the vault: find out what, then take a new snapshot.',
  });
}

async function writeTo(vault: VaultBucket, part: PartWrite, key: string): Promise<Verdict> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const present = tries > 0 || part.lookFirst === true ? await lookAt(vault, key) : undefined;
    if (present !== undefined) {
      return judge(vault, part, { key, present });
    }
    if (tries > 0) {
      await part.assertSourceUnchanged?.();
      await delay(FIRST_DELAY_MILLIS * 2 ** tries * Math.random());
    }
    try {
      const written = await part.write(key);
      return written === undefined ? { kind: 'stopped' } : { kind: 'ours', written };
    } catch (error) {
      if (!isConditionLost(error) && !isUploadGone(error)) {
        throw s3Failure(error, { operation: 'Writing', bucket: vault.bucket, key });
      }
    }
  }
  throw new StoreUnavailable(`s3://${vault.bucket}/${key} was refused ${MAX_TRIES} times and is still not there.`, {
    hint: 'The workflow tries again; if it goes on, look for another writer of the vault.',
  });
}

export interface PresentObject {
  readonly token: string | undefined;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly versionId: string | undefined;
  readonly checksum: Checksum | undefined;
}

/** The object as it is now; undefined when there is none. @throws StoreUnavailable, S3AccessDenied, S3RequestFailed */
export async function lookAt(vault: VaultBucket, key: string): Promise<PresentObject | undefined> {
  try {
    const head = await vault.client.send(
      new HeadObjectCommand({
        Bucket: vault.bucket,
        Key: key,
        ChecksumMode: 'ENABLED',
        ...ownerHeaders(vault.expectedBucketOwner),
      }),
    );
    return {
      token: head.Metadata?.[TOKEN_METADATA],
      sizeBytes: head.ContentLength ?? -1,
      etag: head.ETag ?? '',
      versionId: head.VersionId,
      checksum: fullObjectChecksum(head),
    };
  } catch (error) {
    if (isAbsent(error)) {
      return undefined;
    }
    throw s3Failure(error, { operation: 'HeadObject', bucket: vault.bucket, key });
  }
}

function judge(vault: VaultBucket, part: PartWrite, found: { key: string; present: PresentObject }): Verdict {
  const { key, present } = found;
  if (present.token !== part.token || present.sizeBytes !== part.sizeBytes) {
    return { kind: 'taken', because: 'holds another version of the part' };
  }
  if (present.checksum === undefined) {
    return { kind: 'taken', because: 'has no full-object checksum' };
  }
  const known = part.knownChecksum?.();
  if (known !== undefined && algorithmOf(known) === algorithmOf(present.checksum) && known !== present.checksum) {
    throw new ChecksumMismatch(
      `s3://${vault.bucket}/${key} holds ${present.checksum} for ${part.token}, and its source has ${known}.`,
      {
        hint: 'Either the source changed without a change of its times: make sure that nothing writes to it, then take a new snapshot; or the stored object is damaged: run a verification.',
      },
    );
  }
  return { kind: 'ours', written: { etag: present.etag, versionId: present.versionId, checksum: present.checksum } };
}

function receiptOf(part: PartWrite, written: WrittenObject, key: string | undefined): Receipt {
  const { place, token, sizeBytes } = part;
  if (written.versionId === undefined || written.versionId === 'null') {
    throw new ConfigInvalid('The vault bucket answered without a version id.', {
      hint: 'Turn versioning of the vault bucket on.',
    });
  }
  return {
    path: place.path,
    token,
    sizeBytes,
    checksum: written.checksum,
    in: place.snapshot,
    etag: written.etag,
    versionId: written.versionId,
    ...(key === undefined ? {} : { key }),
  };
}
