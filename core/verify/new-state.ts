import { compareUtf8 } from '../utf8-order.ts';
import { type OpenFindings, severityOf, type VerifiedState, type VerifyLevel } from '../verification.ts';
import type { Inherited } from './inherit.ts';
import { countKind, inWords, type KindCounts, kindsOf } from './sightings.ts';

/** What is wrong with a snapshot, as this run found. */
export interface Hurt {
  readonly kinds: KindCounts;
  /** One of them, in words. */
  readonly example: string;
}

/** Since when every part of a snapshot was looked at again: the oldest of its units' rounds. */
export interface WholeSince {
  readonly verification: string;
  readonly at: string;
}

export interface RunResult {
  readonly verification: string;
  readonly level: VerifyLevel;
  readonly finishedAt: string;
  readonly hurt: ReadonlyMap<string, Hurt>;
  /** Snapshots of which this run has looked at everything. */
  readonly whole: ReadonlySet<string>;
  /** Snapshots that were looked at wholly by several runs of this level, this one the last of them. */
  readonly wholeSince: ReadonlyMap<string, WholeSince>;
  /** Hidden on purpose. As long as they can be taken back, what was found in them stays open. */
  readonly tombstones: ReadonlySet<string>;
  /** Their records have vanished: told once, then open until they are forgotten. */
  readonly gone: ReadonlySet<string>;
  /** Nothing is left that could be hurt: hidden or vanished, and gone for good. */
  readonly forgotten: ReadonlySet<string>;
  readonly coverage: VerifiedState['coverage'];
}

/**
 * The state after a run. A level opens and closes only its own findings, and closes them only where the snapshot was looked at wholly since
 * they were found last.
 */
export function newState(previous: VerifiedState, run: RunResult): VerifiedState {
  const open = openAfter(previous, run);
  return { open, verified: verifiedAfter(previous, run, open), coverage: run.coverage };
}

function openAfter(previous: VerifiedState, run: RunResult): OpenFindings[] {
  const kept = stillOpen(previous, run);
  const others = kept.filter((each) => each.level !== run.level || !isSuspect(run.hurt.get(each.snapshot)));
  const found = [...run.hurt].flatMap(([snapshot, hurt]) => {
    const known = kept.find((each) => each.snapshot === snapshot && each.level === run.level);
    const entry =
      run.forgotten.has(snapshot) && run.tombstones.has(snapshot) ? undefined : entryOf(snapshot, hurt, { run, known });
    return entry === undefined ? [] : [entry];
  });
  return [...others, ...found]
    .map(({ hidden: _was, ...each }) => ({
      ...each,
      ...(run.tombstones.has(each.snapshot) ? { hidden: true as const } : {}),
    }))
    .sort((left, right) => compareUtf8(left.snapshot, right.snapshot) || compareUtf8(left.level, right.level));
}

/** The state before the run, as if it had known all along what snapshots inherit that were not there yet. */
export function inherit(previous: VerifiedState, run: RunResult, inherited: readonly Inherited[]): VerifiedState {
  const open = new Map(previous.open.map((each) => [nameOf(each), each]));
  for (const [name, all] of Map.groupBy(inherited, ({ level, sighting }) => nameOf({ ...sighting, level }))) {
    const kinds = all.reduce((sum: KindCounts, { sighting }) => countKind(sum, sighting.kind), {});
    const known = open.get(name);
    for (const { level, sighting } of all.slice(0, 1)) {
      const entry = entryOf(
        sighting.snapshot,
        { kinds, example: inWords(sighting) },
        { run: { ...run, level, whole: new Set() }, known },
      );
      if (entry !== undefined) {
        open.set(name, entry);
      }
    }
  }
  return { ...previous, open: [...open.values()] };
}

function nameOf({ snapshot, level }: { readonly snapshot: string; readonly level: VerifyLevel }): string {
  return `${snapshot}\n${level}`;
}

