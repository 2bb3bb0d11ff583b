import { randomBytesPooled } from './random.ts';

/** The version id of everything in a bucket without versioning. */
export const nullVersionId = 'null';

const sequenceBytes = 6;
const maskBytes = 6;

/** Only so that the mask and the masked number do not look alike. */
const salt = Buffer.from('5ca1ab1e0dd5', 'hex');

/**
 * An opaque version id. Like S3's, it holds its place in time, scrambled, so that a listing can go on after a
 * version that was deleted meanwhile: 6 bytes of mask, 6 bytes of masked sequence number, 12 random bytes.
 */
export function newVersionId(sequence: number): string {
  const bytes = randomBytesPooled(24);
  const place = Buffer.alloc(sequenceBytes);
  place.writeUIntBE(sequence, 0, sequenceBytes);
  for (let index = 0; index < sequenceBytes; index += 1) {
    bytes[maskBytes + index] = (bytes[index] ?? 0) ^ (place[index] ?? 0) ^ (salt[index] ?? 0);
  }
  return bytes.toString('base64url');
}

/** The sequence number in a version id; undefined for `null` and for what is none of ours. */
export function sequenceOf(versionId: string): number | undefined {
  const bytes = Buffer.from(versionId, 'base64url');
  if (bytes.length !== 24) return undefined;
  const place = Buffer.alloc(sequenceBytes);
  for (let index = 0; index < sequenceBytes; index += 1) {
    place[index] = (bytes[index] ?? 0) ^ (bytes[maskBytes + index] ?? 0) ^ (salt[index] ?? 0);
  }
  return place.readUIntBE(0, sequenceBytes);
}
