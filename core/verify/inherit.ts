import pMap from 'p-map';
import { CatalogCorrupt } from '../errors.ts';
import { parseOrCorrupt, parseVersioned } from '../format.ts';
import { readGzipJsonLines } from '../jsonl.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { epochMillisOfIso } from '../utc.ts';
import { findingsKey } from '../vault-layout.ts';
import {
  type Finding,
  type FindingKind,
  findingSchema,
  findingsHeaderSchema,
  type OpenFindings,
  partsOfVerificationId,
  VERIFY_LEVELS,
  type VerifyLevel,
} from '../verification.ts';
import { hurts, type Promises } from './gather.ts';
import { type DamagedVersion, isDamagedVersion, isTooMuch, lookUp, lookUpsFor, MOST_LOOKED_UP } from './hurt.ts';
import { kindsOf, type Sighting } from './sightings.ts';
import type { CatalogTable, TableEntry } from './units.ts';

/** Manifests read at a time. */
const MANIFESTS_AT_A_TIME = 8;

/** What a version that a manifest names can have; other kinds are of a snapshot itself, and nobody inherits them. */
const OF_VERSIONS: ReadonlySet<FindingKind> = new Set<FindingKind>([
  'MissingObject',
  'TruncatedObject',
  'ChangedObject',
  'ArchivedObject',
  'NoncurrentObject',
]);

export interface InheritQuestion {
  readonly backup: string;
  /** Visible snapshots. */
  readonly table: CatalogTable;
  readonly promises: Promises;
  /** Chain of each visible snapshot. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Ids of the verifications before this one, oldest first. */
  readonly ids: readonly string[];
  /** What was open before and still is. */
  readonly open: readonly OpenFindings[];
  /** Snapshots that were held against all of that already. */
  readonly heldAgainst: ReadonlySet<string>;
  /** Snapshots of which this run has looked at everything, and its level: it knows for itself. */
  readonly whole: ReadonlySet<string>;
  readonly level: VerifyLevel;
}

/** A finding of an earlier verification from which a snapshot suffers that nobody had held against it. */
export interface Inherited {
  readonly level: VerifyLevel;
  readonly sighting: Sighting;
  /** The same for all that suffer from it. */
  readonly cause: object;
}

/**
 * Holds snapshots that were committed, or taken back, since the verification before against what was open then: they may name the same
 * damaged versions. What cannot be looked up hurts every one that names bytes of the same directories.
 * @throws FormatTooNew, StoreUnavailable
 */
export async function inheritedFrom(vault: ObjectStore, question: InheritQuestion): Promise<readonly Inherited[]> {
  const inherited: Inherited[] = [];
  for (const level of VERIFY_LEVELS) {
    const open = question.open.filter((each) => each.level === level && kindsOf(each.kinds).some(isOfVersions));
    const fresh = [...question.table.values()].filter(
      ({ snapshot }) =>
        !(question.heldAgainst.has(snapshot) || (level === question.level && question.whole.has(snapshot))),
    );
    if (open.length > 0 && fresh.length > 0) {
      inherited.push(...(await inheritedAt(vault, question, { level, open, fresh })));
    }
  }
  return inherited;
}

interface AtLevel {
  readonly level: VerifyLevel;
  readonly open: readonly OpenFindings[];
  readonly fresh: readonly TableEntry[];
}

async function inheritedAt(vault: ObjectStore, question: InheritQuestion, at: AtLevel): Promise<readonly Inherited[]> {
  const { backup, promises } = question;
  const { level, open } = at;
  const stored = await storedFindings(vault, question, at);
  const table: CatalogTable = new Map(at.fresh.map((entry) => [entry.snapshot, entry]));
  const lookUps = lookUpsFor(table, stored.versions);
  const unknown = stored.overflow || isTooMuch(table, lookUps) ? open : open.filter((each) => !isKnown(each, stored));
  const found = await pMap(
    unknown === open ? [] : lookUps,
    async (asked) => {
      const { snapshot } = asked;
      const named = await lookUp(vault, backup, asked);
      return named
        .filter((cause) => hurts(cause, promises.get(snapshot)))
        .map((cause): Inherited => ({ level, cause, sighting: { ...cause, snapshot } }));
    },
    { concurrency: MANIFESTS_AT_A_TIME },
  );
  return [...found.flat(), ...unknown.flatMap((each) => byDirectory(question, each, at))];
}

