import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSnapshots } from '../../../core/catalog.ts';
import { InMemoryTree } from '../../support/in-memory-tree.ts';
import { MaintainWorld } from '../../support/maintain-world.ts';
import { type MergeOrder, planOfMerge } from '../../support/merge-world.ts';
import { RestoreWorld } from '../../support/restore-world.ts';
import { sampleConfig } from '../../support/sample-config.ts';

/** Snapshots, merges and sweeps in any order; whatever is visible restores to what was there when it was taken. */

const PATHS = [
  'rank-0/meta.mdb',
  'rank-0/tom-0/a',
  'rank-1/tom-0/a',
  'rank-1/tom-0/b',
  'rank-1/tom-1/😀',
  'conf',
  'a b',
];

interface Edit {
  readonly path: string;
  readonly content: string | undefined;
}

type Type = 'full' | 'incremental' | 'differential';

type Step =
  | { readonly action: 'snapshot'; readonly edits: readonly Edit[]; readonly type: Type }
  | {
      readonly action: 'merge';
      /** Which of the visible ones, from the newest. */
      readonly of: number;
      /** After so many steps of the merge a snapshot is taken. */
      readonly snapshotAfter: number | undefined;
      readonly edits: readonly Edit[];
      readonly type: Type;
      readonly invoked: NonNullable<MergeOrder['invoked']>;
    }
  | { readonly action: 'collect'; readonly afterDays: number };

const edits = fc.array(
  fc.record({
    path: fc.constantFrom(...PATHS),
    content: fc.option(fc.string({ maxLength: 9 }), { nil: undefined, freq: 4 }),
  }),
  { maxLength: 4 },
);
const type = fc.constantFrom<Type>('full', 'incremental', 'incremental', 'differential');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ action: fc.constant('snapshot' as const), edits, type }) },
  {
    weight: 3,
    arbitrary: fc.record({
      action: fc.constant('merge' as const),
      of: fc.nat({ max: 2 }),
      snapshotAfter: fc.option(fc.nat({ max: 4 }), { nil: undefined }),
      edits,
      type,
      invoked: fc.constantFrom<NonNullable<MergeOrder['invoked']>>('once', 'twice', 'beside its ghost'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ action: fc.constant('collect' as const), afterDays: fc.constantFrom(0, 8) }) },
);

type Files = ReadonlyMap<string, string>;

class History {
  readonly world: MaintainWorld;
  /** What each snapshot has to give back, by directory. */
  readonly expected = new Map<string, Files>();
  #executions = 0;

  constructor(undeleteDays: number) {
    const prod = { kind: 'system' as const, cluster: 'prod', retention: { undeleteDays } };
    this.world = new MaintainWorld({ tree: newTree(), config: sampleConfig({ backups: { prod } }) });
  }

  async take(change: readonly Edit[], snapshotType: Type): Promise<void> {
    for (const { path, content } of change) {
      if (content === undefined) {
        this.world.tree.remove('main', path);
      } else {
        this.world.tree.write('main', path, Buffer.from(content));
      }
    }
    const record = await this.world.snapshot({ type: snapshotType, execution: this.#next('run') });
    this.expected.set(record.snapshot, filesOf(this.world.tree));
  }

  async merge(step: Extract<Step, { action: 'merge' }>): Promise<void> {
    const { world } = this;
    world.clock.advanceMinutes(1);
    const built = (await readSnapshots(world.vault, 'prod')).filter(({ base }) => base !== undefined);
    const source = built.at(-1 - step.of) ?? built.at(-1);
    if (source === undefined) {
      return;
    }
    const { invoked } = step;
    const order = { execution: this.#next('merge'), snapshot: source.snapshot, invoked, shouldStop: impatient() };
    const merge = await planOfMerge(world, order);
    this.expected.set(merge.plan.merge.snapshot, this.expected.get(source.snapshot) ?? new Map());
    const steps = [
      () => merge.list(),
      () => merge.copy(),
      () => merge.seal(),
      () => merge.commitUntilDone(),
      () => merge.verify(),
    ];
    for (const [number, act] of steps.entries()) {
      if (number === step.snapshotAfter) {
        await this.take(step.edits, step.type);
      }
      await act();
    }
    const sources = merge.plan.merge.sources;
    const answer = await merge.hideUntilDone();
    for (const each of sources) {
      this.expected.delete(each);
    }
    await world.carryOut(answer.run, { shouldStop: impatient() });
  }

  async collect(afterDays: number): Promise<void> {
    this.world.advanceDays(afterDays);
    await this.world.maintain({ action: 'collect' });
  }

  /** Exactly the expected ones are visible, and each restores to what it showed. */
  async check(): Promise<void> {
    const visible = await readSnapshots(this.world.vault, 'prod');
    expect(visible.map(({ snapshot }) => snapshot).toSorted()).toEqual([...this.expected.keys()].toSorted());
    for (const { snapshot } of visible) {
      const tree = newTree();
      tree.root('main').files.clear();
      const execution = this.#next('restore');
      await new RestoreWorld(this.world, tree).restore({ snapshot, policy: 'none', execution });
      expect(filesOf(tree)).toEqual(this.expected.get(snapshot));
    }
  }

  #next(name: string): string {
    this.#executions += 1;
    return `${name}-${this.#executions}`;
  }
}

function newTree(): InMemoryTree {
  const tree = new InMemoryTree([{ name: 'main', pattern: 'rank-{rank}/tom-{tom}', exclude: [] }]);
  for (const rank of [0, 1]) {
    // Every rank keeps one file: a rank without any is RankMissing.
    tree.write('main', `rank-${rank}/anchor`, Buffer.from('anchor'));
  }
  return tree;
}

function filesOf(tree: InMemoryTree): Files {
  const files = [...tree.root('main').files].filter(([path]) => !path.startsWith('.rankvault'));
  return new Map(files.map(([path, file]) => [path, Buffer.from(file.bytes).toString('base64')] as const).toSorted());
}

/** Stops early at first, then later and later, so that also work that must be done in one go gets done. */
function impatient(): () => boolean {
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

describe('a history with merges', () => {
  it('restores every visible moment, whatever was merged and freed around it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0, 7),
        fc.array(step, { minLength: 2, maxLength: 7 }),
        async (undeleteDays, steps) => {
          const history = new History(undeleteDays);
          await history.take([], 'full');
          for (const each of steps) {
            switch (each.action) {
              case 'snapshot':
                await history.take(each.edits, each.type);
                break;
              case 'merge':
                await history.merge(each);
                break;
              case 'collect':
                await history.collect(each.afterDays);
                break;
              default:
                each satisfies never;
            }
            await history.check();
          }
          await history.collect(8);
          await history.check();
        },
      ),
      { numRuns: 8 },
    );
  }, 120_000);
});
