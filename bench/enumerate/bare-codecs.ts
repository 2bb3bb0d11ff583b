import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';

/**
 * What nobody who reads lines of JSON and writes them again can leave out, and nothing else: gunzip, parse, stringify, gzip. The
 * machine is shared and its speed changes from minute to minute; the ratio to this does so less.
 */
export async function runBareCodecs(manifestPath: string): Promise<void> {
  const lines = createReadStream(manifestPath, { highWaterMark: CHUNK_BYTES }).pipe(
    createGunzip({ chunkSize: CHUNK_BYTES }),
  );
  const gzip = Readable.from(parsedAndWritten(lines)).pipe(createGzip({ level: 6, chunkSize: CHUNK_BYTES }));
  for await (const _chunk of gzip) {
    // Sent away.
  }
}

const CHUNK_BYTES = 65_536;

async function* parsedAndWritten(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest = '';
  for await (const chunk of chunks) {
    // Latin-1 is enough for synthetic names.
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    yield Buffer.from(lines.map((line) => `${JSON.stringify(JSON.parse(line))}\n`).join(''), 'latin1');
  }
}
