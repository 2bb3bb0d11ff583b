import type { CrcAlgorithm } from './checksums.ts';

/** Width in bits and reflected polynomial of each CRC. */
interface CrcField {
  readonly width: bigint;
  readonly polynomial: bigint;
  /** `powers[k]` is x^(2^k) modulo the polynomial. */
  readonly powers: readonly bigint[];
  /** x^(8 n) by n in bytes; parts of one upload mostly share one length. */
  readonly shifts: Map<number, bigint>;
}

/** Shift operators remembered at most, so that odd lengths cannot grow the memory. */
const maxRememberedShifts = 1024;

const fields: Readonly<Record<CrcAlgorithm, CrcField>> = {
  CRC32: makeField(32n, 0xedb88320n),
  CRC32C: makeField(32n, 0x82f63b78n),
  CRC64NVME: makeField(64n, 0x9a6c9329ac4bc9b5n),
};

function makeField(width: bigint, polynomial: bigint): CrcField {
  const powers = [1n << (width - 2n)];
  const field = { width, polynomial, powers, shifts: new Map<number, bigint>() };
  // 2^50 bytes are 2^53 bits: more than any object.
  for (let last = powers[0] ?? 0n; powers.length < 54; powers.push(last)) last = multiply(field, last, last);
  return field;
}

/** a·b modulo the polynomial, both reflected (zlib's multmodp). */
function multiply(field: CrcField, a: bigint, b: bigint): bigint {
  let product = 0n;
  let factor = b;
  for (let mask = 1n << (field.width - 1n); mask !== 0n; mask >>= 1n) {
    if ((a & mask) !== 0n) product ^= factor;
    factor = (factor & 1n) === 0n ? factor >> 1n : (factor >> 1n) ^ field.polynomial;
  }
  return product;
}

function shiftOf(field: CrcField, lengthBytes: number): bigint {
  const known = field.shifts.get(lengthBytes);
  if (known !== undefined) return known;
  let result = 1n << (field.width - 1n);
  let remaining = BigInt(lengthBytes);
  for (let power = 3; remaining !== 0n; power += 1, remaining >>= 1n) {
    if ((remaining & 1n) === 1n) result = multiply(field, field.powers[power] ?? 0n, result);
  }
  if (field.shifts.size >= maxRememberedShifts) field.shifts.clear();
  field.shifts.set(lengthBytes, result);
  return result;
}

/** A run of bytes, known only by its length and its CRC in base64. */
export interface CrcRun {
  readonly value: string;
  readonly lengthBytes: number;
}

/**
 * CRC (base64) of runs one after another, from their CRCs alone (zlib's crc32_combine, for any width).
 * Without runs it is the CRC of nothing, which is 0.
 */
export function combineCrcs(algorithm: CrcAlgorithm, runs: Iterable<CrcRun>): string {
  const field = fields[algorithm];
  let combined = 0n;
  for (const { value, lengthBytes } of runs) {
    const next = BigInt(`0x${Buffer.from(value, 'base64').toString('hex')}`);
    combined = multiply(field, shiftOf(field, lengthBytes), combined) ^ next;
  }
  const digits = Number(field.width) / 4;
  return Buffer.from(combined.toString(16).padStart(digits, '0'), 'hex').toString('base64');
}
