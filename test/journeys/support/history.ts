import { expect } from 'vitest';
import type { ExecutionView } from '../../../local/workflow/execution.ts';
import type { JsonObject } from '../../../local/workflow/json.ts';
import { before, runAndDie } from './crash.ts';
import { deleteObject } from './harm.ts';
import type { Journey } from './journey.ts';
import type { Life } from './life.ts';
import type { Oracle } from './oracle.ts';
import { type MaintenanceReport, maintained } from './outcomes.ts';
import type { KeepingPolicy } from './retention-by-the-book.ts';
import type { Step } from './steps.ts';
import { expectNothingLost, type Named, namedBy, nameOf, storedBelow } from './vault-contents.ts';

const HOUR = 3_600_000;
/** Clocks of the oracle and of the run differ by the minutes that a run takes. */
const NEAR = 30 * 60_000;

/** Does to a backup what a step says, tells the oracle what must have come of it, and lets it judge. */
export class History {
  readonly #journey: Journey;
  readonly #life: Life;
  readonly #oracle: Oracle;
  readonly #policy: KeepingPolicy & { readonly undeleteDays: number };
  /** Versions that are gone by no deed of Rankvault. */
  readonly #lost = new Set<string>();
  /** What has happened, for whoever reads a failure. */
  readonly told: string[] = [];

  constructor(journey: Journey, life: Life, policy: KeepingPolicy & { readonly undeleteDays: number }) {
    this.#journey = journey;
    this.#life = life;
    this.#oracle = life.oracle;
    this.#policy = policy;
  }

  async take(step: Step): Promise<void> {
    this.told.push(JSON.stringify(step));
    await this.#act(step);
    if (step.kind === 'write' || step.kind === 'remove' || step.kind === 'hours') {
      return;
    }
    await this.#seeWhatIsBroken();
    const visible = this.#oracle.visible.map(({ snapshot }) => snapshot);
    const whole = visible.filter((snapshot) => !this.#oracle.broken.has(snapshot));
    await expectNothingLost(this.#journey.laptop, this.#life.backup, whole);
    await this.#oracle.expectAllThere();
  }

  /** Days later, thawed, repaired and collected, nothing is left but what the visible moments need. */
  async end(): Promise<readonly string[]> {
    await this.#journey.maintain(this.#life, 'thaw');
    this.#oracle.frozen = false;
    // What lies over a part is nothing that `collect` may judge.
    await this.#journey.maintain(this.#life, 'repair');
    this.#journey.laptop.clock.jump(5 * 24 * HOUR);
    await this.#journey.maintain(this.#life, 'collect');
    await this.#oracle.expectAllThere();
    return this.#oracle.visible.map(({ snapshot }) => snapshot);
  }

  #act(step: Step): Promise<void> {
    switch (step.kind) {
      case 'write':
        return this.#life.write(step.path, step.text);
      case 'remove':
        return this.#remove(step.path);
      case 'snapshot':
        return this.#snapshot(step);
      case 'hours':
        this.#journey.laptop.clock.jump(step.hours * HOUR);
        return Promise.resolve();
      case 'purge':
        return this.#purge(step);
      case 'merge':
        return this.#merge(step);
      case 'expire':
        return this.#expire(step);
      case 'drop':
        return this.#drop(step);
      case 'collect':
        return this.#maintain('collect', {}, step.dies).then(() => undefined);
      case 'undelete':
        return this.#undelete(step);
      case 'pin':
      case 'unpin':
        return this.#pin(step);
      case 'freeze':
      case 'thaw':
        return this.#freeze(step);
      case 'lose':
        return this.#lose(step.which);
      case 'cover':
        return this.#cover(step.which);
      case 'repair':
        return this.#repair();
      case 'read':
        return this.#verify('read');
      default:
        return step satisfies never;
    }
  }

  async #remove(path: string): Promise<void> {
    // A rank without files would not be there at all.
    const files = [...(await this.#life.source.files()).keys()];
    const alone = files.filter((other) => other.split('/')[0] === path.split('/')[0]).length < 2;
    if (files.includes(path) && !alone) {
      await this.#life.source.tree.remove(path);
    }
  }

  async #snapshot({ type }: Extract<Step, { kind: 'snapshot' }>): Promise<void> {
    await this.#oracle.snapshot(type);
    // Its expiry has run, too.
    this.#oracle.expire(this.#policy);
  }

  async #purge({ which, immediately, dies }: Extract<Step, { kind: 'purge' }>): Promise<void> {
    const moment = chosen(this.#oracle.visible, which);
    if (moment === undefined) {
      return;
    }
    const { snapshot } = moment;
    const refusal = this.#refusal([snapshot]);
    if (refusal !== undefined) {
      return this.#expectRefused('purge', { snapshot, immediately }, refusal);
    }
    await this.#maintain('purge', { snapshot, immediately }, dies);
    this.#oracle.hide(snapshot, immediately ? 0 : this.#policy.undeleteDays);
  }

  async #merge({ which }: Extract<Step, { kind: 'merge' }>): Promise<void> {
    const moment = chosen(
      this.#oracle.visible.filter(({ type }) => type !== 'full'),
      which,
    );
    if (moment === undefined) {
      return;
    }
    const { snapshot } = moment;
    if (this.#oracle.frozen) {
      return this.#expectRefused('merge', { snapshot }, 'BackupFrozen');
    }
    const sources = await this.#oracle.chainOf(snapshot);
    if (this.#oracle.broken.has(snapshot)) {
      return this.#expectRefused('merge', { snapshot }, 'VaultPartMissing');
    }
    const { merged } = await this.#maintain('merge', { snapshot });
    this.#oracle.merge(merged?.snapshot ?? '', sources, this.#policy.undeleteDays);
  }

