import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface LocalRank {
  readonly rank: number;
  readonly toms: readonly number[];
}

export interface LayoutOptions {
  /** Workers: a number for ranks 1..N, or the ranks themselves, with gaps where some were removed. @default - read from the directory */
  readonly ranks?: number | readonly number[];
  /** @default 1 */
  readonly tomsPerRank?: number;
  /** Rank files of a sample cluster, `rank-<n>/tom-<m>/...`; read only. */
  readonly directory?: string;
}

/** The options of a stand-in contradict each other or name nothing. */
export class LocalKineticaInvalid extends Error {
  override readonly name = 'LocalKineticaInvalid';
}

/** Every rank of the shard array of a Kinetica cluster lives in one of so many slots. */
export const SHARD_COUNT = 16_384;

/** Workers, ascending. @throws LocalKineticaInvalid */
export async function planLayout(options: LayoutOptions): Promise<LocalRank[]> {
  const ranks =
    options.ranks === undefined && options.directory !== undefined
      ? await readRankDirectories(options.directory)
      : givenRanks(options);
  if (ranks.length === 0) {
    throw new LocalKineticaInvalid('The stand-in has no worker rank. Give ranks, or a directory with rank-1 in it.');
  }
  return ranks.sort((a, b) => a.rank - b.rank);
}

function givenRanks({ ranks = 1, tomsPerRank = 1 }: LayoutOptions): LocalRank[] {
  const numbers =
    typeof ranks === 'number' ? Array.from({ length: ranks }, (_, index) => index + 1) : [...new Set(ranks)];
  const odd = [...(typeof ranks === 'number' ? [ranks] : numbers), tomsPerRank].find(
    (number) => !Number.isInteger(number) || number < 1,
  );
  if (odd !== undefined) {
    throw new LocalKineticaInvalid(`${odd} is no worker rank and no number of TOMs. Use integers from 1.`);
  }
  const toms = Array.from({ length: tomsPerRank }, (_, index) => index);
  return numbers.map((rank) => ({ rank, toms }));
}

async function readRankDirectories(directory: string): Promise<LocalRank[]> {
  const ranks = await numberedDirectories(directory, /^rank-?(\d+)$/);
  const workers = ranks.filter(({ number }) => number > 0);
  return Promise.all(
    workers.map(async ({ number, name }) => {
      const toms = await numberedDirectories(join(directory, name), /^tom-?(\d+)$/);
      return { rank: number, toms: toms.map((tom) => tom.number).sort((a, b) => a - b) };
    }),
  );
}

async function numberedDirectories(directory: string, pattern: RegExp): Promise<{ number: number; name: string }[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries.flatMap((entry) => {
    const number = pattern.exec(entry.name)?.[1];
    return entry.isDirectory() && number !== undefined ? [{ number: Number(number), name: entry.name }] : [];
  });
}
