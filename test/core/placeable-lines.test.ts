import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PathCollision, TopologyMismatch } from '../../core/errors.ts';
import type { RankName } from '../../core/ids.ts';
import type { ManifestLine } from '../../core/manifest.ts';
import { placeableLines } from '../../core/placeable-lines.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';
import { collect } from '../support/byte-streams.ts';
import { directoryLine, partLine } from '../support/sample-lines.ts';

async function* streamed(lines: readonly ManifestLine[]): AsyncGenerator<ManifestLine> {
  yield* lines;
}

const OPEN = { assertPlace: () => undefined, excludes: () => false };

function placeable(lines: readonly ManifestLine[], target: Partial<Parameters<typeof placeableLines>[1]> = {}) {
  return collect(placeableLines(streamed(lines), { ...OPEN, fileSystemOf: () => 'main', ...target }, 1));
}

describe('the lines that a target can take', () => {
  it('are refused exactly when a file of them lies below another', async () => {
    const path = fc.array(fc.constantFrom('a', 'b', 'a-', 'a0', 'ä'), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(path, { selector: (segments) => segments.join('/') }), async (all) => {
        const paths = all.map((segments) => segments.join('/')).sort(compareUtf8);
        const collides = paths.some((file) => paths.some((below) => below.startsWith(`${file}/`)));
        const given = placeable(paths.map((each) => partLine(each)));
        await (collides
          ? expect(given).rejects.toThrow(PathCollision)
          : expect(given.then((lines) => lines.map((each) => each.path))).resolves.toEqual(paths));
      }),
    );
  });

  it('name both files and their roots when they collide', async () => {
    const lines = [partLine('c', { root: 'one' }), partLine('c-d'), partLine('c/d', { root: 'two' })];
    await expect(placeable(lines)).rejects.toMatchObject({
      message: /"c" \(root one\) and "c\/d" \(root two\) of rank-1/,
      hint: /S3.*exclude/,
    });
  });

  it('may not have a file where a directory shall be either', async () => {
    await expect(placeable([partLine('c'), directoryLine('c/')])).rejects.toThrow(PathCollision);
    await expect(placeable([directoryLine('c/'), partLine('c/d')])).resolves.toHaveLength(2);
  });

  it('are each asked for a place, with their rank', async () => {
    const assertPlace = (rank: RankName, line: ManifestLine): void => {
      if (line.path === 'e/') {
        throw new TopologyMismatch(`No place for ${line.path} of ${rank}.`, { hint: 'Look at the target.' });
      }
    };
    const lines = [partLine('d'), directoryLine('e/')];
    await expect(placeable(lines, { assertPlace })).rejects.toThrow('No place for e/ of 1.');
  });

  it('may lie below each other on S3, in different roots, and where the target excludes one', async () => {
    const lines = [partLine('c', { root: 'one' }), partLine('c/d', { root: 'two' })];
    await expect(placeable(lines, { fileSystemOf: () => undefined })).resolves.toHaveLength(2);
    await expect(placeable(lines, { fileSystemOf: (line) => line.root })).resolves.toHaveLength(2);
    expect(await placeable(lines, { excludes: (_rank, line) => line.path === 'c' })).toEqual([
      { path: 'c', line: undefined },
      { path: 'c/d', line: lines[1] },
    ]);
  });
});
