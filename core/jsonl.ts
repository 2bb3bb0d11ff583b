import { pipeline, Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { createGunzip, createGzip } from 'node:zlib';
import { itemsOf } from './blocks.ts';
import { CatalogCorrupt } from './errors.ts';

/** Gathers lines before they reach zlib: one write per line would cost more than the compression. */
const CHUNK_CHARACTERS = 65_536;

/**
 * Bytes that zlib hands over at a time, instead of its 16 KiB: each time costs two changes of thread. More gains nothing, and V8
 * keeps texts of 128 KiB apart. Neither this nor the size of what zlib is given changes the bytes that it makes.
 */
const ZLIB_CHUNK_BYTES = 65_536;

/** One JSON text per line, gzipped without a time, so that the same lines always give the same bytes. */
export function gzipJsonLines(values: AsyncIterable<unknown>): AsyncIterable<Uint8Array> {
  return compressed(inChunks(values));
}

/** As `gzipJsonLines`, of lines that are bytes already: the same bytes come out. */
export function gzipLineBytes(chunks: Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return compressed(chunks);
}

/** One JSON text per line, as it is. */
export async function* plainJsonLines(values: AsyncIterable<unknown>): AsyncIterable<Uint8Array> {
  for await (const chunk of inChunks(values)) {
    yield Buffer.from(chunk, 'utf8');
  }
}

function compressed(lines: AsyncIterable<string> | Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const gzip = createGzip({ level: 6, chunkSize: ZLIB_CHUNK_BYTES });
  // Errors of the source destroy the gzip stream, whose reader then throws them: the callback has nothing to add.
  pipeline(Readable.from(lines), gzip, () => undefined);
  return gzip;
}

async function* inChunks(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  let chunk = '';
  for await (const value of values) {
    chunk += `${JSON.stringify(value)}\n`;
    if (chunk.length >= CHUNK_CHARACTERS) {
      yield chunk;
      chunk = '';
    }
  }
  if (chunk !== '') {
    yield chunk;
  }
}

/**
 * Parsed JSON values of a gzipped JSON-lines body.
 * @param name what is read, for errors
 * @throws CatalogCorrupt when the gzip or a line is broken or the last line has no end
 */
export function readGzipJsonLines(body: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<unknown> {
  return itemsOf(readGzipJsonBlocks(body, name));
}

/** As `readGzipJsonLines`, a block for each piece that zlib gives; a line is parsed when its turn comes. */
export async function* readGzipJsonBlocks(
  body: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Iterable<unknown>> {
  const gunzip = createGunzip({ chunkSize: ZLIB_CHUNK_BYTES });
  pipeline(Readable.from(body), gunzip, () => undefined);
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let number = 0;
  try {
    for await (const bytes of gunzip) {
      const lines = (rest + decoder.write(bytes)).split('\n');
      rest = lines.pop() ?? '';
      yield parsed(lines, name, number);
      number += lines.length;
    }
  } catch (error) {
    throw isZlibError(error) ? broken(name, `its gzip is broken after line ${number}`, error) : error;
  }
  rest += decoder.end();
  if (rest !== '') {
    throw broken(name, `it ends within line ${number + 1}`, undefined);
  }
}

/** @param before how many lines of the body come before these */
function* parsed(lines: readonly string[], name: string, before: number): Generator<unknown> {
  let number = before;
  for (const line of lines) {
    number += 1;
    yield parseLine(line, name, number);
  }
}

function parseLine(line: string, name: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw broken(name, `line ${number} is not JSON`, error);
  }
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
}

function broken(name: string, what: string, cause: unknown): CatalogCorrupt {
  return new CatalogCorrupt(`${name} cannot be read: ${what}.`, {
    hint: 'Restore another snapshot, or an earlier version of this object; do not write over it.',
    cause,
  });
}
