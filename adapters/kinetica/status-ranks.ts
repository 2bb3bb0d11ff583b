import * as z from 'zod/mini';
import { flag, smallInteger, unpackJson } from './json-text.ts';

/** One rank of `status_map.ranks`. */
export interface StatusRank {
  readonly rank: number;
  readonly readOnly: boolean;
}

const blockObject = z.record(z.string(), z.unknown());
const entrySchema = z.looseObject({ rank: z.optional(z.unknown()), read_only: z.optional(z.unknown()) });

/**
 * The container's shape is undocumented: a list of objects with `rank`, or an object keyed `0`, `rank0`, `rank_0`; any of it
 * possibly JSON in a string. A list whose entries carry no number is not used: positions lie where ranks were removed.
 * @returns ascending, or undefined when the ranks cannot be told
 */
export function parseStatusRanks(statusMap: { readonly ranks?: unknown }): StatusRank[] | undefined {
  const block = unpackJson(statusMap.ranks);
  const parsed = Array.isArray(block) ? block.map(fromListEntry) : fromObject(block);
  const ranks = parsed?.filter((rank) => rank !== undefined) ?? [];
  if (parsed === undefined || parsed.length === 0 || ranks.length !== parsed.length) return undefined;
  return ranks.sort((a, b) => a.rank - b.rank);
}

function fromListEntry(packed: unknown): StatusRank | undefined {
  const entry = entrySchema.safeParse(unpackJson(packed));
  return entry.success ? statusRank(entry.data.rank, entry.data.read_only) : undefined;
}

function fromObject(block: unknown): (StatusRank | undefined)[] | undefined {
  const entries = blockObject.safeParse(block);
  if (!entries.success) return undefined;
  return Object.entries(entries.data).map(([key, packed]) => {
    const entry = entrySchema.safeParse(unpackJson(packed));
    return statusRank(/^(?:rank[ _-]?)?(\d+)$/i.exec(key)?.[1], entry.success ? entry.data.read_only : undefined);
  });
}

function statusRank(number: unknown, readOnlyWord: unknown): StatusRank | undefined {
  const rank = smallInteger.safeParse(number);
  const readOnly = flag.safeParse(readOnlyWord);
  return rank.success ? { rank: rank.data, readOnly: readOnly.success && readOnly.data } : undefined;
}

/** Workers that call themselves read-only. */
export function readOnlyWorkers(ranks: readonly StatusRank[]): number[] {
  return ranks.filter(({ rank, readOnly }) => rank > 0 && readOnly).map(({ rank }) => rank);
}
