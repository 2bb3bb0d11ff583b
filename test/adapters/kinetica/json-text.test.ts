import { describe, expect, it } from 'vitest';
import { flag, parseJson, smallInteger, unpackJson, wideInteger } from '../../../adapters/kinetica/json-text.ts';

describe('parseJson', () => {
  it('keeps every digit of a 64-bit integer, nested ones too', () => {
    const parsed = parseJson('{"a":9223372036854775807,"b":[-9223372036854775808],"c":9007199254740993}');

    expect(parsed).toEqual({ a: 9223372036854775807n, b: [-9223372036854775808n], c: 9007199254740993n });
  });

  it('leaves exact integers and fractions numbers', () => {
    expect(parseJson('[0,-1,9007199254740991,1.5,1e400,"1"]')).toEqual([0, -1, 9007199254740991, 1.5, Infinity, '1']);
  });

  it('throws SyntaxError for what is not JSON', () => {
    expect(() => parseJson('<html>')).toThrow(SyntaxError);
  });
});

describe('wideInteger', () => {
  it.each([
    [7, 7n],
    ['1654321012345', 1654321012345n],
    [' -5 ', -5n],
    [9223372036854775807n, 9223372036854775807n],
    ['9223372036854775807', 9223372036854775807n],
  ])('reads %s', (value, expected) => {
    expect(wideInteger.parse(value)).toBe(expected);
  });

  it.each([1.5, 2 ** 53, Number.NaN, '1.5', '', 'x', null, true, undefined, '1e3'])('refuses %s', (value) => {
    expect(wideInteger.safeParse(value).success).toBe(false);
  });
});

describe('smallInteger', () => {
  it('reads counts from numbers and digits', () => {
    expect([smallInteger.parse(16384), smallInteger.parse('3')]).toEqual([16384, 3]);
  });

  it.each([-1, '-1', 2 ** 31, '99999999999', 0.5])('refuses %s', (value) => {
    expect(smallInteger.safeParse(value).success).toBe(false);
  });
});

describe('flag', () => {
  it('reads booleans and words in either case', () => {
    expect(['TRUE', 'true', 'False', true, false].map((value) => flag.parse(value))).toEqual([
      true,
      true,
      false,
      true,
      false,
    ]);
  });

  it.each(['yes', 1, ''])('refuses %s', (value) => {
    expect(flag.safeParse(value).success).toBe(false);
  });
});

describe('unpackJson', () => {
  it('unpacks JSON in strings as deep as it goes and leaves the rest', () => {
    expect(unpackJson(JSON.stringify(JSON.stringify({ a: 1 })))).toEqual({ a: 1 });
    expect(unpackJson('running')).toBe('running');
    expect(unpackJson('{broken')).toBe('{broken');
    expect(unpackJson({ a: '1' })).toEqual({ a: '1' });
    expect(unpackJson(undefined)).toBeUndefined();
  });
});
