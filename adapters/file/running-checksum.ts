import { crc32 } from 'node:zlib';
import { Crc64Nvme } from '@aws-sdk/crc64-nvme';
import { type Checksum, type ChecksumAlgorithm, checksumOf, crc32Checksum } from '../../core/checksum.ts';

/** Checksum of bytes as they pass. */
interface RunningChecksum {
  update(bytes: Uint8Array): void;
  finish(): Promise<Checksum>;
}

export function startChecksum(algorithm: ChecksumAlgorithm): RunningChecksum {
  return algorithm === 'CRC32' ? startCrc32() : startCrc64();
}

function startCrc32(): RunningChecksum {
  let crc = 0;
  return {
    update: (bytes) => {
      crc = crc32(bytes, crc);
    },
    finish: async () => crc32Checksum(crc),
  };
}

function startCrc64(): RunningChecksum {
  const crc = new Crc64Nvme();
  return {
    update: (bytes) => crc.update(bytes),
    finish: async () => checksumOf('CRC64NVME', Buffer.from(await crc.digest()).toString('base64')),
  };
}
