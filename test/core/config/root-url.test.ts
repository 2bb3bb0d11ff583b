import { describe, expect, test } from 'vitest';
import { isInside, parseRootUrl, placesOverlap } from '../../../core/config/root-url.ts';

const place = (url: string) => {
  const parsed = parseRootUrl(url);
  if (parsed === undefined) {
    throw new Error(`${url} is no place`);
  }
  return parsed;
};

describe('the URL of a root', () => {
  test.each([
    ['s3://bucket', { kind: 's3', bucket: 'bucket', prefix: '' }],
    ['s3://bucket/', { kind: 's3', bucket: 'bucket', prefix: '' }],
    ['s3://bucket/a/b', { kind: 's3', bucket: 'bucket', prefix: 'a/b/' }],
    ['s3://bucket/a/b/', { kind: 's3', bucket: 'bucket', prefix: 'a/b/' }],
    ['file:///mnt/a/', { kind: 'file', path: '/mnt/a' }],
    ['file:///', { kind: 'file', path: '/' }],
  ])('%s names one place', (url, expected) => {
    expect(parseRootUrl(url)).toEqual(expected);
  });

  test.each(['http://bucket', 'file://relative', 's3://', ''])('%j names none', (url) => {
    expect(parseRootUrl(url)).toBeUndefined();
  });
});

describe('two places', () => {
  test.each([
    ['s3://b/x', 's3://b/x/y', true],
    ['s3://b', 's3://b/x', true],
    ['s3://b/x', 's3://b/xy', false],
    ['s3://b/x', 's3://c/x', false],
    ['file:///a', 'file:///a/b', true],
    ['file:///a', 'file:///ab', false],
    ['file:///b/x', 's3://b/x', false],
  ])('%s and %s overlap: %s', (left, right, overlap) => {
    expect(placesOverlap(place(left), place(right))).toBe(overlap);
    expect(placesOverlap(place(right), place(left))).toBe(overlap);
  });
});

test('a path is inside of a directory by whole segments', () => {
  expect(isInside('/mnt/data/x', '/mnt/data')).toBe(true);
  expect(isInside('/mnt/data', '/mnt/data')).toBe(true);
  expect(isInside('/mnt/data2', '/mnt/data')).toBe(false);
});