interface StoredFindings {
  readonly versions: readonly DamagedVersion[];
  /** By snapshot and kind: how many of them say exactly what is wrong. */
  readonly exact: ReadonlyMap<string, number>;
  readonly overflow: boolean;
}

/** What earlier verifications wrote down of what is open, each version once. */
async function storedFindings(
  vault: ObjectStore,
  { backup, ids }: InheritQuestion,
  { level, open }: AtLevel,
): Promise<StoredFindings> {
  const bySnapshot = new Map(open.map((each) => [each.snapshot, each]));
  const distinct = new Map<string, DamagedVersion>();
  const exact = new Map<string, number>();
  for (const id of idsSince(ids, open)) {
    for await (const finding of readFindings(vault, backup, id)) {
      const { snapshot, kind } = finding;
      const isOpen = (bySnapshot.get(snapshot)?.kinds[kind] ?? 0) > 0 && levelOf(finding, id) === level;
      const name = `${snapshot}\n${kind}\n${finding.rank}\n${finding.versionId}\n${finding.key}`;
      if (!isOpen || !isDamagedVersion(finding) || distinct.has(name)) {
        continue;
      }
      if (distinct.size === MOST_LOOKED_UP) {
        return { versions: [], exact, overflow: true };
      }
      distinct.set(name, finding);
      exact.set(`${snapshot}\n${kind}`, (exact.get(`${snapshot}\n${kind}`) ?? 0) + 1);
    }
  }
  return { versions: [...distinct.values()], exact, overflow: false };
}

/** Verifications that may have found it: the first of them began before the finding was written down. */
function idsSince(ids: readonly string[], open: readonly OpenFindings[]): readonly string[] {
  const since = Math.min(...open.map((each) => epochMillisOfIso(each.since) ?? 0));
  const first = ids.findLastIndex((id) => (partsOfVerificationId(id)?.plannedAtEpochMillis ?? 0) <= since);
  return ids.slice(Math.max(0, first));
}

function levelOf({ level }: Finding, id: string): string | undefined {
  return level ?? partsOfVerificationId(id)?.level;
}

/** What cannot be read any more is not known. @throws FormatTooNew */
async function* readFindings(vault: ObjectStore, backup: string, id: string): AsyncGenerator<Finding> {
  const key = findingsKey(backup, id);
  const object = await vault.get(key);
  try {
    let isHeader = true;
    for await (const value of object === undefined ? [] : readGzipJsonLines(object.body, key)) {
      if (isHeader) {
        parseVersioned(findingsHeaderSchema, value, key);
        isHeader = false;
      } else {
        yield parseOrCorrupt(findingSchema, value, key);
      }
    }
  } catch (error) {
    if (!(error instanceof CatalogCorrupt)) {
      throw error;
    }
  }
}

/** Every version that is open was written down. */
function isKnown({ snapshot, kinds }: OpenFindings, { exact }: StoredFindings): boolean {
  return kindsOf(kinds)
    .filter(isOfVersions)
    .every((kind) => (exact.get(`${snapshot}\n${kind}`) ?? 0) >= (kinds[kind] ?? 0));
}

function byDirectory(
  { table, chains }: InheritQuestion,
  open: OpenFindings,
  { level, fresh }: AtLevel,
): readonly Inherited[] {
  const origin = table.get(open.snapshot);
  const suffering = fresh.filter(
    (entry) =>
      entry.snapshot !== open.snapshot &&
      (chains.get(entry.snapshot)?.includes(open.snapshot) === true || sharesDirectory(entry, origin)),
  );
  return kindsOf(open.kinds)
    .filter(isOfVersions)
    .flatMap((kind) => {
      const cause = { kind, snapshot: open.snapshot };
      const detail = `${open.kinds[kind]} objects that ${open.snapshot} names; it names bytes of the same directories, and which of them was not looked up.`;
      return suffering.map(({ snapshot }) => ({ level, cause, sighting: { kind, snapshot, detail } }));
    });
}

function sharesDirectory(entry: TableEntry, origin: TableEntry | undefined): boolean {
  return [...entry.ranks].some(([rank, named]) =>
    origin?.ranks.get(rank)?.some(({ snapshot }) => named.some((each) => each.snapshot === snapshot)),
  );
}

function isOfVersions(kind: FindingKind): boolean {
  return OF_VERSIONS.has(kind);
}
