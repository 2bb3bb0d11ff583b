/**
 * Objects above this size are copied in ranges, side by side. One CopyObject takes up to 5 GiB (S3 API reference, CopyObject), but
 * it copies with a single stream inside S3, cannot be interrupted when the Lambda runs short of time, and starts again
 * from nothing after a failure: 1 GiB is under a minute of it.
 */
export const MULTIPART_COPY_ABOVE_BYTES = 1024 ** 3;

/** Most parts of one upload (S3 user guide, "Multipart upload limits"). */
const MAX_RANGES = 10_000;
const MIB = 1024 ** 2;
/** Eight ranges for the smallest multipart copy; up to 1.2 TiB. */
const USUAL_RANGE_SIZE_BYTES = 128 * MIB;

/** Ranges copied at a time for one object; also what a Lambda has to wait for when it is told to stop. */
export const RANGE_CONCURRENCY = 32;

export interface CopyRange {
  /** From 1, as S3 counts parts. */
  readonly partNumber: number;
  readonly sizeBytes: number;
  /** `bytes=0-134217727` */
  readonly header: string;
}

/** Whole MiB, so that 10,000 ranges hold 5 TiB and more. */
export function rangeSizeFor(sizeBytes: number): number {
  const least = Math.ceil(sizeBytes / MAX_RANGES / MIB) * MIB;
  return Math.max(USUAL_RANGE_SIZE_BYTES, least);
}

export function rangesOf(sizeBytes: number, rangeSizeBytes: number): readonly CopyRange[] {
  return Array.from({ length: Math.ceil(sizeBytes / rangeSizeBytes) }, (_, index) => {
    const first = index * rangeSizeBytes;
    const last = Math.min(first + rangeSizeBytes, sizeBytes) - 1;
    return { partNumber: index + 1, sizeBytes: last - first + 1, header: `bytes=${first}-${last}` };
  });
}
