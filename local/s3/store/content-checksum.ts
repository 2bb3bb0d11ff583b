import { type ChecksumAlgorithm, createHasher, isCrc } from '../protocol/checksums.ts';
import { type CrcRun, combineCrcs } from '../protocol/crc-combine.ts';
import type { BlobStore } from './blobs.ts';
import type { Content } from './content.ts';

/**
 * The full checksum (base64) of a content that the caller has pinned. A CRC is put together from those of the
 * blobs, of which each is computed once and remembered; a SHA is read through. Yields to other requests.
 */
export async function checksumOfContent(
  blobs: BlobStore,
  content: Content,
  algorithm: ChecksumAlgorithm,
): Promise<string> {
  const inline = blobs.readInline(content);
  if (inline !== undefined) {
    // Cheaper than to look up what was remembered.
    const hasher = createHasher(algorithm);
    hasher.update(inline);
    return (await hasher.digest()).toString('base64');
  }
  if (!isCrc(algorithm)) return await hashThrough(blobs, content, algorithm);
  const runs: CrcRun[] = [];
  for (const segment of content) {
    let value = blobs.knownChecksum(segment, algorithm);
    if (value === undefined) {
      value = await hashThrough(blobs, [segment], algorithm);
      blobs.rememberChecksum(segment, algorithm, value);
    }
    runs.push({ value, lengthBytes: segment.length });
  }
  const [only] = runs;
  return runs.length === 1 && only !== undefined ? only.value : combineCrcs(algorithm, runs);
}

async function hashThrough(blobs: BlobStore, content: Content, algorithm: ChecksumAlgorithm): Promise<string> {
  const hasher = createHasher(algorithm);
  for await (const chunk of blobs.read(content)) hasher.update(chunk);
  return (await hasher.digest()).toString('base64');
}
