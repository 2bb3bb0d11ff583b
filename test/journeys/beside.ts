import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../local/workflow/json.ts';
import { differences } from './support/bytes.ts';
import { functionNamed, journey, take } from './support/keeping-journey.ts';
import { DAY_MILLIS, liveTwoDays, type TwoDays, threeDays } from './support/keeping-life.ts';
import type { Life } from './support/life.ts';
import { committed, expectFailure, restored } from './support/outcomes.ts';
import { expectNothingLeftOver, expectNothingLost, storedBelow, wholeVaultOf } from './support/vault-contents.ts';

/** Every action beside a running snapshot and beside a running restore, in both orders. */

/** What one small object does needs nobody's leave. */
function marks({ full }: TwoDays): readonly (readonly [string, JsonObject])[] {
  return [
    ['pin', { snapshot: full }],
    ['unpin', { snapshot: full }],
    ['freeze', {}],
    ['thaw', {}],
  ];
}

function deciding({ full }: TwoDays): readonly (readonly [string, JsonObject])[] {
  return [
    ['purge', { snapshot: full, immediately: true }],
    ['merge', {}],
    ['expire', {}],
    ['drop', { immediately: true }],
    ['undelete', {}],
    ['collect', {}],
    ['repair', {}],
  ];
}

test('while a snapshot runs what must decide is refused and changes nothing, or waits; marks are made at once', async () => {
  const scene = await threeDays();
  const { life } = scene;
  const copying = journey.laptop.s3.faults.hold({
    where: { operation: 'CopyObject', bucket: journey.laptop.vaultBucket, key: /a\.seg$/ },
  });
  await life.write('rank-1/tom-0/a.seg', 'while it runs');
  const files = await life.source.files();
  const snapshot = journey.trySnapshot(life, 'incremental');
  await copying.reached;
  const untouched = await wholeVaultOf(journey.laptop, life.backup);
  for (const [action, more] of deciding(scene)) {
    expectFailure(await journey.tryMaintain(life, action, more), {
      error: 'BackupInProgress',
      problem: /is held by execution .* since /,
      hint: /Wait until it has ended/,
    });
  }
  expect(await wholeVaultOf(journey.laptop, life.backup)).toEqual(untouched);
  for (const [action, more] of marks(scene)) {
    await journey.maintain(life, action, more);
  }
  // A verification looks at what is committed, and needs no turn.
  expect((await journey.verify(life, 'present')).findings).toEqual({});
  const waiting = journey.tryMaintain(life, 'purge', { snapshot: scene.full, immediately: true, wait: true });
  copying.release();
  life.oracle.took(committed(await snapshot), files);
  expect((await waiting).status).toBe('SUCCEEDED');
  life.oracle.hide(scene.full, 0);
  await journey.laptop.quiet();
  await life.oracle.expectAllThere();
});

interface Removal {
  readonly action: string;
  readonly set: () => Promise<TwoDays>;
  readonly input: (scene: TwoDays) => JsonObject;
  /** Who is hidden by it. */
  readonly hides: (scene: TwoDays) => readonly string[];
}

const REMOVALS: readonly Removal[] = [
  {
    action: 'purge',
    set: threeDays,
    input: ({ full }) => ({ snapshot: full, immediately: true }),
    hides: ({ full }) => [full],
  },
  {
    action: 'drop',
    set: threeDays,
    input: () => ({ immediately: true }),
    hides: ({ life }) => life.oracle.visible.map(({ snapshot }) => snapshot),
  },
  {
    action: 'expire',
    set: async () => {
      const scene = await liveTwoDays(take('brief'));
      await scene.life.day('full', ['b']);
      journey.laptop.clock.jump(3 * DAY_MILLIS);
      return scene;
    },
    input: () => ({}),
    hides: ({ full, next }) => [full, next],
  },
  {
    action: 'collect',
    set: async () => {
      const scene = await threeDays();
      await journey.maintain(scene.life, 'purge', { snapshot: scene.full });
      journey.laptop.clock.jump(8 * DAY_MILLIS);
      return scene;
    },
    input: () => ({}),
    hides: ({ full }) => [full],
  },
];

