import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { differences, type Files } from './bytes.ts';
import type { Journey } from './journey.ts';
import { type Committed, expectFailure } from './outcomes.ts';
import type { Place } from './places.ts';
import { expiring, type KeepingPolicy } from './retention-by-the-book.ts';
import { expectNothingLost, namedBy } from './vault-contents.ts';

/**
 * The judge of a whole life of a backup. It keeps plain copies of the cluster's files, one for each moment that was vaulted, is told
 * what the operator has done, and says which moments must be there: each is restored and compared byte for byte. It knows nothing of
 * how Rankvault works and imports nothing of it; the vault's listing it reads as docs/FORMAT.md says.
 */

export interface Moment {
  /** Directory. */
  readonly snapshot: string;
  readonly id: string;
  readonly type: Committed['type'];
  readonly base: string | undefined;
  /** The full that it rests on; itself for a full. */
  readonly full: string;
  readonly takenAtEpochMillis: number;
  /** Made by copies inside the vault. */
  readonly merged: boolean;
  readonly files: Files;
}

interface Hidden {
  readonly moment: Moment;
  /** The operator may have it back until then. */
  readonly untilEpochMillis: number;
}

const DAY = 86_400_000;

export class Oracle {
  readonly #journey: Journey;
  readonly #source: Place;
  readonly #target: Place;
  readonly #visible = new Map<string, Moment>();
  readonly #hidden = new Map<string, Hidden>();
  /** Hidden since the last look. */
  #newlyHidden: string[] = [];
  readonly pinned = new Set<string>();
  /** Its bytes are gone by no deed of Rankvault, told or not: it is not tried to restore it. */
  readonly broken = new Set<string>();
  /** With an open finding of damage, as the operator was told. */
  readonly damaged = new Set<string>();
  /** With an open finding of risk: it can be restored, and is not built upon. */
  readonly weakened = new Set<string>();
  /** A verification found all of it and nothing wrong. */
  readonly verified = new Set<string>();
  frozen = false;

  /** @param target a cluster that nobody else uses: every moment is restored over the one before */
  constructor(journey: Journey, source: Place, target: Place) {
    this.#journey = journey;
    this.#source = source;
    this.#target = target;
  }

