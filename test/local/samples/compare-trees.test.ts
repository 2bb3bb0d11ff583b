import { chmod, cp, mkdir, rename, rm, rmdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareTrees, readTree } from '../../../local/samples/compare-trees.ts';
import { scratchDirectory } from './scratch.ts';

const MODIFIED_AT_SECONDS = Date.UTC(2026, 0, 2, 3, 4, 5) / 1000;

/** Two equal trees; the second is changed and both are compared. */
async function differencesAfter(
  change: (directory: string) => Promise<void>,
  options: { readonly attributes: boolean } = { attributes: true },
): Promise<string[]> {
  await using scratch = await scratchDirectory();
  const there = join(scratch.path, 'there');
  const here = join(scratch.path, 'here');
  await mkdir(join(there, 'rank-2/t1'), { recursive: true });
  await mkdir(join(there, 'rank-2/empty'));
  await writeFile(join(there, 'rank-2/t1/000003.seg'), Buffer.alloc(4096, 'a'));
  await writeFile(join(there, 'rank-2/t1/\u{1F5DD}'), 'key');
  await cp(there, here, { recursive: true, preserveTimestamps: true });
  for (const root of [there, here]) {
    await fixAttributes(root);
  }
  await change(here);
  return compareTrees(await readTree(there), await readTree(here), options);
}

async function fixAttributes(root: string): Promise<void> {
  for (const entry of await readTree(root)) {
    await chmod(join(root, entry.path), entry.kind === 'directory' ? 0o750 : 0o640);
  }
  for (const entry of await readTree(root)) {
    await utimes(join(root, entry.path), MODIFIED_AT_SECONDS, MODIFIED_AT_SECONDS);
  }
}

/** Puts back the time that a change inside a directory has moved. */
async function keepTime(directory: string, change: () => Promise<void>): Promise<void> {
  await change();
  await utimes(directory, MODIFIED_AT_SECONDS, MODIFIED_AT_SECONDS);
}

describe('comparing trees', () => {
  it('finds nothing between equal trees', async () => {
    expect(await differencesAfter(async () => {})).toEqual([]);
  });

  it('finds a missing file', async () => {
    const found = await differencesAfter(async (directory) =>
      keepTime(join(directory, 'rank-2/t1'), () => rm(join(directory, 'rank-2/t1/000003.seg'))),
    );
    expect(found).toEqual(['rank-2/t1/000003.seg: 4,096 bytes there, missing here']);
  });

  it('finds an extra file', async () => {
    const found = await differencesAfter((directory) => writeFile(join(directory, 'extra'), 'x'));
    expect(found).toEqual(['extra: missing there, 1 byte here']);
  });

  it('finds another size', async () => {
    const found = await differencesAfter(
      (directory) => writeFile(join(directory, 'rank-2/t1/000003.seg'), Buffer.alloc(4095, 'a')),
      { attributes: false },
    );
    expect(found).toEqual(['rank-2/t1/000003.seg: 4,096 bytes there, 4,095 bytes here']);
  });

  it('finds other bytes of the same size, whatever the times say', async () => {
    const found = await differencesAfter(async (directory) => {
      const path = join(directory, 'rank-2/t1/000003.seg');
      await keepTime(path, () => writeFile(path, Buffer.alloc(4096, 'b')));
    });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(
      /^rank-2\/t1\/000003\.seg: other bytes: 4,096 bytes with SHA-256 [0-9a-f]{64} there, [0-9a-f]{64} here$/,
    );
  });

  it('finds another mode, only when attributes count', async () => {
    const change = (directory: string) => chmod(join(directory, 'rank-2/t1/\u{1F5DD}'), 0o600);
    expect(await differencesAfter(change)).toEqual(['rank-2/t1/\u{1F5DD}: mode 0640 there, 0600 here']);
    expect(await differencesAfter(change, { attributes: false })).toEqual([]);
  });

  it('finds another time, only when attributes count', async () => {
    const change = (directory: string) => utimes(join(directory, 'rank-2/t1/\u{1F5DD}'), 0, MODIFIED_AT_SECONDS + 0.5);
    expect(await differencesAfter(change)).toEqual([
      'rank-2/t1/\u{1F5DD}: modified 2026-01-02T03:04:05.000000000Z there, 2026-01-02T03:04:05.500000000Z here',
    ]);
    expect(await differencesAfter(change, { attributes: false })).toEqual([]);
  });

  it('finds a missing directory and another mode of one', async () => {
    const found = await differencesAfter(async (directory) => {
      await keepTime(join(directory, 'rank-2'), () => rmdir(join(directory, 'rank-2/empty')));
      await chmod(join(directory, 'rank-2/t1'), 0o700);
    });
    expect(found).toEqual(['rank-2/empty/: a directory there, missing here', 'rank-2/t1/: mode 0750 there, 0700 here']);
  });

  it('finds a link where a file should be, even one to the same bytes', async () => {
    const found = await differencesAfter(
      async (directory) => {
        const path = join(directory, 'rank-2/t1/000003.seg');
        await rename(path, join(directory, '.rankvault-elsewhere'));
        await symlink('../../.rankvault-elsewhere', path);
      },
      { attributes: false },
    );
    expect(found).toEqual(['rank-2/t1/000003.seg: 4,096 bytes there, a symbolic link here']);
  });

  it('ignores what Rankvault keeps at the top of a root, but not deeper', async () => {
    const found = await differencesAfter(
      async (directory) => {
        await writeFile(join(directory, '.rankvault-root.json'), '{}');
        await mkdir(join(directory, '.rankvault-aside'));
        await writeFile(join(directory, '.rankvault-aside/old'), 'old');
        await writeFile(join(directory, 'rank-2/.rankvault-part'), 'left');
      },
      { attributes: false },
    );
    expect(found).toEqual(['rank-2/.rankvault-part: missing there, 4 bytes here']);
  });

  it('lists in order of UTF-8 bytes', async () => {
    await using scratch = await scratchDirectory();
    await mkdir(join(scratch.path, 't1'));
    for (const name of ['t1/a', 't1-old', '\u{1F5DD}', '\uFB01']) {
      await writeFile(join(scratch.path, name), name);
    }
    const paths = (await readTree(scratch.path)).map((entry) => entry.path);
    expect(paths).toEqual(['t1-old', 't1/', 't1/a', '\uFB01', '\u{1F5DD}']);
  });
});
