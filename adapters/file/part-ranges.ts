/**
 * 8 MiB: up to here a part is one PutObject, which costs one request where a multipart upload costs three and more. It is also the
 * range of a multipart upload, so that one size of buffer serves both; S3 takes ranges from 5 MiB.
 */
export const RANGE_SIZE_BYTES = 8 * 1024 * 1024;
/** S3 takes 10,000 ranges in an upload (S3 user guide, multipart upload limits). */
export const MAX_RANGES = 10_000;
const MIB = 1024 * 1024;

/** One range of a multipart upload; `number` counts from 1, as S3 does. */
export interface PartRange {
  readonly number: number;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** 8 MiB up to parts of 78 GiB; from there whole MiB so that 10,000 ranges hold the part: 525 MiB for 5 TiB. */
export function rangeSizeOf(partSizeBytes: number): number {
  const needed = Math.ceil(partSizeBytes / MAX_RANGES / MIB) * MIB;
  return Math.max(RANGE_SIZE_BYTES, needed);
}

export function* rangesOf(partSizeBytes: number): Generator<PartRange> {
  const rangeSizeBytes = rangeSizeOf(partSizeBytes);
  for (let number = 1, offsetBytes = 0; offsetBytes < partSizeBytes; number += 1, offsetBytes += rangeSizeBytes) {
    yield { number, offsetBytes, sizeBytes: Math.min(rangeSizeBytes, partSizeBytes - offsetBytes) };
  }
}
