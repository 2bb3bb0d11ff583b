import pMap from 'p-map';
import { findSnapshot, readNewestVerification, type UnreadableRecord } from '../catalog.ts';
import { CatalogCorrupt, SnapshotPinned } from '../errors.ts';
import { directoryOfId, isSnapshotId } from '../ids.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { Tombstone } from '../records.ts';
import { decideRetention } from '../retention.ts';
import { NOTHING_VERIFIED, type VerifiedState } from '../verification.ts';
import type { BackupState } from './backup-state.ts';
import { type Deciding, type Hiding, hidingFacts, only, type Scene } from './deciding.ts';
import { isInWindow } from './fates.ts';
import { orphansOf, tombstonesOfAttempts, unclaimedNotes, vanishedNotes } from './orphans.ts';
import { frozenError } from './thawed.ts';
import { type HidingFacts, tombstoneOf, tombstoneOfDirectory } from './tombstones.ts';

export type HidingAction = 'purge' | 'expire' | 'drop' | 'collect';

/** Which snapshots an action hides. Nothing is written here. */
export async function decideHiding(scene: Scene, input: Deciding<HidingAction>['input']): Promise<Hiding> {
  switch (input.action) {
    case 'purge':
      return decidePurge({ ...scene, input });
    case 'expire':
      return decideExpire({ ...scene, input });
    case 'drop':
      return decideDrop({ ...scene, input });
    case 'collect':
      return decideCollect({ ...scene, input });
    default:
      return input satisfies never;
  }
}

/** Hiding what is hidden already is no error: a purge that died is run again. What has no record may be purged by its directory. */
async function decidePurge(deciding: Deciding<'purge'>): Promise<Hiding> {
  const { input, owner } = deciding;
  const state = only(deciding);
  assertNotFrozen(state);
  const directory = isSnapshotId(input.snapshot) ? directoryOfId(input.snapshot) : input.snapshot;
  const before = state.hidden.find(({ snapshot }) => snapshot === directory)?.tombstone;
  if (before !== undefined || state.tombstones.has(directory)) {
    const own = before?.executionArn === owner.executionArn;
    return {
      tombstones: [],
      notes: own ? await lastGoodNote(deciding, []) : [hiddenBefore(directory, before, state.nowEpochMillis)],
    };
  }
  const unread = state.unreadable.find(({ snapshot }) => snapshot === directory);
  const attempts = state.unfinished.filter(({ attempt, mayWrite }) => !mayWrite && attempt.snapshot === directory);
  const known = unread !== undefined || attempts.length > 0;
  const record = known ? undefined : findSnapshot(state.visible, state.backup, input.snapshot);
  assertNotPinned(state, [directory]);
  const reason = input.reason ?? `Purged by execution ${owner.execution}.`;
  const { backup } = state;
  const facts = hidingFacts(deciding, { action: 'purge', reason, backup, immediately: input.immediately });
  if (attempts.length > 0) {
    const tombstones = await tombstonesOfAttempts(deciding.deps.vault, state, { attempts, facts });
    return { tombstones, notes: vanishedNotes(state, tombstones, owner.executionArn) };
  }
  const tombstone = record === undefined ? hideUnread(state, { unread, directory, facts }) : tombstoneOf(record, facts);
  return { tombstones: [tombstone], notes: await lastGoodNote(deciding, [directory]) };
}

function hiddenBefore(directory: string, before: Tombstone | undefined, nowEpochMillis: number): string {
  if (before === undefined) {
    return `${directory} was removed before, and nothing of it is left.`;
  }
  const { action, execution, at, bytesKeptUntil, record } = before;
  const known = `${directory} was hidden before, by '${action}' of execution ${execution} at ${at}; its bytes are kept until ${bytesKeptUntil}`;
  return record !== undefined && isInWindow(before, nowEpochMillis)
    ? `${known}. To free it now: undelete it, then purge it with "immediately".`
    : `${known}.`;
}

/** Within its window its bytes would have to stay with what it names, and that is not known. */
function hideUnread(
  { backup }: BackupState,
  of: { readonly unread: UnreadableRecord | undefined; readonly directory: string; readonly facts: HidingFacts },
): Tombstone {
  if (of.unread !== undefined && of.facts.keptForDays > 0) {
    throw new CatalogCorrupt(of.unread.error.problem, {
      hint: `${of.unread.error.hint} Or remove it for good, with "immediately": true.`,
      cause: of.unread.error,
    });
  }
  return tombstoneOfDirectory(backup, of.directory, of.facts);
}

/** The operator's right, and worth a word. */
async function lastGoodNote({ deps, states }: Scene, hidden: readonly string[]): Promise<string[]> {
  const [state] = states;
  if (state === undefined) {
    return [];
  }
  const { open } = await verifiedState(deps.vault, state.backup).catch(() => NOTHING_VERIFIED);
  const damaged = new Set(open.filter(({ severity }) => severity === 'damage').map(({ snapshot }) => snapshot));
  const left = state.visible.filter(({ snapshot }) => !hidden.includes(snapshot) && !damaged.has(snapshot));
  return left.length > 0 ? [] : [`No good snapshot of '${state.backup}' is left: take a full now.`];
}

