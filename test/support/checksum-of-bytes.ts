import { crc32 } from 'node:zlib';
import { Crc64Nvme } from '@aws-sdk/crc64-nvme';
import { type Checksum, type ChecksumAlgorithm, checksumOf, crc32Checksum } from '../../core/checksum.ts';

/** Checksum of bytes in memory, by libraries that the adapters do not use for it. */
export async function checksumOfBytes(algorithm: ChecksumAlgorithm, bytes: Uint8Array): Promise<Checksum> {
  if (algorithm === 'CRC32') {
    return crc32Checksum(crc32(bytes));
  }
  const crc64 = new Crc64Nvme();
  crc64.update(bytes);
  return checksumOf('CRC64NVME', Buffer.from(await crc64.digest()).toString('base64'));
}
