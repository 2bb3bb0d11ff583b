import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSnapshots } from '../../../core/catalog.ts';
import { isDirectoryLine } from '../../../core/manifest.ts';
import { readManifest, readRanks } from '../../../core/manifest-io.ts';
import type { SnapshotRecord } from '../../../core/records.ts';
import { compareUtf8 } from '../../../core/utf8-order.ts';
import { collect } from '../../support/byte-streams.ts';
import { InMemoryTree } from '../../support/in-memory-tree.ts';
import { JobWorld, never } from '../../support/job-world.ts';
import { RestoreWorld } from '../../support/restore-world.ts';

/** Patterns whose canonical paths keep and change the order of the root's own. */
const PATTERNS = ['rank-{rank}/tom-{tom}', 'persist/gpudb_rank{rank}/data/t{tom:2}'] as const;
const NAMES = ['a', 'a.b', 'a b', 'ü', '日', '\u{ffe0}', '😀', '+%2F', 'z.mdb', 'A'];

type Files = ReadonlyMap<string, string>;

interface Edit {
  readonly rank: number | 'cluster';
  readonly tom: number | undefined;
  readonly name: string;
  readonly content: string | undefined;
}

interface Step {
  readonly edits: readonly Edit[];
  readonly type: 'full' | 'incremental' | 'differential';
  /** `held` has a warm pass. */
  readonly backup: 'prod' | 'held';
  /** Written while the warm pass copies, twice. */
  readonly meanwhile: readonly Edit[];
  readonly stops: boolean;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  rank: fc.constantFrom(0, 1, 2, 'cluster' as const),
  tom: fc.constantFrom(undefined, 0, 11),
  name: fc.constantFrom(...NAMES),
  content: fc.option(fc.string({ maxLength: 20 }), { nil: undefined, freq: 4 }),
});

const step: fc.Arbitrary<Step> = fc.record({
  edits: fc.array(edit, { maxLength: 6 }),
  type: fc.constantFrom('full' as const, 'incremental' as const, 'differential' as const),
  backup: fc.constantFrom('prod' as const, 'held' as const),
  meanwhile: fc.array(edit, { maxLength: 3 }),
  stops: fc.boolean(),
});

function pathOf(pattern: string, { rank, tom, name }: Edit): string {
  if (rank === 'cluster') {
    return name;
  }
  const mapped = pattern !== PATTERNS[0];
  const directory = mapped ? `persist/gpudb_rank${rank}/` : `rank-${rank}/`;
  const tomDirectory = tom === undefined ? '' : mapped ? `data/t${String(tom).padStart(2, '0')}/` : `tom-${tom}/`;
  return `${directory}${tomDirectory}${name}`;
}

function newTree(pattern: string): InMemoryTree {
  const tree = new InMemoryTree([{ name: 'main', pattern, exclude: [] }]);
  for (const rank of [0, 1, 2]) {
    // Every rank keeps one file: a rank without any is RankMissing, which has a test of its own.
    tree.write('main', pathOf(pattern, { rank, tom: undefined, name: 'anchor', content: '' }), Buffer.from('anchor'));
  }
  return tree;
}

function apply(tree: InMemoryTree, pattern: string, edits: readonly Edit[]): void {
  for (const each of edits) {
    const path = pathOf(pattern, each);
    if (each.content === undefined) {
      tree.remove('main', path);
    } else {
      tree.write('main', path, Buffer.from(each.content));
    }
  }
}

function filesOf(tree: InMemoryTree): Files {
  const files = [...tree.root('main').files].filter(([path]) => !path.startsWith('.rankvault'));
  return new Map(files.map(([path, file]) => [path, Buffer.from(file.bytes).toString('base64')] as const).sort());
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

async function assertInvariants(world: JobWorld, record: SnapshotRecord): Promise<void> {
  const named = new Set([record.snapshot]);
  let parts = 0;
  for (const line of await collect(readRanks(world.vault, record.backup, record.snapshot))) {
    const place = { backup: record.backup, snapshot: record.snapshot, rank: line.rank };
    const lines = await collect(readManifest(world.vault, place));
    expect(lines.map(({ path }) => path)).toEqual(lines.map(({ path }) => path).toSorted(compareUtf8));
    for (const part of lines.flatMap((each) => (isDirectoryLine(each) ? [] : [each]))) {
      parts += 1;
      named.add(part.in);
    }
  }
  expect(parts).toBe(record.totals.parts);
  expect([...named].toSorted(compareUtf8)).toEqual(record.chain);
  const allowed = {
    full: [record.snapshot],
    differential: [record.snapshot, record.full],
    incremental: [...named],
  }[record.type];
  expect(allowed).toEqual(expect.arrayContaining([...named]));
}

interface Taken {
  readonly record: SnapshotRecord;
  readonly files: Files;
}

async function takeAll(world: JobWorld, pattern: string, steps: readonly Step[]): Promise<readonly Taken[]> {
  const taken: Taken[] = [];
  for (const [number, each] of steps.entries()) {
    apply(world.tree, pattern, each.edits);
    const meanwhile = () => apply(world.tree, pattern, each.meanwhile);
    const order = { backup: each.backup, type: each.type, execution: `run-${number}`, meanwhile };
    const record = await world.snapshot({ ...order, shouldStop: each.stops ? impatient() : never });
    await assertInvariants(world, record);
    taken.push({ record, files: filesOf(world.tree) });
  }
  return taken;
}

async function assertRestores(world: JobWorld, pattern: string, { record, files }: Taken, foreign: readonly Edit[]) {
  const empty = new InMemoryTree([{ name: 'other', pattern, exclude: [] }]);
  const partlyEqual = newTree(pattern);
  for (const [path, file] of world.tree.root('main').files) {
    partlyEqual.write('main', path, file.bytes);
  }
  const strange = newTree(pattern);
  apply(strange, pattern, foreign);
  const targets = [
    { tree: empty, root: 'other', policy: 'none' as const },
    { tree: partlyEqual, root: 'main', policy: 'replace' as const },
    { tree: strange, root: 'main', policy: 'rename' as const },
  ];
  for (const { tree, root, policy } of targets) {
    const restores = new RestoreWorld(world, tree);
    const snapshot = record.snapshot;
    const execution = `restore-${policy}-${record.backup}-${snapshot}`;
    await restores.restore({ backup: record.backup, snapshot, policy, execution, shouldStop: impatient() });
    const visible = new Map([...tree.root(root).files].filter(([path]) => !path.startsWith('.rankvault-aside/')));
    const restored = [...visible].map(([path, file]) => [path, Buffer.from(file.bytes).toString('base64')] as const);
    expect(new Map(restored.sort())).toEqual(files);
  }
}

describe('a history of snapshots', () => {
  it.each(PATTERNS)(
    'restores at every point in time into empty, partly equal and foreign targets (%s)',
    async (pattern) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 1, maxLength: 5 }),
          fc.array(edit, { maxLength: 6 }),
          async (steps, foreign) => {
            const world = new JobWorld({ tree: newTree(pattern) });
            const taken = await takeAll(world, pattern, steps);
            for (const each of taken) {
              await assertRestores(world, pattern, each, foreign);
            }
            const catalog = [
              ...(await readSnapshots(world.vault, 'prod')),
              ...(await readSnapshots(world.vault, 'held')),
            ];
            expect(catalog.length).toBe(steps.length);
          },
        ),
        { numRuns: 6 },
      );
    },
  );
});
