import { findSnapshot } from '../catalog.ts';
import { SnapshotNotFound, UndeleteTooLate } from '../errors.ts';
import { FORMAT_VERSION } from '../format.ts';
import { directoryOfId, isSnapshotId } from '../ids.ts';
import { epochMillisOfIso, isoOfEpochMillis } from '../utc.ts';
import { freezeKey, pinKey, tombstoneKey } from '../vault-layout.ts';
import type { BackupState, HiddenSnapshot } from './backup-state.ts';
import { type Deciding, only, type Scene } from './deciding.ts';
import { hasStamp } from './stamps.ts';

/** One small object that is written, or taken back by a delete marker; nothing else changes. */
export type Mark =
  | { readonly change: 'create'; readonly key: string; readonly value: unknown }
  | { readonly change: 'hide'; readonly key: string };

export interface Marking {
  readonly marks: readonly Mark[];
  /** For the operator, one sentence each. */
  readonly notes: readonly string[];
}

export type MarkingAction = 'pin' | 'unpin' | 'freeze' | 'thaw' | 'undelete';

/** What these actions change. What is so already is no error: one that died is run again. Nothing is written here. */
export async function decideMarks(scene: Scene, input: Deciding<MarkingAction>['input']): Promise<Marking> {
  switch (input.action) {
    case 'pin':
      return decidePin({ ...scene, input });
    case 'unpin':
      return decideUnpin({ ...scene, input });
    case 'freeze':
      return decideFreeze({ ...scene, input });
    case 'thaw':
      return decideThaw(scene);
    case 'undelete':
      return decideUndelete({ ...scene, input });
    default:
      return input satisfies never;
  }
}

function decidePin(deciding: Deciding<'pin'>): Marking {
  const { input, owner } = deciding;
  const { backup, visible, pins, nowEpochMillis } = only(deciding);
  const { snapshot } = findSnapshot(visible, backup, input.snapshot);
  const present = pins.find((pin) => pin.snapshot === snapshot);
  if (present !== undefined && present.execution !== owner.execution) {
    return { marks: [], notes: [`${snapshot} was pinned before, at ${present.at}: ${present.reason}`] };
  }
  const pin = {
    formatVersion: FORMAT_VERSION,
    backup,
    snapshot,
    reason: input.reason ?? `Pinned by execution ${owner.execution}.`,
    at: isoOfEpochMillis(nowEpochMillis),
    execution: owner.execution,
  };
  return {
    marks: [{ change: 'create', key: pinKey(backup, snapshot), value: pin }],
    notes: [`${snapshot} is pinned: retention keeps it, and purge and drop refuse it, until it is unpinned.`],
  };
}

function decideUnpin(deciding: Deciding<'unpin'>): Marking {
  const { backup, visible, pins } = only(deciding);
  const directory = directoryOf(deciding.input.snapshot);
  if (!pins.some(({ snapshot }) => snapshot === directory)) {
    const { snapshot } = findSnapshot(visible, backup, deciding.input.snapshot);
    return { marks: [], notes: [`${snapshot} is not pinned.`] };
  }
  return {
    marks: [{ change: 'hide', key: pinKey(backup, directory) }],
    notes: [`${directory} is not pinned any more: retention decides on it again.`],
  };
}

function decideFreeze(deciding: Deciding<'freeze'>): Marking {
  const { input, owner } = deciding;
  const { backup, freeze: present, nowEpochMillis } = only(deciding);
  if (present !== undefined && present.execution !== owner.execution) {
    return { marks: [], notes: [`Backup '${backup}' was frozen before, at ${present.at}: ${present.reason}`] };
  }
  const freeze = {
    formatVersion: FORMAT_VERSION,
    backup,
    reason: input.reason ?? `Frozen by execution ${owner.execution}.`,
    at: isoOfEpochMillis(nowEpochMillis),
    execution: owner.execution,
  };
  return {
    marks: [{ change: 'create', key: freezeKey(backup), value: freeze }],
    notes: [`Backup '${backup}' is frozen: nothing of it is hidden or deleted until it is thawed.`],
  };
}

