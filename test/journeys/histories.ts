import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TreeEntry } from '../../local/samples/compare-trees.ts';
import type { Committed } from './support/outcomes.ts';
import type { Place } from './support/places.ts';
import { journey } from './support/shared-journey.ts';
import { expectSameTree } from './support/trees.ts';

/** Histories for each kind of cluster. */
const HISTORIES = 2;

const path = fc
  .tuple(
    fc.constantFrom('rank-0', 'rank-1', 'rank-2'),
    fc.constantFrom(
      'meta.mdb',
      'tom-0/a.seg',
      'tom-0/a b+c%20.seg',
      'tom-1/\u00fc/deep.seg',
      'tom-10/x.seg',
      'tom-2/x',
    ),
  )
  .map(([rank, inRank]) => `${rank}/${inRank}`);
const anyPath = fc.oneof({ weight: 8, arbitrary: path }, { weight: 1, arbitrary: fc.constant('cluster.conf') });
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      path: anyPath,
      bytes: fc.uint8Array({ maxLength: 200 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), path: anyPath }) },
);
const history = fc.array(
  fc.record({
    type: fc.constantFrom('full' as const, 'incremental' as const, 'differential' as const),
    steps: fc.array(step, { maxLength: 6 }),
  }),
  { minLength: 2, maxLength: 3 },
);

type Round = { readonly type: Committed['type']; readonly steps: readonly Step[] };
type Step =
  | { readonly kind: 'write'; readonly path: string; readonly bytes: Uint8Array }
  | { readonly kind: 'remove'; readonly path: string };

/** A cluster has its ranks whatever is in them; one without files would have none. */
async function begin(place: Place): Promise<Set<string>> {
  await place.wipe();
  const paths = ['rank-0/catalog.mdb', 'rank-1/keep', 'rank-2/keep'];
  for (const each of paths) {
    await place.tree.write(each, [Buffer.from(each)]);
  }
  return new Set(paths);
}

async function apply(place: Place, present: Set<string>, each: Step): Promise<void> {
  if (each.kind === 'write') {
    await place.tree.write(each.path, [Buffer.from(each.bytes)]);
    present.add(each.path);
  } else if (present.delete(each.path)) {
    await place.tree.remove(each.path);
  }
}

async function live(source: Place, rounds: readonly Round[]): Promise<{ snapshot: Committed; tree: TreeEntry[] }[]> {
  const present = await begin(source);
  const moments: { snapshot: Committed; tree: TreeEntry[] }[] = [];
  for (const { type, steps } of rounds) {
    for (const each of steps) {
      await apply(source, present, each);
    }
    moments.push({ tree: await source.read(), snapshot: await journey.snapshot(source, type) });
  }
  return moments;
}

test.each(['files', 's3'] as const)(
  'any history of a cluster on %s can be gone back to, moment by moment',
  async (kind) => {
    const [source, target] =
      kind === 'files' ? [journey.takeFiles(), journey.takeFiles()] : [journey.takeS3(), journey.takeS3()];
    const property = fc.asyncProperty(history, async (rounds) => {
      for (const { snapshot, tree } of await live(source, rounds)) {
        const report = await journey.restore(source, target, { snapshot: snapshot.snapshot, policy: 'replace' });
        expectSameTree(tree, await target.read());
        expect(report.placed + report.kept).toBe(snapshot.totals.parts);
        expect(snapshot.totals.storedParts).toBeLessThanOrEqual(snapshot.totals.parts);
      }
      expect(await target.readOwn()).toEqual([]);
    });
    await fc.assert(property, { numRuns: HISTORIES, seed: 20_260_131, endOnFailure: true });
  },
);
