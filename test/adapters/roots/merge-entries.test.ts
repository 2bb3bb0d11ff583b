import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeByPath } from '../../../adapters/roots/merge-entries.ts';
import { compareUtf8 } from '../../../core/utf8-order.ts';
import { collect } from '../../support/byte-streams.ts';

interface Entry {
  readonly path: string;
  readonly root: string;
}

async function* entriesOf(
  root: string,
  paths: readonly string[],
  onEnd: () => void = () => undefined,
): AsyncGenerator<Entry> {
  try {
    for (const path of paths) {
      yield { path, root };
    }
  } finally {
    onEnd();
  }
}

describe('merging roots', () => {
  it('gives every path once, in the order of UTF-8 bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        async (paths, streams) => {
          const shares = Array.from({ length: streams }, (_, stream) =>
            paths.filter((_path, index) => index % streams === stream).sort(compareUtf8),
          );
          const merged = await collect(mergeByPath(shares.map((share, index) => entriesOf(`r${index}`, share))));
          expect(merged.map((entry) => entry.path)).toEqual([...paths].sort(compareUtf8));
        },
      ),
    );
  });

  it('keeps one of a directory that several roots have', async () => {
    const merged = await collect(mergeByPath([entriesOf('one', ['a/', 'a/x']), entriesOf('two', ['a/', 'a/y'])]));
    expect(merged).toEqual([
      { path: 'a/', root: 'one' },
      { path: 'a/x', root: 'one' },
      { path: 'a/y', root: 'two' },
    ]);
  });

  it('refuses a part that two roots have, with the names of both', async () => {
    const merging = collect(mergeByPath([entriesOf('one', ['a', 'b']), entriesOf('two', ['b'])]));
    await expect(merging).rejects.toMatchObject({
      name: 'PathCollision',
      message: /"b" is in root one and in root two/,
    });
  });

  it('closes every stream when its reader leaves', async () => {
    const closed: string[] = [];
    const streams = ['one', 'two'].map((root) =>
      entriesOf(
        root,
        ['a', 'b', 'c'].map((path) => `${path} of ${root}`),
        () => closed.push(root),
      ),
    );
    for await (const entry of mergeByPath(streams)) {
      expect(entry.path).toBe('a of one');
      break;
    }
    expect(closed.sort()).toEqual(['one', 'two']);
  });
});
