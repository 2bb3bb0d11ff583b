import { expect } from 'vitest';
import { compareTrees, type TreeEntry } from '../../../local/samples/compare-trees.ts';

/** Node sets file times as seconds in a double: some 240 ns off in this century. */
const TIME_TOLERANCE_NS = 1_000n;

/** Every path, byte, mode and time is the same; times to a microsecond. Trees in S3 have neither modes nor times. */
export function expectSameTree(there: readonly TreeEntry[], here: readonly TreeEntry[]): void {
  const attributes = [...there, ...here].every(({ mode }) => mode !== undefined);
  expect(compareTrees(there, attributes ? withTimesOf(there, here) : here, { attributes })).toEqual([]);
}

/** The bytes of every file are the same; for trees of different kinds, and for what was moved. */
export function expectSameBytes(there: readonly TreeEntry[], here: readonly TreeEntry[]): void {
  expect(compareTrees(there, here, { attributes: false })).toEqual([]);
}

export function filesOf(tree: readonly TreeEntry[]): string[] {
  return tree.filter(({ kind }) => kind === 'file').map(({ path }) => path);
}

function withTimesOf(there: readonly TreeEntry[], here: readonly TreeEntry[]): TreeEntry[] {
  const times = new Map(there.map(({ path, mtimeNs }) => [path, mtimeNs]));
  return here.map((entry) => {
    const wanted = times.get(entry.path);
    return isNear(wanted, entry.mtimeNs) ? { ...entry, mtimeNs: wanted } : entry;
  });
}

function isNear(left: string | undefined, right: string | undefined): boolean {
  if (left === undefined || right === undefined) {
    return false;
  }
  const difference = BigInt(left) - BigInt(right);
  return difference > -TIME_TOLERANCE_NS && difference < TIME_TOLERANCE_NS;
}
