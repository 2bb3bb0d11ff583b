import { type Checksum, type ChecksumAlgorithm, checksumOf } from '../../core/checksum.ts';

/** The checksum fields that S3's answers share. */
export interface S3ChecksumFields {
  readonly ChecksumCRC64NVME?: string | undefined;
  readonly ChecksumCRC32?: string | undefined;
  readonly ChecksumType?: string | undefined;
}

/**
 * The checksum over the whole object, CRC64NVME before CRC32; undefined when S3 has none. A multipart object can have a checksum of its
 * parts' checksums (COMPOSITE), which says nothing about another upload of the same bytes.
 */
export function fullObjectChecksum(fields: S3ChecksumFields): Checksum | undefined {
  return fullObjectChecksumOf(fields, 'CRC64NVME') ?? fullObjectChecksumOf(fields, 'CRC32');
}

export function fullObjectChecksumOf(fields: S3ChecksumFields, algorithm: ChecksumAlgorithm): Checksum | undefined {
  const value = algorithm === 'CRC64NVME' ? fields.ChecksumCRC64NVME : fields.ChecksumCRC32;
  return value === undefined || fields.ChecksumType !== 'FULL_OBJECT' ? undefined : checksumOf(algorithm, value);
}
