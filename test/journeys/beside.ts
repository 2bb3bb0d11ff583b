import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../local/workflow/json.ts';
import { differences } from './support/bytes.ts';
import { functionNamed, journey } from './support/keeping-journey.ts';
import { beginLife, DAY_MILLIS, liveTwoDays } from './support/keeping-life.ts';
import type { Life } from './support/life.ts';
import { committed, expectFailure, restored } from './support/outcomes.ts';
import { expectNothingLeftOver, expectNothingLost, storedBelow, wholeVaultOf } from './support/vault-contents.ts';

/** Every action beside a running snapshot and beside a running restore, in both orders. */

interface Scene {
  readonly life: Life;
  readonly full: string;
  readonly next: string;
}

/** A full, an incremental that changed 'a', and another full. */
async function threeDays(source = journey.takeS3()): Promise<Scene> {
  const { life, full, next } = await liveTwoDays(source);
  await life.day('full', ['b']);
  return { life, full, next };
}

function allActions({ full }: Scene): readonly (readonly [string, JsonObject])[] {
  return [
    ['purge', { snapshot: full, immediately: true }],
    ['merge', {}],
    ['expire', {}],
    ['drop', { immediately: true }],
    ['pin', { snapshot: full }],
    ['unpin', { snapshot: full }],
    ['freeze', {}],
    ['thaw', {}],
    ['undelete', {}],
    ['collect', {}],
    ['repair', {}],
  ];
}

test('while a snapshot runs every action is refused and changes nothing, or waits for its turn', async () => {
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
  for (const [action, more] of allActions(scene)) {
    expectFailure(await journey.tryMaintain(life, action, more), {
      error: 'BackupInProgress',
      problem: /is held by execution .* since /,
      hint: /Wait until it has ended/,
    });
  }
  expect(await wholeVaultOf(journey.laptop, life.backup)).toEqual(untouched);
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
  readonly set: () => Promise<Scene>;
  readonly input: (scene: Scene) => JsonObject;
  /** Who is hidden by it. */
  readonly hides: (scene: Scene) => readonly string[];
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
      const scene = await threeDays(journey.s3Place('brief6'));
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
      await life.oracle.expectAllThere();
      deleting.release();
      expect((await running).status).toBe('SUCCEEDED');
      await journey.laptop.quiet();
      await life.oracle.expectAllThere();
      const kept = life.oracle.visible.map(({ snapshot }) => snapshot);
      await expectNothingLost(journey.laptop, life.backup, kept);
      await expectNothingLeftOver(journey.laptop, life.backup, kept);
    },
  );

  test('what a pin or a freeze decides in a moment, a snapshot waits for', async () => {
    const { life, full } = await threeDays();
    const pinning = journey.laptop.s3.faults.hold({ where: { operation: 'PutObject', key: /\/pins\// } });
    const pin = journey.tryMaintain(life, 'pin', { snapshot: full });
    await pinning.reached;
    const files = await life.source.files();
    const snapshot = journey.trySnapshot(life, 'incremental');
    expect(await firstWait()).toMatch(/^Wait/);
    pinning.release();
    expect((await pin).status).toBe('SUCCEEDED');
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
    await life.oracle.expectAllThere();
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
    const life = await beginLife(journey.s3Place(first === 'the merge' ? 'brief1' : 'brief2'));
    await life.day('full');
    const next = await life.day('incremental', ['a']);
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

/** The state that the running snapshot waits in. */
async function firstWait(): Promise<string> {
  for (;;) {
    const found = journey.events.findLast(({ type, state }) => type === 'entered' && /^Wait/.test(state));
    if (found !== undefined) {
      return found.state;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
