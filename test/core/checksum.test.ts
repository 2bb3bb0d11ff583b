import { describe, expect, it } from 'vitest';
import { algorithmOf, base64Of, checksumOf, checksumSchema, crc32Checksum } from '../../core/checksum.ts';

describe('checksums', () => {
  it('write a CRC32 as S3 does: four bytes, big-endian, base64', () => {
    // The check value of CRC-32 for "123456789" is cbf43926 (CRC RevEng catalogue); S3 shows y/Q5Jg==.
    expect(crc32Checksum(0xcbf43926)).toBe('CRC32:y/Q5Jg==');
    expect(crc32Checksum(0xcbf43926 | 0)).toBe('CRC32:y/Q5Jg==');
  });

  it('give back their algorithm and value', () => {
    const checksum = checksumOf('CRC64NVME', 'rosUhgp5mIg=');
    expect([algorithmOf(checksum), base64Of(checksum)]).toEqual(['CRC64NVME', 'rosUhgp5mIg=']);
    expect(algorithmOf('CRC32:y/Q5Jg==')).toBe('CRC32');
  });

  it.each(['MD5:y/Q5Jg==', 'CRC32:', 'y/Q5Jg=='])('are not %j', (text) => {
    expect(checksumSchema.safeParse(text).success).toBe(false);
  });
});
