import { randomFillSync } from 'node:crypto';

const pool = Buffer.allocUnsafe(16 * 1024);
let used = pool.length;

/** Random bytes from a pool: asking the generator for a few at a time costs more than all else in a small write. */
export function randomBytesPooled(count: number): Buffer {
  if (used + count > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += count;
  return Buffer.from(pool.subarray(used - count, used));
}
