import { flag, smallInteger } from './json-text.ts';
import type { Said } from './said.ts';

/** Worker numbers by the slots of a URL list. */
export interface WorkerSlots {
  readonly present: readonly number[];
  /** Empty slots: the rank was removed and its number is kept. */
  readonly removed: readonly number[];
}

export const TOPOLOGY_PROPERTIES = [
  'version.gpudb_core_version',
  'conf.toms_per_rank',
  'conf.enable_worker_http_servers',
  'conf.worker_http_server_urls',
  'conf.worker_http_server_urls_private',
] as const;

type Properties = Readonly<Record<string, unknown>>;

/** Slots are split by `;`, the slot's index is the rank, slot 0 is the head; addresses inside a slot are split by `,`. */
export function parseWorkerUrls(properties: Properties): Said<WorkerSlots> {
  const enabled = flag.safeParse(properties['conf.enable_worker_http_servers']);
  if (enabled.success && !enabled.data) return { reason: 'worker HTTP servers are off' };
  const list =
    propertyText(properties, 'conf.worker_http_server_urls') ??
    propertyText(properties, 'conf.worker_http_server_urls_private');
  if (list === undefined) return { reason: 'no list of worker URLs' };
  const workers = list
    .split(';')
    .map((slot, rank) => ({ rank, empty: slot.replaceAll(',', '').trim() === '' }))
    .slice(1);
  if (workers.every(({ empty }) => empty)) return { reason: 'the list of worker URLs names no worker' };
  return {
    said: {
      present: workers.filter(({ empty }) => !empty).map(({ rank }) => rank),
      removed: workers.filter(({ empty }) => empty).map(({ rank }) => rank),
    },
  };
}

export function parseTomsPerRank(properties: Properties): Said<number> {
  const text = propertyText(properties, 'conf.toms_per_rank');
  if (text === undefined) return { reason: 'no conf.toms_per_rank' };
  const count = smallInteger.safeParse(text);
  return count.success && count.data >= 1 && count.data <= MAX_TOMS_PER_RANK
    ? { said: count.data }
    : { reason: 'conf.toms_per_rank is not a count' };
}

/** Shards are 16,384 in all: more TOMs than that on one rank cannot be meant. */
const MAX_TOMS_PER_RANK = 16_384;

/** Unset is spelled as an empty string. */
export function propertyText(properties: Properties, key: string): string | undefined {
  const value = properties[key];
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}
