/**
 * Order of the UTF-8 bytes of two strings: S3's listing order, and the order of everything Rankvault merges.
 *
 * JavaScript compares UTF-16 code units, which differs where a surrogate (a character beyond U+FFFF) meets a character of
 * U+E000 to U+FFFF: surrogates are the smaller units but the greater characters.
 */
export function compareUtf8(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) {
      return rankOfUnit(a) - rankOfUnit(b);
    }
  }
  return left.length - right.length;
}

/** Moves the surrogates D800-DFFF above E000-FFFF, keeping the order otherwise. */
function rankOfUnit(unit: number): number {
  if (unit < 0xd800) {
    return unit;
  }
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
