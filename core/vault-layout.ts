import { createHash } from 'node:crypto';
import { assertName, type RankName, rankDirectory } from './ids.ts';
import type { SourceToken } from './source-token.ts';

/**
 * Every key of the vault bucket is made and parsed here and nowhere else.
 *
 * Everything under these keys is write-once; the catalog is the listing of `snapshots/` minus `tombstones/`.
 */
export const CATALOG_PREFIX = '.rankvault/catalog/';

/** `<backup>/<snapshot>/rank-<n>/<path>`: where a part's bytes lie unless its manifest line has a `key`. */
export function partKey(backup: string, snapshot: string, rank: RankName, path: string): string {
  return `${backup}/${snapshot}/${rankDirectory(rank)}/${path}`;
}

/**
 * Where a later version of a part goes when the natural key is taken: a file that changed between the warm pass and the
 * quiesced pass of one snapshot. The token's digest makes the key the same on every retry.
 */
export function rewrittenPartKey(natural: PartPlace, token: SourceToken): string {
  const digest = createHash('sha256').update(token).digest('hex').slice(0, 12);
  const { backup, snapshot, rank, path } = natural;
  return `${backup}/${snapshot}/.rewritten/${digest}/${rankDirectory(rank)}/${path}`;
}

export interface PartPlace {
  readonly backup: string;
  readonly snapshot: string;
  readonly rank: RankName;
  readonly path: string;
}

/** Prefix of all bytes that a snapshot stored. */
export function snapshotPrefix(backup: string, snapshot: string): string {
  return `${backup}/${snapshot}/`;
}

export function catalogPrefix(backup: string): string {
  assertName('backup', backup);
  return `${CATALOG_PREFIX}${backup}/`;
}

export const attemptsPrefix = (backup: string): string => `${catalogPrefix(backup)}attempts/`;
export const attemptKey = (backup: string, snapshot: string): string => `${attemptsPrefix(backup)}${snapshot}.json`;
export const recordsPrefix = (backup: string): string => `${catalogPrefix(backup)}snapshots/`;
export const recordKey = (backup: string, snapshot: string): string => `${recordsPrefix(backup)}${snapshot}.json`;
export const tombstonesPrefix = (backup: string): string => `${catalogPrefix(backup)}tombstones/`;
export const tombstoneKey = (backup: string, snapshot: string): string => `${tombstonesPrefix(backup)}${snapshot}.json`;
export const definitionsPrefix = (backup: string): string => `${catalogPrefix(backup)}definitions/`;
/** Definitions are numbered from 1, six digits, so that the greatest is the last of the listing. */
export const definitionKey = (backup: string, number: number): string =>
  `${definitionsPrefix(backup)}${String(number).padStart(6, '0')}.json`;
export const manifestsPrefix = (backup: string, snapshot: string): string =>
  `${catalogPrefix(backup)}manifests/${snapshot}/`;
export const manifestKey = (backup: string, snapshot: string, rank: RankName): string =>
  `${manifestsPrefix(backup, snapshot)}${rankDirectory(rank)}.jsonl.gz`;
export const ranksKey = (backup: string, snapshot: string): string =>
  `${manifestsPrefix(backup, snapshot)}ranks.jsonl.gz`;
export const pinsPrefix = (backup: string): string => `${catalogPrefix(backup)}pins/`;
export const pinKey = (backup: string, snapshot: string): string => `${pinsPrefix(backup)}${snapshot}.json`;
export const freezeKey = (backup: string): string => `${catalogPrefix(backup)}freeze.json`;
export const verificationsPrefix = (backup: string): string => `${catalogPrefix(backup)}verifications/`;
/** @param id sorts by time, see `verificationId` in core/verification.ts; the record is the run's last write */
export const verificationKey = (backup: string, id: string): string => `${verificationsPrefix(backup)}${id}.json`;
/** What a verification found, one finding a line. Beside the records, so that their listing stays short. */
export const findingsKey = (backup: string, id: string): string => `${catalogPrefix(backup)}findings/${id}.jsonl.gz`;
/** What a verification looked at, one rank of a snapshot a line: coverage, and where the next one goes on, are computed from these. */
export const slicesKey = (backup: string, id: string): string => `${catalogPrefix(backup)}slices/${id}.jsonl.gz`;
/** One record of each execution of Maintain that changed something. */
export const maintenanceKey = (backup: string, id: string): string => `${catalogPrefix(backup)}maintenance/${id}.json`;

/** Restores that changed a cluster: the next snapshot of such a cluster is a full. */
export const restoredPrefix = (cluster: string): string => {
  assertName('cluster', cluster);
  return `.rankvault/restored/${cluster}/`;
};
export const restoredKey = (cluster: string, epochMillis: number, execution: string): string =>
  `${restoredPrefix(cluster)}${epochMillis}-${execution}.json`;

/** The last segment of a catalog key without its `.json`: a snapshot directory, or a definition's number. */
export function nameOfCatalogKey(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1).replace(/\.json$/, '');
}
