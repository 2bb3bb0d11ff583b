import { expect, test } from 'vitest';
import { SegmentCluster } from '../../local/samples/segment-cluster.ts';
import { after, before, crashEverywhere } from './support/crash.ts';
import { journey, restoredTo } from './support/keeping-journey.ts';
import { Oracle } from './support/oracle.ts';
import { committed } from './support/outcomes.ts';
import { namesInCatalog } from './support/vault-contents.ts';

const TINY = { workers: 1, tomsPerRank: 1, tables: 1, segmentsPerTable: 2, segmentBytes: { medianBytes: 500 } };

const CASES = [
  { kind: 'files', type: 'incremental', sample: [before(40), after(12)] },
  { kind: 's3', type: 'differential', sample: [before(80), after(25)] },
] as const;

test.each(CASES)(
  'dying at a request: a snapshot ($type) of a cluster on $kind leaves a catalog that the next one builds on',
  async ({ kind, type, sample }) => {
    const source = kind === 'files' ? journey.takeFiles() : journey.takeS3();
    await restoredTo.wipe();
    const cluster = new SegmentCluster({ seed: 'dying', ...TINY }, source.tree);
    await cluster.create();
    const oracle = new Oracle(journey, source, restoredTo);
    const full = await oracle.snapshot('full');
    await cluster.append({ segments: 1 });
    const files = await source.files();
    await crashEverywhere(
      journey,
      {
        machine: 'Snapshot',
        input: { backup: source.backup, type },
        check: async (view) => {
          const snapshot = committed(view);
          // The dead one may have been committed before it died: then there are two.
          const claimed = await namesInCatalog(journey.laptop, source.backup);
          expect(claimed.length).toBeLessThanOrEqual(3);
          expect(claimed).toEqual(expect.arrayContaining([full.snapshot, snapshot.snapshot]));
          expect(snapshot).toMatchObject({ type, reason: expect.any(String) });
          await oracle.expectRestores(full.snapshot);
          await oracle.expectRestores(snapshot.snapshot, files);
        },
      },
      sample,
    );
  },
);
