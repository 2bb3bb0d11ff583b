import * as z from 'zod/mini';
import { type Checksum, parseChecksumAlgorithm } from '../protocol/checksums.ts';
import type { ObjectLock } from '../protocol/object-lock.ts';
import { type Content, decodeContent } from './content.ts';
import { integerOf, keyOf, optionalIntegerOf, optionalTextOf, type Row, textOf } from './database.ts';

const attributesSchema = z.object({
  /** content-type, cache-control and their like, by header name. */
  system: z.record(z.string(), z.string()),
  /** x-amz-meta-*, by header name. */
  user: z.record(z.string(), z.string()),
  /** x-amz-server-side-encryption*, by header name. */
  encryption: z.record(z.string(), z.string()),
});

/** Headers that are kept with an object and given back. */
export type Attributes = z.output<typeof attributesSchema>;

/** What a writer says about an object, apart from its bytes. */
export interface ObjectDescription {
  readonly attributes: Attributes;
  readonly storageClass: string;
  readonly lock: ObjectLock;
  /** The x-amz-tagging value, as sent. */
  readonly tags?: string | undefined;
}

export interface ObjectVersion extends ObjectDescription {
  readonly isMarker: false;
  readonly key: string;
  readonly seq: number;
  readonly versionId: string;
  readonly modifiedEpochMillis: number;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly checksum?: Checksum | undefined;
  readonly content: Content;
}

export interface DeleteMarker {
  readonly isMarker: true;
  readonly key: string;
  readonly seq: number;
  readonly versionId: string;
  readonly modifiedEpochMillis: number;
}

export type Version = ObjectVersion | DeleteMarker;

/** What a listing says of a version; its content stays unread. */
export interface ListedVersion {
  readonly isMarker: boolean;
  readonly key: string;
  readonly seq: number;
  readonly versionId: string;
  readonly modifiedEpochMillis: number;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly storageClass: string;
  readonly checksumAlgorithm: string | undefined;
  readonly checksumType: string | undefined;
}

export const listedColumns =
  'key, seq, version_id, is_marker, modified_ms, size, etag, storage_class, checksum_algorithm, checksum_type';

export function listedVersionOf(row: Row): ListedVersion {
  return {
    isMarker: integerOf(row, 'is_marker') === 1,
    key: keyOf(row, 'key'),
    seq: integerOf(row, 'seq'),
    versionId: textOf(row, 'version_id'),
    modifiedEpochMillis: integerOf(row, 'modified_ms'),
    sizeBytes: integerOf(row, 'size'),
    etag: textOf(row, 'etag'),
    storageClass: textOf(row, 'storage_class'),
    checksumAlgorithm: optionalTextOf(row, 'checksum_algorithm'),
    checksumType: optionalTextOf(row, 'checksum_type'),
  };
}

export function versionOf(row: Row): Version {
  const common = {
    key: keyOf(row, 'key'),
    seq: integerOf(row, 'seq'),
    versionId: textOf(row, 'version_id'),
    modifiedEpochMillis: integerOf(row, 'modified_ms'),
  };
  if (integerOf(row, 'is_marker') === 1) return { ...common, isMarker: true };
  return {
    ...common,
    isMarker: false,
    sizeBytes: integerOf(row, 'size'),
    etag: textOf(row, 'etag'),
    storageClass: textOf(row, 'storage_class'),
    checksum: checksumOf(row),
    lock: lockOf(row),
    attributes: attributesSchema.parse(JSON.parse(textOf(row, 'attributes'))),
    tags: optionalTextOf(row, 'tags'),
    content: decodeContent(textOf(row, 'content')),
  };
}

function checksumOf(row: Row): Checksum | undefined {
  const algorithm = parseChecksumAlgorithm(optionalTextOf(row, 'checksum_algorithm') ?? '');
  if (algorithm === undefined) return undefined;
  const type = textOf(row, 'checksum_type') === 'COMPOSITE' ? 'COMPOSITE' : 'FULL_OBJECT';
  return { algorithm, type, value: textOf(row, 'checksum_value') };
}

function lockOf(row: Row): ObjectLock {
  const mode = optionalTextOf(row, 'retention_mode');
  const until = optionalIntegerOf(row, 'retain_until_ms');
  const hold = optionalTextOf(row, 'legal_hold');
  const retained = (mode === 'GOVERNANCE' || mode === 'COMPLIANCE') && until !== undefined;
  return {
    ...(retained ? { retention: { mode, retainUntilEpochMillis: until } } : {}),
    ...(hold === 'ON' || hold === 'OFF' ? { legalHold: hold } : {}),
  };
}
