import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareUtf8 } from '../../core/utf8-order.ts';

/** Characters on both sides of the surrogates, where UTF-16 and UTF-8 disagree. */
const tricky = fc.string({
  unit: fc.constantFrom('a', '/', '\u{7f}', 'ü', '\u{d7ff}', '\u{e000}', '\u{ffff}', '\u{10000}', '😀'),
});

describe('order of UTF-8 bytes', () => {
  it('is the order of the bytes, whatever the characters', () => {
    const text = fc.oneof(tricky, fc.string({ unit: 'binary' }), fc.string());
    fc.assert(
      fc.property(text, text, (left, right) => {
        expect(Math.sign(compareUtf8(left, right))).toBe(Buffer.compare(Buffer.from(left), Buffer.from(right)));
      }),
      { numRuns: 2000 },
    );
  });

  it('puts a character beyond U+FFFF after one of U+E000 to U+FFFF, unlike JavaScript', () => {
    expect('😀' < '\u{ffe0}').toBe(true);
    expect(compareUtf8('😀', '\u{ffe0}')).toBeGreaterThan(0);
  });
});
