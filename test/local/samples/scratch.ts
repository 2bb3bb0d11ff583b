import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory of the test's own, removed at the end of its scope: `await using scratch = await scratchDirectory()`. */
export async function scratchDirectory(): Promise<{ readonly path: string; [Symbol.asyncDispose](): Promise<void> }> {
  return await mkdtempDisposable(join(tmpdir(), 'rankvault-samples-'));
}