  /** Another one that knows what this one knows, for a world that went back to where this one is. */
  copy(): Oracle {
    const copy = new Oracle(this.#journey, this.#source, this.#target);
    for (const [snapshot, moment] of this.#visible) {
      copy.#visible.set(snapshot, moment);
    }
    return copy;
  }

  /** Oldest first. */
  get visible(): readonly Moment[] {
    return [...this.#visible.values()].sort(
      (a, b) => a.takenAtEpochMillis - b.takenAtEpochMillis || (a.id < b.id ? -1 : 1),
    );
  }

  get hidden(): readonly Hidden[] {
    return [...this.#hidden.values()];
  }

  newest(): Moment {
    const newest = this.visible.at(-1);
    if (newest === undefined) {
      throw new Error('The oracle knows no moment: take a snapshot first.');
    }
    return newest;
  }

  /** Copies the cluster, then takes a snapshot of it. */
  async snapshot(type: Committed['type']): Promise<Committed> {
    const files = await this.#source.files();
    const snapshot = await this.#journey.snapshot(this.#source, type);
    this.took(snapshot, files);
    return snapshot;
  }

  /** For snapshots that were started some other way. */
  took({ snapshot, id, type, base, takenAt }: Committed, files: Files): void {
    const full = type === 'full' ? snapshot : this.find(base ?? '').full;
    const takenAtEpochMillis = Date.parse(takenAt);
    this.#visible.set(snapshot, { snapshot, id, type, base, full, takenAtEpochMillis, merged: false, files });
  }

  /** @param keptDays the operator may undelete it for so long */
  hide(snapshot: string, keptDays: number): void {
    const moment = this.#visible.get(snapshot);
    if (moment !== undefined) {
      const untilEpochMillis = this.#journey.laptop.clock.nowEpochMillis() + keptDays * DAY;
      this.#visible.delete(snapshot);
      this.#hidden.set(snapshot, { moment, untilEpochMillis });
      this.#newlyHidden.push(snapshot);
    }
  }

  undelete(snapshot: string): void {
    const hidden = this.#hidden.get(snapshot);
    if (hidden !== undefined) {
      this.#hidden.delete(snapshot);
      this.#visible.set(snapshot, hidden.moment);
    }
  }

  /** What a merge of the moment makes one: itself, all that it builds on, and all whose bytes it needs. Oldest first. */
  async chainOf(snapshot: string): Promise<readonly Moment[]> {
    const chain = new Set<string>();
    for (let next = this.#visible.get(snapshot); next !== undefined; next = this.#visible.get(next.base ?? '')) {
      chain.add(next.snapshot);
    }
    for (const { directory } of await namedBy(this.#journey.laptop, this.#source.backup, snapshot)) {
      chain.add(directory);
    }
    return this.visible.filter((moment) => chain.has(moment.snapshot));
  }

  /** One full now shows the newest of them; those that are pinned stay as they are. */
  merge(merged: string, sources: readonly Moment[], keptDays: number): void {
    const newest = sources.at(-1);
    if (newest === undefined) {
      throw new Error('A merge has a newest source: name one.');
    }
    const { files, takenAtEpochMillis } = newest;
    const id = String(directoryEpochMillis(merged));
    this.#visible.set(merged, {
      snapshot: merged,
      id,
      type: 'full',
      base: undefined,
      full: merged,
      takenAtEpochMillis,
      merged: true,
      files,
    });
    for (const { snapshot } of sources) {
      if (!this.pinned.has(snapshot)) {
        this.hide(snapshot, keptDays);
      }
    }
  }

  /** Hides what retention has no reason to keep now. */
  expire(policy: KeepingPolicy & { readonly undeleteDays: number }): readonly string[] {
    const nowEpochMillis = this.#journey.laptop.clock.nowEpochMillis();
    const going = expiring({
      moments: this.visible,
      policy,
      nowEpochMillis,
      pinned: this.pinned,
      damaged: this.damaged,
      weakened: this.weakened,
      verified: this.verified,
      frozen: this.frozen,
    });
    for (const snapshot of going) {
      this.hide(snapshot, policy.undeleteDays);
    }
    return going;
  }

  /** The catalog shows what must be visible and nothing else, and every moment of it comes back byte for byte. */
  async expectAllThere(): Promise<void> {
    await this.expectListed();
    for (const { snapshot, files } of this.visible) {
      if (!this.broken.has(snapshot)) {
        await this.expectRestores(snapshot, files);
      }
    }
    await this.#expectHidden();
  }

  /** The catalog shows what must be visible, and every byte of it is there: quicker than to restore it, for the steps of a journey. */
  async expectKept(): Promise<void> {
    await this.expectListed();
    const visible = this.visible.map(({ snapshot }) => snapshot);
    await expectNothingLost(this.#journey.laptop, this.#source.backup, visible);
  }

  async expectRestores(snapshot: string, files = this.find(snapshot).files): Promise<void> {
    await this.#journey.restore(this.#source, this.#target, { snapshot, policy: 'replace' });
    expect({ snapshot, differences: differences(files, await this.#target.files()) }).toEqual({
      snapshot,
      differences: [],
    });
  }

  async expectListed(): Promise<void> {
    const { s3Client: client, vaultBucket: Bucket } = this.#journey.laptop;
    const names = async (kind: string) => {
      const found: string[] = [];
      const Prefix = `.rankvault/catalog/${this.#source.backup}/${kind}/`;
      for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix })) {
        found.push(...(page.Contents ?? []).map(({ Key = '' }) => Key.slice(Prefix.length).replace(/\.json$/, '')));
      }
      return found;
    };
    const hidden = new Set(await names('tombstones'));
    const listed = (await names('snapshots')).filter((name) => !hidden.has(name));
    expect(listed).toEqual([...this.#visible.keys()].sort());
  }

  async #expectHidden(): Promise<void> {
    for (const snapshot of this.#newlyHidden.splice(0)) {
      if (!this.#visible.has(snapshot)) {
        const view = await this.#journey.tryRestore(this.#source, this.#target, { snapshot, policy: 'replace' });
        expectFailure(view, {
          error: 'SnapshotNotFound',
          problem: new RegExp(`has no snapshot "${snapshot.replaceAll('.', '\\.')}"`),
          hint: /\w+/,
        });
      }
    }
  }

  /** Visible or hidden. */
  find(snapshot: string): Moment {
    const moment = this.#visible.get(snapshot) ?? this.#hidden.get(snapshot)?.moment;
    if (moment === undefined) {
      throw new Error(`The oracle was never told of ${snapshot}.`);
    }
    return moment;
  }
}

/** `snapshot.2026-01-31.23-59-59`, UTC. */
function directoryEpochMillis(directory: string): number {
  const [, date = '', time = ''] = /^snapshot\.(\S{10})\.(\S{8})$/.exec(directory) ?? [];
  return Date.parse(`${date}T${time.replaceAll('-', ':')}Z`);
}
