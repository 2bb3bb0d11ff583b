import { RankvaultError } from '../../core/errors.ts';
import { errorCodeOf, passingFailure } from './file-errors.ts';

/** A file or directory of a restore's target cannot be written, removed, or given its owner. */
export class TargetNotWritable extends RankvaultError {
  override readonly name = 'TargetNotWritable';
  readonly family = 'fatal';
}

/** Turns an error of the operating system while writing a target into one that says what to do; errors of Rankvault pass. */
export function notWritable(path: string, where: string, cause: unknown): RankvaultError {
  const passing = passingFailure(path, where, cause);
  if (passing !== undefined) {
    return passing;
  }
  const code = errorCodeOf(cause) ?? String(cause);
  return new TargetNotWritable(`${JSON.stringify(path)} in ${where} cannot be written (${code}).`, {
    hint: hintFor(code),
    cause,
  });
}

function hintFor(code: string): string {
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return 'Make room on the file system, then run the restore again: it goes on where it stopped.';
  }
  if (code === 'EROFS') {
    return 'Mount the file system for writing, then run the restore again.';
  }
  return 'Let the user of the function write there (an EFS access point decides who that is), then run the restore again.';
}
