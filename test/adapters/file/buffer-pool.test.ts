import { describe, expect, it } from 'vitest';
import { BufferPool } from '../../../adapters/file/buffer-pool.ts';

describe('the buffer pool', () => {
  it('lets borrowers wait, in order, until there is room', async () => {
    const pool = new BufferPool(100, 50);
    const first = await pool.borrow(50);
    const second = await pool.borrow(50);
    const order: string[] = [];
    const large = pool.borrow(80).then((loan) => {
      order.push('large');
      return loan;
    });
    const small = pool.borrow(10).then((loan) => {
      order.push('small');
      return loan;
    });
    expect(pool.waitingCount).toBe(2);
    first.giveBack();
    expect(pool.lentBytes).toBe(50);
    second.giveBack();
    (await large).giveBack();
    (await small).giveBack();

    expect(order).toEqual(['large', 'small']);
    expect(pool.lentBytes).toBe(0);
  });

  it('serves a request larger than itself when nothing else is on loan', async () => {
    const pool = new BufferPool(100, 50);
    const small = await pool.borrow(1);
    const huge = pool.borrow(1_000);
    expect(pool.lentBytes).toBe(1);
    small.giveBack();
    expect((await huge).bytes.byteLength).toBe(1_000);
  });

  it('lends the kept size again, and counts a loan given back twice once', async () => {
    const pool = new BufferPool(100, 50);
    const first = await pool.borrow(50);
    first.giveBack();
    first.giveBack();
    expect(pool.lentBytes).toBe(0);
    const [again, other] = [await pool.borrow(50), await pool.borrow(50)];
    expect(again.bytes).toBe(first.bytes);
    expect(other.bytes).not.toBe(first.bytes);
  });
});
