import { expect } from 'vitest';
import { readSnapshots } from '../../core/catalog.ts';
import type { RankvaultConfigInput } from '../../core/config/schema.ts';
import { readBackupState } from '../../core/maintain/backup-state.ts';
import { keptRecords } from '../../core/maintain/fates.ts';
import type { MaintenanceReport } from '../../core/maintain/report.ts';
import { isDirectoryLine } from '../../core/manifest.ts';
import { readManifest, readRanks } from '../../core/manifest-io.ts';
import type { SnapshotRecord } from '../../core/records.ts';
import { partKey } from '../../core/vault-layout.ts';
import { collect } from './byte-streams.ts';
import { InMemoryTree } from './in-memory-tree.ts';
import { type MaintainOptions, MaintainWorld } from './maintain-world.ts';
import { RestoreWorld } from './restore-world.ts';
import { sampleConfig } from './sample-config.ts';

export type Files = ReadonlyMap<string, string>;

export interface Edit {
  readonly path: string;
  /** Undefined: the file is removed. */
  readonly content: string | undefined;
}

/** Keeps little, so that short histories expire. */
const RETENTION = { keepFulls: 1, keepDays: 2, undeleteDays: 3, maxExpirePerRun: 3 };

/** A backup that snapshots and maintenance take turns on, beside plain copies of what each snapshot has to give back. */
export class MaintainHistory {
  readonly backup: string;
  readonly world: MaintainWorld;
  readonly expected = new Map<string, Files>();
  #executions = 0;

  constructor(backup: 'prod' | 'held' = 'prod', vault: RankvaultConfigInput['vault'] = {}) {
    this.backup = backup;
    const { backups } = sampleConfig();
    const kept = { ...backups, [backup]: { kind: 'system' as const, cluster: backup, retention: RETENTION } };
    const config = sampleConfig({ backups: kept, vault });
    this.world = new MaintainWorld({ tree: newTree(), config });
  }

  next(kind: string): string {
    this.#executions += 1;
    return `${kind}-${this.#executions}`;
  }

  edit(edits: readonly Edit[]): void {
    for (const { path, content } of edits) {
      if (content === undefined) {
        this.world.tree.remove('main', path);
      } else {
        this.world.tree.write('main', path, Buffer.from(content));
      }
    }
  }

  /** @param rewritten written between the warm pass's copies and the final pass: these go to keys that are not natural */
  async take(
    type: 'full' | 'incremental' | 'differential',
    edits: readonly Edit[] = [],
    rewritten: readonly Edit[] = [],
  ): Promise<SnapshotRecord> {
    this.edit(edits);
    let calls = 0;
    const meanwhile = () => {
      calls += 1;
      this.edit(calls === 2 ? rewritten : []);
    };
    const order = { backup: this.backup, type, execution: this.next('run'), meanwhile };
    const record = await this.world.snapshot(order);
    this.expected.set(record.snapshot, filesOf(this.world.tree));
    return record;
  }

  /** For real, after a dry run at the same moment, which must say the same. */
  async maintain(
    input: Parameters<MaintainWorld['maintain']>[0],
    options: MaintainOptions = {},
  ): Promise<MaintenanceReport> {
    const complete = { backup: this.backup, ...input };
    const before = await this.world.everything();
    const planned = await this.world.maintain({ ...complete, dryRun: true });
    const report = await this.world.maintain(complete, { minutes: 0, ...options });
    expect(comparable(planned)).toEqual(comparable(report));
    expect(planned.cost).toEqual(report.cost);
    expect(before.length).toBeGreaterThan(0);
    return report;
  }

  visible(): Promise<readonly SnapshotRecord[]> {
    return readSnapshots(this.world.vault, this.backup);
  }

  /** Every version that a kept manifest names is there; also of what is hidden and may come back. */
  async assertNothingIsMissing(): Promise<void> {
    const state = await readBackupState(this.world.maintaining, this.backup);
    for (const record of keptRecords(state)) {
      for (const { key, versionId } of await namedBy(this.world, record)) {
        expect(this.world.vault.version({ key, versionId }), `${record.snapshot} names ${key}`).toBeDefined();
      }
    }
  }

  /** Every visible snapshot restores to what was there when it was taken. */
  async assertRestores(): Promise<void> {
    for (const { snapshot } of await this.visible()) {
      const tree = new InMemoryTree([{ name: 'main', pattern: 'rank-{rank}/tom-{tom}', exclude: [] }]);
      const execution = this.next('restore');
      await new RestoreWorld(this.world, tree).restore({ backup: this.backup, snapshot, policy: 'none', execution });
      expect(filesOf(tree), snapshot).toEqual(this.expected.get(snapshot));
    }
  }
}

/** Without what has to differ: whoever ran it, and what to do now. */
export function comparable({ next: _next, hidden, ...report }: MaintenanceReport): unknown {
  return {
    ...report,
    hidden: hidden.map(({ reason, ...each }) => ({ ...each, reason: reason.replace(/maintain-\d+/, '') })),
  };
}

export async function namedBy(
  world: MaintainWorld,
  { backup, snapshot }: SnapshotRecord,
): Promise<readonly { readonly key: string; readonly versionId: string; readonly in: string }[]> {
  const named: { key: string; versionId: string; in: string }[] = [];
  for (const { rank } of await collect(readRanks(world.vault, backup, snapshot))) {
    for (const line of await collect(readManifest(world.vault, { backup, snapshot, rank }))) {
      if (!isDirectoryLine(line)) {
        const key = line.key ?? partKey(backup, line.in, rank, line.path);
        named.push({ key, versionId: line.versionId, in: line.in });
      }
    }
  }
  return named;
}

export function filesOf(tree: InMemoryTree): Files {
  const files = [...tree.root('main').files].filter(([path]) => !path.startsWith('.rankvault'));
  return new Map(files.map(([path, file]) => [path, Buffer.from(file.bytes).toString('base64')] as const).sort());
}

/** Every rank keeps one file: a rank without any is RankMissing. */
function newTree(): InMemoryTree {
  const tree = new InMemoryTree([{ name: 'main', pattern: 'rank-{rank}/tom-{tom}', exclude: [] }]);
  for (const path of ['rank-0/anchor', 'rank-1/anchor']) {
    tree.write('main', path, Buffer.from('anchor'));
  }
  return tree;
}

/** Stops early at first, then later and later, so that also work that must be done in one go gets done. */
export function impatient(): () => boolean {
  let asked = 0;
  let patience = 1;
  return () => {
    asked += 1;
    if (asked <= patience) {
      return false;
    }
    asked = 0;
    patience += 2;
    return true;
  };
}