async function verifiedState(vault: ObjectStore, backup: string): Promise<VerifiedState> {
  return (await readNewestVerification(vault, backup))?.state ?? NOTHING_VERIFIED;
}

async function decideExpire(deciding: Deciding<'expire'>): Promise<Hiding> {
  const { deps, owner } = deciding;
  const state = only(deciding);
  const policy = deps.config.backups[state.backup]?.retention;
  if (policy === undefined) {
    throw new TypeError(`No retention of ${state.backup} is known.`);
  }
  // An earlier try of this execution may have died between two tombstones.
  const own = state.hidden.filter(
    ({ tombstone }) => tombstone.executionArn === owner.executionArn && tombstone.action === 'expire',
  ).length;
  const verdicts = decideRetention({
    snapshots: state.visible,
    policy: { ...policy, maxExpirePerRun: Math.max(0, policy.maxExpirePerRun - own) },
    nowEpochMillis: state.nowEpochMillis,
    pins: state.pins,
    frozen: state.freeze,
    state: await verifiedState(deps.vault, state.backup),
  });
  const kept = verdicts
    .filter(({ verdict }) => verdict === 'keep')
    .map(({ snapshot, reasons }) => ({ snapshot, reasons: [...reasons] }));
  if (state.freeze !== undefined) {
    return { tombstones: [], kept, notes: [frozenNote(state)], frozen: true };
  }
  const tombstones = verdicts.flatMap(({ snapshot, verdict, reasons }) => {
    const record = verdict === 'keep' ? undefined : state.visible.find((each) => each.snapshot === snapshot);
    const facts = { action: 'expire', reason: reasons.join('; '), backup: state.backup, immediately: false } as const;
    return record === undefined ? [] : [tombstoneOf(record, hidingFacts(deciding, facts))];
  });
  return { tombstones, kept, notes: [] };
}

/** Everything is checked before anything is hidden, of all backups that a pattern means. */
async function decideDrop(deciding: Deciding<'drop'>): Promise<Hiding> {
  const { states, input, owner, deps } = deciding;
  for (const state of states) {
    assertNotFrozen(state);
    assertNotPinned(
      state,
      state.visible.map(({ snapshot }) => snapshot),
    );
  }
  const reason = input.reason ?? `Dropped by execution ${owner.execution}.`;
  const hide = async (state: BackupState): Promise<readonly Tombstone[]> => {
    const { backup } = state;
    const facts = hidingFacts(deciding, { action: 'drop', reason, backup, immediately: input.immediately });
    const unread = state.unreadable.filter(({ snapshot }) => !state.tombstones.has(snapshot));
    const attempts = state.unfinished.filter(({ mayWrite }) => !mayWrite);
    return [
      ...state.visible.map((record) => tombstoneOf(record, facts)),
      ...unread.map((each) => hideUnread(state, { unread: each, directory: each.snapshot, facts })),
      ...(await tombstonesOfAttempts(deps.vault, state, { attempts, facts })),
    ];
  };
  const tombstones = (await pMap(states, hide, { concurrency: 1 })).flat();
  const configured = states.filter(({ backup }) => deps.config.backups[backup] !== undefined);
  return {
    tombstones,
    notes: [
      ...states.flatMap((state) => vanishedNotes(state, tombstones, owner.executionArn)),
      ...states.flatMap(unclaimedNotes),
      ...configured.map(({ backup }) => `'${backup}' is still configured: its schedules go on until it is taken out.`),
    ],
  };
}

async function decideCollect(deciding: Deciding<'collect'>): Promise<Hiding> {
  const { deps, owner } = deciding;
  const state = only(deciding);
  if (state.freeze !== undefined) {
    return { tombstones: [], notes: [frozenNote(state)], frozen: true };
  }
  const reason = 'Its execution ended long ago and no snapshot came of it.';
  const facts = hidingFacts(deciding, { action: 'collect', reason, backup: state.backup, immediately: false });
  const tombstones = await tombstonesOfAttempts(deps.vault, state, { attempts: orphansOf(state), facts });
  return {
    tombstones,
    notes: [...vanishedNotes(state, tombstones, owner.executionArn), ...unclaimedNotes(state)],
  };
}

function frozenNote({ backup, freeze }: BackupState): string {
  return `Backup '${backup}' is frozen since ${freeze?.at} (${freeze?.reason}): nothing was hidden or deleted.`;
}

export function assertNotFrozen(state: BackupState): void {
  if (state.freeze !== undefined) {
    throw frozenError(state.backup, state.freeze);
  }
}

function assertNotPinned({ backup, pins }: BackupState, snapshots: readonly string[]): void {
  const pinned = pins.filter(({ snapshot }) => snapshots.includes(snapshot));
  const [first] = pinned;
  if (first !== undefined) {
    const names = pinned.slice(0, 5).map(({ snapshot }) => `${backup}/${snapshot}`);
    throw new SnapshotPinned(`Pinned: ${names.join(', ')} (${first.reason}). Nothing was hidden.`, {
      hint: `Start Maintain with {"action":"unpin","backup":"${backup}","snapshot":"${first.snapshot}"} first, if it shall go all the same.`,
    });
  }
}
