import { isDirectoryLine, type ManifestLine, type PartLine } from '../manifest.ts';
import type { VaultVersions } from '../ports/vault-versions.ts';
import type { RankLine } from '../records.ts';
import { manifestKey } from '../vault-layout.ts';
import { type Amount, addAmounts } from '../verification.ts';
import type { CarriedLines } from './carried-lines.ts';
import { ManifestCheck } from './manifest-tally.ts';
import { PresentJoin } from './present-join.ts';
import { isManifestBroken, type RankWalk, type WalkEnd } from './rank-walk.ts';
import type { Sighting } from './sightings.ts';
import type { PlannedSnapshot } from './verify-plan.ts';

/** What the manifest is held against. */
export interface Recorded {
  readonly rules: PlannedSnapshot;
  readonly line: RankLine;
  /** What the base names; lines of directories that the unit does not look at must be copies of it. @default - nobody can say */
  readonly carried: CarriedLines | undefined;
}

/** Checks the invariants of a manifest, and that every version that it names is there as listed. */
export async function lookPresent(walk: RankWalk, versions: VaultVersions, recorded: Recorded): Promise<WalkEnd> {
  const present = new PresentWalk(walk, versions, recorded);
  try {
    const stoppedAfter = await present.run();
    await present.join.flush();
    const walked = { ...walk.before, looked: present.looked, tally: present.check.tally() };
    return stoppedAfter === undefined ? { walked } : { stoppedAfter, walked };
  } finally {
    await present.join.close();
    await recorded.carried?.close();
  }
}

class PresentWalk {
  readonly join: PresentJoin;
  readonly check: ManifestCheck;
  looked: Amount;
  readonly #walk: RankWalk;
  readonly #recorded: Recorded;
  readonly #ins: ReadonlySet<string>;
  #last: string | undefined;

  constructor(walk: RankWalk, versions: VaultVersions, recorded: Recorded) {
    this.#walk = walk;
    this.#recorded = recorded;
    this.#ins = new Set(walk.unit.ins);
    this.check = new ManifestCheck(recorded.rules, walk.before.tally);
    this.join = new PresentJoin(versions, walk.place, {
      after: walk.after,
      see: (sighting) => this.#see(sighting),
    });
    this.looked = walk.before.looked;
  }

  /** @returns where it stopped, when time ran out */
  async run(): Promise<string | undefined> {
    for await (const line of this.#walk.lines) {
      const stopped = await this.#passBefore(line.path);
      if (stopped !== undefined) {
        return stopped;
      }
      const disorder = this.check.outOfOrder(line);
      if (disorder !== undefined) {
        this.#tell(disorder);
        return undefined;
      }
      const wrong = this.check.take(line) ?? (await this.#compareCarried(line));
      if (wrong !== undefined) {
        this.#tell(wrong);
      }
      await this.#look(line.path, isDirectoryLine(line) || !this.#ins.has(line.in) ? undefined : line);
    }
    return this.#finish();
  }

  async #compareCarried(line: ManifestLine): Promise<string | undefined> {
    const { carried, rules } = this.#recorded;
    const isCarried = !isDirectoryLine(line) && line.in !== rules.snapshot && !this.#ins.has(line.in);
    return isCarried ? carried?.compare(line) : undefined;
  }

  async #look(path: string, line: PartLine | undefined): Promise<void> {
    await this.join.look(path, line);
    this.#last = path;
    if (line !== undefined) {
      this.looked = addAmounts(this.looked, { parts: 1, bytes: line.sizeBytes });
    }
  }

  /** What is left in the snapshot's own place is extra, and the sums must be those that were recorded: if this was the whole manifest. */
  async #finish(): Promise<string | undefined> {
    if (this.#walk.log.has('BrokenCatalog')) {
      return undefined;
    }
    const stopped = await this.#passBefore(undefined);
    if (stopped === undefined) {
      for (const wrong of this.check.compareWith(this.#recorded.line)) {
        this.#tell(wrong);
      }
    }
    return stopped;
  }

  async #passBefore(path: string | undefined): Promise<string | undefined> {
    let passed: string | undefined;
    do {
      if (this.#last !== undefined && this.#walk.shouldStop()) {
        return this.#last;
      }
      passed = await this.join.passBefore(path);
      this.#last = passed ?? this.#last;
    } while (passed !== undefined);
    return undefined;
  }

  #tell(detail: string): void {
    const { backup, snapshot, rank } = this.#walk.place;
    this.#walk.log.add({ kind: 'BrokenManifest', snapshot, rank, key: manifestKey(backup, snapshot, rank), detail });
  }

  /** Of a manifest that is not the one that was committed, nobody can say what is extra. */
  #see(sighting: Sighting): void {
    if (sighting.kind !== 'ExtraObject' || !isManifestBroken(this.#walk.log)) {
      this.#walk.log.add(sighting);
    }
  }
}