describe('while bytes are deleted', () => {
  test.each(REMOVALS)(
    'by $action, snapshots are taken and others are restored, and nothing of them goes',
    async (removal) => {
      const scene = await removal.set();
      const { life } = scene;
      const hidden = removal.hides(scene);
      const deleting = journey.laptop.s3.faults.hold({
        where: { operation: 'DeleteObjects', caller: functionNamed('DeleteVersions') },
      });
      const running = journey.tryMaintain(life, removal.action, removal.input(scene));
      await deleting.reached;
      for (const snapshot of hidden) {
        life.oracle.hide(snapshot, 0);
      }
      const files = await life.source.files();
      const meanwhile = await journey.snapshotBeside(life, 'incremental');
      life.oracle.took(meanwhile, files);
      await life.oracle.expectKept();
      deleting.release();
      expect((await running).status).toBe('SUCCEEDED');
      await journey.laptop.quiet();
      await life.oracle.expectAllThere();
      const kept = life.oracle.visible.map(({ snapshot }) => snapshot);
      await expectNothingLost(journey.laptop, life.backup, kept);
      await expectNothingLeftOver(journey.laptop, life.backup, kept);
    },
  );

  test('what is decided in a moment, a snapshot waits for', async () => {
    const { life, full } = await threeDays();
    await journey.maintain(life, 'purge', { snapshot: full });
    const deciding = journey.laptop.s3.faults.hold({ where: { operation: 'DeleteObject', key: /\/tombstones\// } });
    const undelete = journey.tryMaintain(life, 'undelete', { snapshot: full });
    await deciding.reached;
    const files = await life.source.files();
    const snapshot = journey.trySnapshot(life, 'incremental');
    await waitsOrEnds(snapshot);
    deciding.release();
    expect((await undelete).status).toBe('SUCCEEDED');
    life.oracle.took(committed(await snapshot), files);
    await journey.laptop.quiet();
    await life.oracle.expectListed();
  });
});

describe('while a snapshot is restored', () => {
  test.each(REMOVALS)('$action hides it and leaves it every byte until the restore is done', async (removal) => {
    const scene = await removal.set();
    const { life, next } = scene;
    const reading = journey.laptop.s3.faults.hold({
      where: { operation: 'GetObject', bucket: journey.laptop.vaultBucket, key: /b\.seg$/ },
    });
    const restoring = journey.tryRestore(life.source, life.target, { snapshot: next, policy: 'replace' });
    await reading.reached;
    // All that is hidden is hidden now; only what the reader holds stays.
    const hidden = removal.hides(scene);
    expect((await journey.tryMaintain(life, removal.action, removal.input(scene))).status).toBe('SUCCEEDED');
    const { files } = life.oracle.find(next);
    reading.release();
    expect(restored(await restoring).snapshot).toBe(next);
    expect(differences(files, await life.target.files())).toEqual([]);
    for (const snapshot of hidden) {
      life.oracle.hide(snapshot, 0);
    }
    await life.oracle.expectKept();
    expect((await journey.maintain(life, 'collect')).report.residue.parts).toBe(hidden.includes(next) ? 0 : 3);
    await expectNothingLeftOver(
      journey.laptop,
      life.backup,
      life.oracle.visible.map(({ snapshot }) => snapshot),
    );
  });

  test.each([
    { when: 'before it says that it reads', where: { operation: 'PutObject', key: /^holds\// } },
    { when: 'before it looks whether it may', where: { operation: 'HeadObject', key: /\/tombstones\// } },
  ] as const)('one that is purged $when is refused, and is not restored by half', async ({ where }) => {
    const { life, full } = await threeDays();
    await life.target.wipe();
    const planning = journey.laptop.s3.faults.hold({ where: { ...where, caller: functionNamed('PlanRestore') } });
    const restoring = journey.tryRestore(life.source, life.target, { snapshot: full });
    await planning.reached;
    await journey.maintain(life, 'purge', { snapshot: full, immediately: true });
    planning.release();
    expectFailure(await restoring, {
      error: 'SnapshotNotFound',
      problem: /has been removed from the catalog/,
      hint: /Choose another snapshot/,
    });
    expect(await life.target.files()).toEqual(new Map());
    life.oracle.hide(full, 0);
    await journey.maintain(life, 'collect');
    await life.oracle.expectAllThere();
  });
});

test.each(['the restore', 'the merge'])(
  'a merge and a restore of what is merged leave each other in peace, when %s began first',
  async (first) => {
    // Without a window: the sources could go at once.
    const { life, next } = await liveTwoDays(take('brief'));
    const sources = await life.oracle.chainOf(next);
    const { files } = life.oracle.newest();
    const bucket = journey.laptop.vaultBucket;
    const held = journey.laptop.s3.faults.hold({
      where:
        first === 'the merge'
          ? { operation: 'CopyObject', bucket, caller: functionNamed('MergeParts') }
          : { operation: 'GetObject', bucket, key: /b\.seg$/ },
    });
    const restore = () => journey.tryRestore(life.source, life.target, { snapshot: next, policy: 'replace' });
    const merge = () => journey.tryMaintain(life, 'merge', { snapshot: next });
    const [begun, beside] = first === 'the merge' ? [merge(), restore] : [restore(), merge];
    await held.reached;
    expect((await beside()).status).toBe('SUCCEEDED');
    held.release();
    expect((await begun).status).toBe('SUCCEEDED');
    expect(differences(files, await life.target.files())).toEqual([]);
    const [merged = ''] = (await namesOfRecords(life)).filter((name) => name > next);
    life.oracle.merge(merged, sources, 0);
    await journey.maintain(life, 'collect');
    await life.oracle.expectAllThere();
    await expectNothingLeftOver(journey.laptop, life.backup, [merged]);
  },
);

async function namesOfRecords({ backup }: Life): Promise<string[]> {
  const prefix = `.rankvault/catalog/${backup}/snapshots/`;
  return (await storedBelow(journey.laptop, prefix)).map(({ key }) => key.slice(prefix.length, -'.json'.length));
}

/** @throws Error when it ends without having waited */
async function waitsOrEnds(running: Promise<unknown>): Promise<void> {
  let ended = false;
  void running.finally(() => {
    ended = true;
  });
  while (!journey.events.some(({ type, state }) => type === 'entered' && /^Wait/.test(state))) {
    if (ended) {
      throw new Error('It has ended without having waited.');
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