function decideThaw(scene: Scene): Marking {
  const { backup, freeze } = only(scene);
  return freeze === undefined
    ? { marks: [], notes: [`Backup '${backup}' is not frozen.`] }
    : {
        marks: [{ change: 'hide', key: freezeKey(backup) }],
        notes: [`Backup '${backup}' is thawed: retention and collect go on with their next runs.`],
      };
}

/** The clocks of two functions may differ: from so long before the end of the window on, a sweep may have begun. */
export const UNDELETE_MARGIN_MILLIS = 60_000;

/**
 * Under the backup's lock, so that no sweep is being decided meanwhile; and a directory in its window is never swept, so that every
 * byte is still there.
 */
async function decideUndelete(deciding: Deciding<'undelete'>): Promise<Marking> {
  const state = only(deciding);
  const { backup } = state;
  const wanted = deciding.input.snapshot;
  if (wanted === undefined) {
    const found: HiddenSnapshot[] = [];
    for (const hidden of state.hidden) {
      if ((await obstacleTo(deciding, hidden)) === undefined) {
        found.push(hidden);
      }
    }
    const none = [`Nothing of backup '${backup}' can be undeleted.`];
    return { marks: marksOf(backup, found), notes: found.length === 0 ? none : [broughtBack(state, found)] };
  }
  const directory = directoryOf(wanted);
  const hidden = state.hidden.find(({ snapshot }) => snapshot === directory);
  if (hidden === undefined) {
    return { marks: [], notes: [notHidden(state, directory, wanted)] };
  }
  const obstacle = await obstacleTo(deciding, hidden);
  if (obstacle !== undefined) {
    throw obstacle;
  }
  return { marks: marksOf(backup, [hidden]), notes: [broughtBack(state, [hidden])] };
}

function marksOf(backup: string, hidden: readonly HiddenSnapshot[]): readonly Mark[] {
  return hidden.map(({ snapshot }) => ({ change: 'hide', key: tombstoneKey(backup, snapshot) }));
}

function broughtBack({ unreadable }: BackupState, hidden: readonly HiddenSnapshot[]): string {
  const names = hidden.map(({ snapshot }) => snapshot);
  const listed = names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
  const unread = unreadable.some(({ snapshot }) => names.includes(snapshot));
  return `Back in the catalog: ${listed}; retention decides on them again.${unread ? ' A record cannot be read: repair, then verify.' : ''}`;
}

/** @throws SnapshotNotFound, UndeleteTooLate when nothing of it is left */
function notHidden(state: BackupState, directory: string, wanted: string): string {
  if (state.tombstones.has(directory)) {
    throw tooLate(state.backup, directory, 'nothing of it is left');
  }
  return `${findSnapshot(state.visible, state.backup, wanted).snapshot} is in the catalog: there is nothing to undelete.`;
}

async function obstacleTo(
  { deps, states }: Scene,
  { snapshot, tombstone, recorded }: HiddenSnapshot,
): Promise<SnapshotNotFound | UndeleteTooLate | undefined> {
  const { backup, bytesKeptUntil } = tombstone;
  const now = states[0]?.nowEpochMillis ?? deps.clock.nowEpochMillis();
  // One whose record had vanished when it was collected may have got it back since.
  if (tombstone.record === undefined && !recorded) {
    return new SnapshotNotFound(`${backup}/${snapshot} never was a snapshot: ${tombstone.reason}`, {
      hint: 'There is nothing to undelete.',
    });
  }
  if (now + UNDELETE_MARGIN_MILLIS >= (epochMillisOfIso(bytesKeptUntil) ?? 0)) {
    return tooLate(backup, snapshot, `its bytes were kept until ${bytesKeptUntil}`);
  }
  // Both say that a sweep has been here, whatever the clocks say.
  return !recorded || (await hasStamp(deps.work, backup, snapshot))
    ? tooLate(backup, snapshot, 'its removal has begun')
    : undefined;
}

function tooLate(backup: string, snapshot: string, why: string): UndeleteTooLate {
  return new UndeleteTooLate(`${backup}/${snapshot} cannot be undeleted: ${why}.`, {
    hint: 'Restore another snapshot; with Object Lock, locked versions are still in the bucket.',
  });
}

function directoryOf(name: string): string {
  return isSnapshotId(name) ? directoryOfId(name) : name;
}
