/** Castagnoli's polynomial, reflected (RFC 3720, appendix B.4). */
const polynomial = 0x82f63b78;

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
  return value >>> 0;
});

/**
 * CRC-32C of `data`, continued from `value`, like `zlib.crc32`. Node has no native one;
 * the project writes CRC32 and CRC64NVME, so this one need not be fast.
 */
export function crc32c(data: Uint8Array, value = 0): number {
  let crc = ~value;
  for (const byte of data) crc = (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}
