import * as z from 'zod/mini';
import { CLUSTER_RANK, type RankName } from './ids.ts';
import {
  type DirectoryLine,
  directoryLineSchema,
  isDirectoryLine,
  type ManifestLine,
  type PartLine,
  partLineSchema,
} from './manifest.ts';
import type { LiveEntry } from './part.ts';
import type { RestorePhase, RestorePolicy } from './run.ts';

/** One thing to be done in the target; what a batch of the restore lists. */
export const restoreActionSchema = z.discriminatedUnion('action', [
  z.object({ action: z.literal('moveAside'), root: z.string(), path: z.string() }),
  /** Put the vault's bytes there, whatever is there. */
  z.object({ action: z.literal('place'), line: partLineSchema }),
  /** Put them there unless the bytes that are there have the recorded checksum. */
  z.object({ action: z.literal('check'), line: partLineSchema }),
  z.object({ action: z.literal('makeDirectory'), line: directoryLineSchema }),
  z.object({ action: z.literal('remove'), root: z.string(), path: z.string() }),
  z.object({ action: z.literal('finishDirectory'), line: directoryLineSchema }),
]);
export type RestoreAction = z.infer<typeof restoreActionSchema>;

export interface PhasedAction {
  readonly phase: RestorePhase;
  readonly action: RestoreAction;
}

export interface RestoreRules {
  readonly rank: RankName;
  readonly policy: RestorePolicy;
  /** Equal size and time count as equal. */
  readonly trustTimes: boolean;
  /** Nothing that is there counts as equal. @default false */
  readonly placeAll?: boolean;
  /** An earlier try of this restore has begun to place parts: what is there may be restored already and is never moved aside. */
  readonly resumed: boolean;
  /** False for a staging directory, which no server reads while it is being filled. */
  readonly hasActivation: boolean;
  /** False for a snapshot of S3 roots, which knows no directories: then none is extra. */
  readonly snapshotHasDirectories: boolean;
  /** The target has one root, which takes the parts of all: names of roots mean nothing then. */
  readonly hasOneRoot: boolean;
}

/**
 * Without these a server does not start on the root: everything of the head rank, files of no rank, and the files directly in a
 * rank's directory. They are moved away first and come back last, so that half a restore is never opened by a server.
 */
export function isActivation(rank: RankName, path: string): boolean {
  return rank === 0 || rank === CLUSTER_RANK || !path.slice(0, -1).includes('/');
}

/** What one path needs, given what the snapshot and the target have there; pure, so that a dry run shows exactly what would be done. */
export function actionsFor(
  line: ManifestLine | undefined,
  live: LiveEntry | undefined,
  rules: RestoreRules,
): readonly PhasedAction[] {
  return [...forWhatIsThere(line, live, rules), ...(line === undefined ? [] : forWhatShallBe(line, live, rules))];
}

function forWhatIsThere(
  line: ManifestLine | undefined,
  live: LiveEntry | undefined,
  rules: RestoreRules,
): readonly PhasedAction[] {
  if (live === undefined || (live.kind === 'directory' && (line !== undefined || !rules.snapshotHasDirectories))) {
    return [];
  }
  // A rank's own directory is no extra: where patterns differ, it has another name in the snapshot.
  if (live.kind === 'directory' && live.rank !== undefined) {
    return [];
  }
  const place = { root: live.root, path: live.path };
  const activation = rules.hasActivation && isActivation(rules.rank, live.path);
  if (live.kind === 'part' && (activation || (rules.policy === 'rename' && !rules.resumed))) {
    // The earlier try has moved the old file aside; what is here now it has put here.
    return [{ phase: 'aside', action: { action: rules.resumed ? 'remove' : 'moveAside', ...place } }];
  }
  return mustGo(line, live, rules) ? [{ phase: 'extras', action: { action: 'remove', ...place } }] : [];
}

/** Policy `none` found the ranks empty: it never removes anything but what an earlier try of itself left half-written. */
function mustGo(line: ManifestLine | undefined, live: LiveEntry, rules: RestoreRules): boolean {
  const isExtra = line === undefined || isDirectoryLine(line) || isElsewhere(line, live, rules);
  return isExtra && (rules.policy !== 'none' || isLeftover(live.path));
}

/** The part belongs into another of the target's roots: left where it is, two roots would hold it. */
function isElsewhere(line: PartLine, live: LiveEntry, rules: RestoreRules): boolean {
  return !rules.hasOneRoot && line.root !== live.root;
}

/** A part that was being written when its worker died. */
export const TEMPORARY_PREFIX = '.rankvault-tmp-';

function isLeftover(path: string): boolean {
  return path.slice(path.lastIndexOf('/') + 1).startsWith(TEMPORARY_PREFIX);
}

function forWhatShallBe(line: ManifestLine, live: LiveEntry | undefined, rules: RestoreRules): readonly PhasedAction[] {
  if (isDirectoryLine(line)) {
    return directoryActions(line);
  }
  if (rules.hasActivation && isActivation(rules.rank, line.path)) {
    return [{ phase: 'activation', action: { action: 'place', line } }];
  }
  const moved = rules.policy === 'rename' && !rules.resumed;
  if (live === undefined || live.kind === 'directory' || moved || isElsewhere(line, live, rules)) {
    return [{ phase: 'data', action: { action: 'place', line } }];
  }
  if (live.sizeBytes !== line.sizeBytes || rules.placeAll === true) {
    return [{ phase: 'data', action: { action: 'place', line } }];
  }
  return rules.trustTimes && hasSameTime(line, live) ? [] : [{ phase: 'data', action: { action: 'check', line } }];
}

function directoryActions(line: DirectoryLine): readonly PhasedAction[] {
  return [
    { phase: 'data', action: { action: 'makeDirectory', line } },
    { phase: 'directories', action: { action: 'finishDirectory', line } },
  ];
}

/** Node sets file times as seconds in a double, which is some 240 ns off in this century. */
const TIME_TOLERANCE_NS = 1_000n;

function hasSameTime(line: PartLine, live: Extract<LiveEntry, { kind: 'part' }>): boolean {
  if (line.attributes === undefined || live.attributes === undefined) {
    return false;
  }
  const difference = BigInt(line.attributes.mtimeNs) - BigInt(live.attributes.mtimeNs);
  return difference > -TIME_TOLERANCE_NS && difference < TIME_TOLERANCE_NS;
}
