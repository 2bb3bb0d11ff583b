import { CATALOG_PREFIX } from '../../core/vault-layout.ts';

/** Kinds of catalog objects in every backup: all but `freeze.json` below a prefix of their own. */
export type CatalogKind =
  | 'attempts'
  | 'definitions'
  | 'findings'
  | 'freeze'
  | 'maintenance'
  | 'manifests'
  | 'pins'
  | 'slices'
  | 'snapshots'
  | 'tombstones'
  | 'verifications';

/** What says what was and what is to be: it is hidden by a delete marker at most, and no version of it ever goes. */
export const NEVER_DELETED: readonly CatalogKind[] = [
  'definitions',
  'findings',
  'freeze',
  'maintenance',
  'pins',
  'slices',
  'tombstones',
  'verifications',
];

/** `*` stands for the backup: names of backups have no `/`. */
export function catalogKeys(kind: CatalogKind): string {
  return kind === 'freeze' ? `${CATALOG_PREFIX}*/freeze.json` : `${CATALOG_PREFIX}*/${kind}/*`;
}

/** Below the directory of a snapshot. A `*` matches `/` too: manifests, which are below such a directory of the catalog, match as well. */
export const PARTS = '*/snapshot.*/*';
