import { RankvaultError, RootUnreadable, SpecialFile, StoreUnavailable } from '../../core/errors.ts';

/** `ENOENT` and the like; undefined when the error did not come from the operating system. */
export function errorCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Nothing has this name (any more). */
export function isAbsent(error: unknown): boolean {
  const code = errorCodeOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** What a network file system says while its server is away or the machine is short of handles: trying again may help. */
const PASSING: ReadonlySet<string> = new Set([
  'EAGAIN',
  'EBUSY',
  'EHOSTUNREACH',
  'EIO',
  'EMFILE',
  'ENETUNREACH',
  'ENFILE',
  'ESTALE',
  'ETIMEDOUT',
]);

/** Turns an error of the operating system into one that names the file; errors of Rankvault pass. */
export function unreadable(path: string, where: string, cause: unknown): RankvaultError {
  return (
    passingFailure(path, where, cause) ??
    new RootUnreadable(`${JSON.stringify(path)} in ${where} cannot be read (${errorCodeOf(cause) ?? String(cause)}).`, {
      hint: 'Check that the file system is mounted and that the user of the function may read there.',
      cause,
    })
  );
}

/** @returns undefined when trying again will not help */
export function passingFailure(path: string, where: string, cause: unknown): RankvaultError | undefined {
  if (cause instanceof RankvaultError) {
    return cause;
  }
  const code = errorCodeOf(cause);
  if (code === undefined || !PASSING.has(code)) {
    return undefined;
  }
  return new StoreUnavailable(`The file system failed at ${JSON.stringify(path)} in ${where} (${code}).`, {
    hint: 'The step is tried again by itself; when it keeps failing, check the file system and its mount target.',
    cause,
  });
}

export function specialFile(path: string, where: string, what: string): SpecialFile {
  return new SpecialFile(`${JSON.stringify(path)} in ${where} is ${what}.`, {
    hint: 'Replace it by a regular file or directory, give what it points to as a root of its own, or exclude it.',
  });
}
