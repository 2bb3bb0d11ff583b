/**
 * CRC32 of two pieces put together, from the CRC32 of each: crc(AB) = crc(A) * x^(8 * length of B) + crc(B) modulo the CRC's
 * polynomial. The method is zlib's `crc32_combine` (https://github.com/madler/zlib, crc32.c); bits are reflected, as in zlib.
 */
export function combineCrc32(first: number, second: number, secondSizeBytes: number): number {
  return (multiply(powerOfX(secondSizeBytes), first) ^ second) >>> 0;
}

/** The CRC32 polynomial of ISO 3309, reflected. */
const POLYNOMIAL = 0xedb88320;
/** The polynomial 1: bit 31 is x^0. */
const ONE = 0x80000000;
/** x^(2^n) for n = 0 to 31; exponents repeat with period 2^32 - 1, so that more are not needed. */
const POWERS = powers();

/** x^(8 * bytes) modulo the polynomial. */
function powerOfX(bytes: number): number {
  let product = ONE;
  // 2^3 bits are a byte, so the first bit of the count stands for x^(2^3).
  for (let rest = bytes, power = 3; rest > 0; rest = Math.floor(rest / 2), power += 1) {
    if (rest % 2 === 1) {
      product = multiply(POWERS[power % 32] ?? ONE, product);
    }
  }
  return product;
}

function powers(): readonly number[] {
  const found = [0x40000000];
  while (found.length < 32) {
    const last = found.at(-1) ?? ONE;
    found.push(multiply(last, last));
  }
  return found;
}

function multiply(left: number, right: number): number {
  let product = 0;
  let shifted = right;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((left & bit) !== 0) {
      product ^= shifted;
    }
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ POLYNOMIAL;
  }
  return product >>> 0;
}
