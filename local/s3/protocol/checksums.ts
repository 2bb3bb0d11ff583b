import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Crc64Nvme } from '@aws-sdk/crc64-nvme';
import { crc32c } from './crc32c.ts';

export const checksumAlgorithms = ['CRC64NVME', 'CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const;
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];
export type CrcAlgorithm = 'CRC64NVME' | 'CRC32' | 'CRC32C';
/** CRC64NVME exists for full objects only. */
type CompositeAlgorithm = Exclude<ChecksumAlgorithm, 'CRC64NVME'>;
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE';

/** A stored checksum; `value` is base64, and ends in `-<parts>` when composite. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
  readonly value: string;
}

/** Bytes of a digest, by algorithm. */
export const digestSizeBytes: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC64NVME: 8,
  CRC32: 4,
  CRC32C: 4,
  SHA1: 20,
  SHA256: 32,
};

/** The XML element and the header of an algorithm: `ChecksumCRC32`, `x-amz-checksum-crc32`. */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm}`;
}

export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

export function parseChecksumAlgorithm(text: string): ChecksumAlgorithm | undefined {
  const upper = text.toUpperCase();
  return checksumAlgorithms.find((algorithm) => algorithm === upper);
}

export function isCrc(algorithm: ChecksumAlgorithm): algorithm is CrcAlgorithm {
  return algorithm === 'CRC64NVME' || algorithm === 'CRC32' || algorithm === 'CRC32C';
}

/** A running digest; `digest` may be asked for once. */
export interface Hasher {
  update(chunk: Uint8Array): void;
  digest(): Promise<Buffer> | Buffer;
}

/** A running checksum of the algorithm, or the MD5 of Content-MD5. */
export function createHasher(algorithm: ChecksumAlgorithm | 'MD5'): Hasher {
  switch (algorithm) {
    case 'CRC32':
      return crc32Hasher(crc32);
    case 'CRC32C':
      return crc32Hasher(crc32c);
    case 'CRC64NVME':
      return crc64Hasher();
    case 'SHA1':
    case 'SHA256':
    case 'MD5': {
      const hash = createHash(algorithm.toLowerCase());
      return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest() };
    }
    default:
      return algorithm satisfies never;
  }
}

function crc32Hasher(step: (chunk: Uint8Array, value: number) => number): Hasher {
  let value = 0;
  return {
    update(chunk) {
      value = step(chunk, value);
    },
    digest() {
      const bytes = Buffer.allocUnsafe(4);
      bytes.writeUInt32BE(value);
      return bytes;
    },
  };
}

function crc64Hasher(): Hasher {
  const crc = new Crc64Nvme();
  return { update: (chunk) => crc.update(chunk), digest: async () => Buffer.from(await crc.digest()) };
}

/** The checksum of checksums that S3 keeps for a composite multipart upload: `<base64>-<parts>`. */
export function compositeChecksum(algorithm: CompositeAlgorithm, partValues: readonly string[]): string {
  const digests = Buffer.concat(partValues.map((value) => Buffer.from(value, 'base64')));
  return `${digestNow(algorithm, digests).toString('base64')}-${partValues.length}`;
}

function digestNow(algorithm: CompositeAlgorithm, data: Buffer): Buffer {
  if (algorithm === 'SHA1' || algorithm === 'SHA256') return createHash(algorithm.toLowerCase()).update(data).digest();
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(algorithm === 'CRC32' ? crc32(data) : crc32c(data));
  return bytes;
}
