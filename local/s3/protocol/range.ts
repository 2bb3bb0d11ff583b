import { notImplemented, S3Error } from './s3-error.ts';

/** Bytes `[start, end)` of an object. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The bytes a Range header asks for: `bytes=0-9`, `bytes=10-`, `bytes=-5`.
 * Undefined means the whole object: no header, or one that is not understood, which HTTP says to ignore.
 * Throws InvalidRange when nothing of it exists.
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  if (header.includes(',')) throw notImplemented('A Range header with several ranges');
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return undefined;
  const range =
    first === ''
      ? { start: Math.max(0, sizeBytes - Number(last)), end: sizeBytes }
      : { start: Number(first), end: last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1) };
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  if (range.start >= sizeBytes || range.start >= range.end) {
    throw new S3Error('InvalidRange', 'The requested range is not satisfiable', {
      elements: { RangeRequested: header, ActualObjectSize: String(sizeBytes) },
      headers: { 'content-range': `bytes */${sizeBytes}` },
    });
  }
  return range;
}

/** The bytes of x-amz-copy-source-range, which must name both ends inside the source. Throws InvalidArgument. */
export function parseCopyRange(header: string, sizeBytes: number): ByteRange {
  const match = /^bytes=(\d+)-(\d+)$/.exec(header);
  if (match === null) {
    throw new S3Error(
      'InvalidArgument',
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
    );
  }
  const start = Number(match[1]);
  const end = Number(match[2]) + 1;
  if (start >= end || end > sizeBytes) {
    throw new S3Error('InvalidArgument', `Range specified is not valid for source object of size: ${sizeBytes}`);
  }
  return { start, end };
}
