/** Reflected polynomial of CRC-64/NVME (NVM Express specification, 64-bit protection information). */
const POLYNOMIAL = 0x9a6c9329ac4bc9b5n;
/** x^0, the one of reflected polynomials of 64 bits. */
const ONE = 1n << 63n;
/** x^8: a shift by one byte. */
const ONE_BYTE = 1n << 55n;

/** A run of bytes, known by its length and its CRC64NVME in base64. */
export interface Crc64Run {
  readonly base64: string;
  readonly sizeBytes: number;
}

/**
 * CRC64NVME (base64) of runs of bytes one after another, from their CRCs alone: crc(a b) = crc(a) x^(8 |b|) + crc(b) modulo the
 * polynomial, as in zlib's crc32_combine. Memory and time do not depend on the bytes.
 */
export function combineCrc64(runs: Iterable<Crc64Run>): string {
  const shifts = new Map<number, bigint>();
  let combined = 0n;
  for (const { base64, sizeBytes } of runs) {
    const shift = shifts.get(sizeBytes) ?? power(ONE_BYTE, sizeBytes);
    // All runs but the last have one length, so the map stays small.
    shifts.set(sizeBytes, shift);
    combined = multiply(combined, shift) ^ Buffer.from(base64, 'base64').readBigUInt64BE();
  }
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(combined);
  return bytes.toString('base64');
}

function multiply(left: bigint, right: bigint): bigint {
  let product = 0n;
  let factor = right;
  for (let bit = ONE; bit !== 0n; bit >>= 1n) {
    if ((left & bit) !== 0n) {
      product ^= factor;
    }
    factor = (factor & 1n) === 1n ? (factor >> 1n) ^ POLYNOMIAL : factor >> 1n;
  }
  return product;
}

function power(base: bigint, exponent: number): bigint {
  let result = ONE;
  let square = base;
  for (let rest = BigInt(exponent); rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) {
      result = multiply(result, square);
    }
    square = multiply(square, square);
  }
  return result;
}
