import { describe, expect, it } from 'vitest';
import { PartPathInvalid } from '../../core/errors.ts';
import { assertPartPath, MAX_PART_PATH_BYTES } from '../../core/part-path.ts';

describe('part paths', () => {
  it.each([
    'meta.mdb',
    'tom-1/t42/000017.seg',
    'a b/ü+%2F',
    'dir/',
    '...',
    '😀'.repeat(212),
    'a'.repeat(MAX_PART_PATH_BYTES),
  ])('takes %j', (path) => {
    expect(() => assertPartPath(path, 'root main')).not.toThrow();
  });

  it.each([
    ['', 'is an empty path'],
    ['/', 'is an empty path'],
    ['/a', 'has an empty segment'],
    ['a//b', 'has an empty segment'],
    ['a//', 'has an empty segment'],
    ['a/../b', 'has a "." or ".." segment'],
    ['..', 'has a "." or ".." segment'],
    ['./a', 'has a "." or ".." segment'],
    ['../', 'has a "." or ".." segment'],
    ['a\nb', 'has a control character'],
    ['a\u0000', 'has a control character'],
    ['a\u007f', 'has a control character'],
    ['\ud800', 'is not valid Unicode'],
    ['a'.repeat(MAX_PART_PATH_BYTES + 1), 'is longer than 850 bytes'],
    ['ü'.repeat(426), 'is longer than 850 bytes'],
  ])('refuses %j by name', (path, problem) => {
    expect(() => assertPartPath(path, 'root main')).toThrow(PartPathInvalid);
    expect(() => assertPartPath(path, 'root main')).toThrow(`in root main ${problem}. Rename the file`);
  });
});
