import { findSnapshot, readNewestVerification, type UnreadableRecord } from '../catalog.ts';
import { CatalogCorrupt, SnapshotPinned } from '../errors.ts';
import { directoryOfId, isSnapshotId } from '../ids.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { Tombstone } from '../records.ts';
import { decideRetention } from '../retention.ts';
import { NOTHING_VERIFIED, type VerifiedState } from '../verification.ts';
import type { BackupState } from './backup-state.ts';
import { type Deciding, type Hiding, hidingFacts, only, type Scene } from './deciding.ts';
import { orphansOf } from './orphans.ts';
import { frozenError } from './thawed.ts';
import { type HidingFacts, tombstoneOf, tombstoneOfAttempt, tombstoneOfDirectory } from './tombstones.ts';

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

/** Hiding what is hidden already is no error: a purge that died is run again. */
async function decidePurge(deciding: Deciding<'purge'>): Promise<Hiding> {
  const { input, owner } = deciding;
  const state = only(deciding);
  assertNotFrozen(state);
  const directory = isSnapshotId(input.snapshot) ? directoryOfId(input.snapshot) : input.snapshot;
  const before = state.hidden.find(({ snapshot }) => snapshot === directory)?.tombstone;
  if (before !== undefined || state.tombstones.has(directory)) {
    const own = before?.executionArn === owner.executionArn;
    return { tombstones: [], notes: own ? await lastGoodNote(deciding, []) : [hiddenBefore(directory, before)] };
  }
  const unread = state.unreadable.find(({ snapshot }) => snapshot === directory);
  const record = unread === undefined ? findSnapshot(state.visible, state.backup, input.snapshot) : undefined;
  assertNotPinned(state, [directory]);
  const reason = input.reason ?? `Purged by execution ${owner.execution}.`;
  const { backup } = state;
  const facts = hidingFacts(deciding, { action: 'purge', reason, backup, immediately: input.immediately });
  const tombstone = record === undefined ? hideUnread(state, { unread, directory, facts }) : tombstoneOf(record, facts);
  return { tombstones: [tombstone], notes: await lastGoodNote(deciding, [directory]) };
}

function hiddenBefore(directory: string, before: Tombstone | undefined): string {
  return before === undefined
    ? `${directory} was removed before, and nothing of it is left.`
    : `${directory} was hidden before, by '${before.action}' of execution ${before.execution} at ${before.at}; its bytes are kept until ${before.bytesKeptUntil}.`;
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
function decideDrop(deciding: Deciding<'drop'>): Hiding {
  const { states, input, owner, deps } = deciding;
  for (const state of states) {
    assertNotFrozen(state);
    assertNotPinned(
      state,
      state.visible.map(({ snapshot }) => snapshot),
    );
  }
  const reason = input.reason ?? `Dropped by execution ${owner.execution}.`;
  const tombstones = states.flatMap((state) => {
    const { backup } = state;
    const facts = hidingFacts(deciding, { action: 'drop', reason, backup, immediately: input.immediately });
    const unread = state.unreadable.filter(({ snapshot }) => !state.tombstones.has(snapshot));
    return [
      ...state.visible.map((record) => tombstoneOf(record, facts)),
      ...unread.map((each) => hideUnread(state, { unread: each, directory: each.snapshot, facts })),
      ...state.unfinished.filter(({ mayWrite }) => !mayWrite).map(({ attempt }) => tombstoneOfAttempt(attempt, facts)),
    ];
  });
  const configured = states.filter(({ backup }) => deps.config.backups[backup] !== undefined);
  return {
    tombstones,
    notes: configured.map(
      ({ backup }) => `'${backup}' is still configured: its schedules go on until it is taken out.`,
    ),
  };
}

function decideCollect(deciding: Deciding<'collect'>): Hiding {
  const state = only(deciding);
  if (state.freeze !== undefined) {
    return { tombstones: [], notes: [frozenNote(state)], frozen: true };
  }
  const reason = 'Its execution ended long ago and no snapshot came of it.';
  const facts = hidingFacts(deciding, { action: 'collect', reason, backup: state.backup, immediately: true });
  return { tombstones: orphansOf(state, facts), notes: [] };
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
