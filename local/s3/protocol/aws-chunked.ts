import { S3Error } from './s3-error.ts';

type State = 'size' | 'data' | 'dataEnd' | 'trailer' | 'done';

/** A line of the framing: far more than a size with a signature, or a trailer with a checksum. */
const maxLineBytes = 8192;

/**
 * Takes the aws-chunked framing off a body: `<hex size>[;chunk-signature=...]\r\n<data>\r\n ... 0\r\n<trailers>\r\n`.
 * Signatures are not checked: this S3 has no secrets.
 */
export class AwsChunkedDecoder {
  readonly trailers = new Map<string, string>();
  #state: State = 'size';
  #line = '';
  #remaining = 0;

  /** The data in a piece of the body. Throws IncompleteBody when the framing is broken. */
  push(chunk: Buffer): Buffer[] {
    const data: Buffer[] = [];
    for (let position = 0; position < chunk.length; ) {
      if (this.#state === 'data') {
        const piece = chunk.subarray(position, position + this.#remaining);
        data.push(piece);
        position += piece.length;
        this.#remaining -= piece.length;
        if (this.#remaining === 0) this.#state = 'dataEnd';
      } else {
        const end = chunk.indexOf(0x0a, position);
        this.#line += chunk.toString('latin1', position, end < 0 ? chunk.length : end + 1);
        if (this.#line.length > maxLineBytes) throw broken();
        position = end < 0 ? chunk.length : end + 1;
        if (end >= 0) this.#takeLine();
      }
    }
    return data;
  }

  /** Call at the end of the body. Throws IncompleteBody when the last chunk is missing. */
  finish(): void {
    // The last line may be left away: some writers end right after the final chunk or the last trailer.
    if (this.#state !== 'done' && this.#state !== 'trailer') throw broken();
    if (this.#line !== '') this.#takeLine();
  }

  #takeLine(): void {
    const line = this.#line.replace(/\r?\n$/, '');
    this.#line = '';
    if (this.#state === 'size') this.#takeSize(line);
    else if (this.#state === 'dataEnd') this.#endData(line);
    else if (this.#state === 'trailer') this.#takeTrailer(line);
  }

  #takeSize(line: string): void {
    const size = /^([0-9a-fA-F]{1,12})(?:;.*)?$/.exec(line)?.[1];
    if (size === undefined) throw broken();
    this.#remaining = Number.parseInt(size, 16);
    this.#state = this.#remaining === 0 ? 'trailer' : 'data';
  }

  #endData(line: string): void {
    if (line !== '') throw broken();
    this.#state = 'size';
  }

  #takeTrailer(line: string): void {
    if (line === '') {
      this.#state = 'done';
      return;
    }
    const colon = line.indexOf(':');
    if (colon < 0) throw broken();
    this.trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
}

function broken(): S3Error {
  return new S3Error('IncompleteBody', 'The request body terminated unexpectedly: its aws-chunked framing is broken.');
}
