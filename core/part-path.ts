import { PartPathInvalid } from './errors.ts';

/** 850 bytes: leaves room in S3's 1,024-byte key for backup, snapshot, `.rewritten/<token>` and rank. */
export const MAX_PART_PATH_BYTES = 850;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/u;

/**
 * Refuses paths that could not be stored and restored everywhere alike.
 * @param path a part's path inside its rank, `/`-separated; a directory's ends in `/`
 * @throws PartPathInvalid
 */
export function assertPartPath(path: string, where: string): void {
  const problem = problemOf(path);
  if (problem !== undefined) {
    throw new PartPathInvalid(`${JSON.stringify(path)} in ${where} ${problem}.`, {
      hint: 'Rename the file, or exclude it with an exclude pattern of its root.',
    });
  }
}

function problemOf(path: string): string | undefined {
  if (path === '' || path === '/') {
    return 'is an empty path';
  }
  if (!path.isWellFormed()) {
    return 'is not valid Unicode';
  }
  if (Buffer.byteLength(path, 'utf8') > MAX_PART_PATH_BYTES) {
    return `is longer than ${MAX_PART_PATH_BYTES} bytes`;
  }
  if (CONTROL.test(path)) {
    return 'has a control character';
  }
  const segments = (path.endsWith('/') ? path.slice(0, -1) : path).split('/');
  if (segments.some((segment) => segment === '')) {
    return 'has an empty segment';
  }
  if (segments.some((segment) => segment === '..' || segment === '.')) {
    return 'has a "." or ".." segment';
  }
  return undefined;
}