  async #expire({ dies }: Extract<Step, { kind: 'expire' }>): Promise<void> {
    const { hidden } = await this.#maintain('expire', {}, dies);
    const going = this.#oracle.expire(this.#policy);
    // What the dead one had hidden already is not the second one's to tell.
    if (dies === undefined) {
      expect(hidden.map(({ snapshot }) => snapshot)).toEqual(going);
    }
  }

  async #drop({ immediately }: Extract<Step, { kind: 'drop' }>): Promise<void> {
    const all = this.#oracle.visible.map(({ snapshot }) => snapshot);
    const refusal = this.#refusal(all);
    if (refusal !== undefined) {
      return this.#expectRefused('drop', { immediately }, refusal);
    }
    await this.#maintain('drop', { immediately });
    for (const snapshot of all) {
      this.#oracle.hide(snapshot, immediately ? 0 : this.#policy.undeleteDays);
    }
  }

  async #undelete({ which }: Extract<Step, { kind: 'undelete' }>): Promise<void> {
    const now = this.#journey.laptop.clock.nowEpochMillis();
    const clear = this.#oracle.hidden.filter(({ untilEpochMillis }) => Math.abs(untilEpochMillis - now) > NEAR);
    const names = (late: boolean) =>
      clear.filter(({ untilEpochMillis }) => untilEpochMillis < now === late).map(({ moment }) => moment.snapshot);
    const one = which === undefined ? undefined : chosen([...names(false), ...names(true)], which);
    if (one !== undefined && names(true).includes(one)) {
      return this.#expectRefused('undelete', { snapshot: one }, 'UndeleteTooLate');
    }
    if (one === undefined && clear.length < this.#oracle.hidden.length) {
      return;
    }
    await this.#maintain('undelete', one === undefined ? {} : { snapshot: one });
    for (const snapshot of one === undefined ? names(false) : [one]) {
      this.#oracle.undelete(snapshot);
    }
  }

  async #pin({ kind, which }: Extract<Step, { kind: 'pin' | 'unpin' }>): Promise<void> {
    const moment = chosen(this.#oracle.visible, which);
    if (moment !== undefined) {
      await this.#maintain(kind, { snapshot: moment.snapshot });
      this.#oracle.pinned[kind === 'pin' ? 'add' : 'delete'](moment.snapshot);
    }
  }

  async #freeze({ kind }: Extract<Step, { kind: 'freeze' | 'thaw' }>): Promise<void> {
    await this.#maintain(kind, {});
    this.#oracle.frozen = kind === 'freeze';
  }

  /** A version of a part is gone, and the next verification says so. */
  async #lose(which: number): Promise<void> {
    const part = await this.#part(which);
    if (part !== undefined) {
      const { key, versionId } = part;
      this.#journey.laptop.s3.damage.lose({ bucket: this.#journey.laptop.vaultBucket, key, versionId });
      this.#lost.add(nameOf(part));
      await this.#verify('present');
    }
  }

  /** Somebody deletes a part without its version: it lies under a delete marker. */
  async #cover(which: number): Promise<void> {
    const part = await this.#part(which);
    if (part !== undefined) {
      await deleteObject(this.#journey.laptop, part.key);
      await this.#verify('present');
    }
  }

  async #repair(): Promise<void> {
    await this.#maintain('repair', {});
    await this.#verify('present');
    expect(this.#oracle.visible.filter(({ snapshot }) => this.#oracle.weakened.has(snapshot))).toEqual([]);
  }

  /** Who names a version that is gone, whether or not anybody has been told. */
  async #seeWhatIsBroken(): Promise<void> {
    const moments = [...this.#oracle.visible, ...this.#oracle.hidden.map(({ moment }) => moment)];
    for (const { snapshot } of this.#lost.size === 0 ? [] : moments) {
      const named = await namedBy(this.#journey.laptop, this.#life.backup, snapshot);
      if (named.some((part) => this.#lost.has(nameOf(part)))) {
        this.#oracle.broken.add(snapshot);
      }
    }
  }

  /**
   * What the verification finds must be what the oracle knows; from then on it counts. What was found in a snapshot that is hidden since
   * stays found: it may come back.
   */
  async #verify(level: 'present' | 'read'): Promise<void> {
    await this.#seeWhatIsBroken();
    const { damaged, weakened, broken, verified, visible } = this.#oracle;
    const covered = await coveredVersions(this.#journey, this.#life.backup);
    const view = await this.#journey.tryVerify(this.#life, level);
    for (const { snapshot } of visible) {
      const named = await namedBy(this.#journey.laptop, this.#life.backup, snapshot);
      const isCovered = level === 'present' && named.some((part) => covered.has(nameOf(part)));
      damaged[broken.has(snapshot) ? 'add' : 'delete'](snapshot);
      if (level === 'present') {
        weakened[isCovered ? 'add' : 'delete'](snapshot);
      }
      if (!(broken.has(snapshot) || isCovered)) {
        verified.add(snapshot);
      }
    }
    const found = (set: ReadonlySet<string>) => visible.some(({ snapshot }) => set.has(snapshot));
    const weak = level === 'present' && found(weakened) ? 'ProtectionWeakened' : undefined;
    expect({ level, error: view.error }).toEqual({ level, error: found(damaged) ? 'DamageFound' : weak });
  }

  /** Any part that a visible moment names and that is there. */
  async #part(which: number): Promise<Named | undefined> {
    const moment = chosen(this.#oracle.visible, which);
    const parts = moment === undefined ? [] : await namedBy(this.#journey.laptop, this.#life.backup, moment.snapshot);
    return chosen(
      parts.filter((part) => !this.#lost.has(nameOf(part))),
      which,
    );
  }

  #refusal(snapshots: readonly string[]): string | undefined {
    if (this.#oracle.frozen) {
      return 'BackupFrozen';
    }
    return snapshots.some((snapshot) => this.#oracle.pinned.has(snapshot)) ? 'SnapshotPinned' : undefined;
  }

  async #expectRefused(action: string, more: JsonObject, error: string): Promise<void> {
    const view = await this.#journey.tryMaintain(this.#life, action, more);
    expect({ action, error: view.error }).toEqual({ action, error });
  }

  /** @param dies the request at which the first try dies */
  async #maintain(action: string, more: JsonObject, dies?: number): Promise<MaintenanceReport> {
    const input = { action, backup: this.#life.backup, ...more };
    let view: ExecutionView | undefined;
    if (dies !== undefined) {
      const died = await runAndDie(this.#journey, { machine: 'Maintain', input }, before(dies));
      view = died.killed ? undefined : died.view;
    }
    return maintained(view ?? (await this.#journey.tryMaintain(this.#life, action, more))).report;
  }
}

/** Versions that something else lies over. */
async function coveredVersions({ laptop }: Journey, backup: string): Promise<ReadonlySet<string>> {
  const stored = await storedBelow(laptop, `${backup}/`);
  return new Set(stored.filter(({ latest, marker }) => !latest && !marker).map(nameOf));
}

function chosen<T>(items: readonly T[], which: number): T | undefined {
  return items[which % Math.max(1, items.length)];
}