/** What was open and this run has not closed. */
export function stillOpen({ open }: Pick<VerifiedState, 'open'>, run: RunResult): OpenFindings[] {
  return open.filter((each) => !run.forgotten.has(each.snapshot) && !isClosed(each, run));
}

function isClosed(entry: OpenFindings, run: RunResult): boolean {
  if (entry.level !== run.level || isSuspect(run.hurt.get(entry.snapshot))) {
    return false;
  }
  const since = run.wholeSince.get(entry.snapshot);
  return run.whole.has(entry.snapshot) || (since !== undefined && since.verification > entry.verification);
}

/** Looked at wholly, what is wrong now is all there is; else what was found before is still believed. */
function entryOf(
  snapshot: string,
  hurt: Hurt,
  { run, known }: { readonly run: RunResult; readonly known: OpenFindings | undefined },
): OpenFindings | undefined {
  const kinds = openKinds(
    run.whole.has(snapshot) || known === undefined ? hurt.kinds : greater(known.kinds, hurt.kinds),
  );
  const names = kindsOf(kinds);
  return names.length === 0
    ? undefined
    : {
        snapshot,
        level: run.level,
        severity: names.some((kind) => severityOf(kind) === 'damage') ? 'damage' : 'risk',
        kinds,
        example: hurt.example,
        since: known?.since ?? run.finishedAt,
        verification: run.verification,
      };
}

/** Whether anything of it keeps the snapshot from being built upon. */
function isSuspect(hurt: Hurt | undefined): boolean {
  return hurt !== undefined && kindsOf(openKinds(hurt.kinds)).length > 0;
}

function openKinds(counts: KindCounts): KindCounts {
  return Object.fromEntries(
    kindsOf(counts)
      .filter((kind) => severityOf(kind) !== 'note')
      .map((kind) => [kind, counts[kind] ?? 0]),
  );
}

function greater(left: KindCounts, right: KindCounts): KindCounts {
  const kinds = new Set([...kindsOf(left), ...kindsOf(right)]);
  return Object.fromEntries([...kinds].map((kind) => [kind, Math.max(left[kind] ?? 0, right[kind] ?? 0)]));
}

type Verified = VerifiedState['verified'][number];

function verifiedAfter(previous: VerifiedState, run: RunResult, open: readonly OpenFindings[]): Verified[] {
  const entries = new Map(previous.verified.map((each) => [each.snapshot, each]));
  const unsound = new Set(open.filter(({ level }) => level === run.level).map(({ snapshot }) => snapshot));
  for (const [snapshot, { at }] of run.wholeSince) {
    improve(entries, snapshot, { level: run.level, at });
  }
  for (const snapshot of run.whole) {
    improve(entries, snapshot, { level: run.level, at: run.finishedAt });
  }
  return [...entries.values()]
    .filter(({ snapshot }) => !run.tombstones.has(snapshot) && !run.gone.has(snapshot))
    .map((each) => (unsound.has(each.snapshot) ? before(previous, each, run.level) : each))
    .filter(({ present, read, restored }) => (present ?? read ?? restored) !== undefined)
    .sort((left, right) => compareUtf8(left.snapshot, right.snapshot));
}

function improve(
  entries: Map<string, Verified>,
  snapshot: string,
  { level, at }: { readonly level: VerifyLevel; readonly at: string },
): void {
  const entry = entries.get(snapshot) ?? { snapshot };
  const earlier = entry[level];
  entries.set(snapshot, earlier !== undefined && earlier >= at ? entry : { ...entry, [level]: at });
}

/** An unsound snapshot keeps the date on which this level last found it sound. */
function before(previous: VerifiedState, entry: Verified, level: VerifyLevel): Verified {
  const earlier = previous.verified.find(({ snapshot }) => snapshot === entry.snapshot)?.[level];
  const { [level]: _improved, ...rest } = entry;
  return earlier === undefined ? rest : { ...rest, [level]: earlier };
}
