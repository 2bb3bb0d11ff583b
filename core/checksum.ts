import * as z from 'zod/mini';

/**
 * `algorithm:value`, value in S3's base64: `CRC64NVME:` from server-side copies, `CRC32:` from streams; both over the whole
 * object (S3's FULL_OBJECT type).
 */
export type Checksum = `${ChecksumAlgorithm}:${string}`;
export const CHECKSUM_ALGORITHMS = ['CRC64NVME', 'CRC32'] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

export const checksumSchema = z.templateLiteral([z.enum(CHECKSUM_ALGORITHMS), ':', z.string().check(z.minLength(8))]);

export function checksumOf(algorithm: ChecksumAlgorithm, base64: string): Checksum {
  return `${algorithm}:${base64}`;
}

export function algorithmOf(checksum: Checksum): ChecksumAlgorithm {
  return checksum.startsWith('CRC64NVME:') ? 'CRC64NVME' : 'CRC32';
}

/** The base64 that S3's headers carry. */
export function base64Of(checksum: Checksum): string {
  return checksum.slice(checksum.indexOf(':') + 1);
}

/** S3's form of a CRC32: the four bytes, big-endian, in base64. */
export function crc32Checksum(crc32: number): Checksum {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32 >>> 0);
  return checksumOf('CRC32', bytes.toString('base64'));
}
