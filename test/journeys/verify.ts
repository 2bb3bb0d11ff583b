import { describe, expect, test } from 'vitest';
import { differences } from './support/bytes.ts';
import { deleteObject, findingsOf, forgeManifest, putObject } from './support/harm.ts';
import { journey, restoredTo, scratch } from './support/keeping-journey.ts';
import { DAY_MILLIS, twoDays } from './support/keeping-life.ts';
import { Life, segment } from './support/life.ts';
import { expectFailure } from './support/outcomes.ts';
import { storedBelow } from './support/vault-contents.ts';

interface Scene {
  readonly life: Life;
  readonly full: string;
  readonly next: string;
  /** Key of a segment as the full stored it. */
  readonly inFull: (name: string) => string;
}

async function setScene(): Promise<Scene> {
  const { life, full, next } = await twoDays();
  return { life, full, next, inFull: (name) => `${life.backup}/${full}/${segment(name)}` };
}

interface Damage {
  readonly what: string;
  readonly level: 'present' | 'read';
  readonly kind: string;
  readonly error: 'DamageFound' | 'ProtectionWeakened';
  /** Who suffers: both, when it is a part of the full that the incremental carries. */
  readonly hurts: readonly ('full' | 'next')[];
  /** @returns the key that the finding has to name, if it is about one object */
  readonly harm: (scene: Scene) => Promise<string | undefined>;
}

const target = (key: string) => ({ bucket: journey.laptop.vaultBucket, key });
const catalogKey = ({ life }: Scene, rest: string) => `.rankvault/catalog/${life.backup}/${rest}`;

const DAMAGES: readonly Damage[] = [
  {
    what: 'a version that is gone',
    level: 'present',
    kind: 'MissingObject',
    error: 'DamageFound',
    hurts: ['full', 'next'],
    harm: async ({ inFull }) => {
      journey.laptop.s3.damage.lose(target(inFull('b')));
      return inFull('b');
    },
  },
  {
    what: 'a version that is shorter than recorded',
    level: 'present',
    kind: 'TruncatedObject',
    error: 'DamageFound',
    hurts: ['full', 'next'],
    harm: async ({ inFull }) => {
      await journey.laptop.s3.damage.truncate(target(inFull('c')), 3);
      return inFull('c');
    },
  },
  {
    what: 'a bit that has turned',
    level: 'read',
    kind: 'ChangedObject',
    error: 'DamageFound',
    hurts: ['full', 'next'],
    harm: async ({ inFull }) => {
      await journey.laptop.s3.damage.rot(target(inFull('b')));
      return inFull('b');
    },
  },
  {
    what: 'a version that a lifecycle rule has archived',
    level: 'present',
    kind: 'ArchivedObject',
    error: 'DamageFound',
    hurts: ['full'],
    harm: async ({ inFull }) => {
      journey.laptop.s3.damage.changeStorageClass(target(inFull('a')), 'DEEP_ARCHIVE');
      return inFull('a');
    },
  },
  {
    what: 'a version under a delete marker',
    level: 'present',
    kind: 'NoncurrentObject',
    error: 'ProtectionWeakened',
    hurts: ['full', 'next'],
    harm: async ({ inFull }) => {
      await deleteObject(journey.laptop, inFull('b'));
      return inFull('b');
    },
  },
  {
    what: 'a version under a newer one',
    level: 'present',
    kind: 'NoncurrentObject',
    error: 'ProtectionWeakened',
    hurts: ['full'],
    harm: async ({ inFull }) => {
      await putObject(journey.laptop, inFull('a'), 'a ghost writes late');
      return inFull('a');
    },
  },
  {
    what: 'a manifest that is not the one that was committed',
    level: 'present',
    kind: 'BrokenCatalog',
    error: 'DamageFound',
    hurts: ['next'],
    harm: async (scene) => {
      const key = catalogKey(scene, `manifests/${scene.next}/rank-1.jsonl.gz`);
      await putObject(journey.laptop, key, 'no manifest');
      return key;
    },
  },
  {
    what: 'a record that nobody can read',
    level: 'present',
    kind: 'BrokenCatalog',
    error: 'DamageFound',
    hurts: ['full'],
    harm: async (scene) => {
      const key = catalogKey(scene, `snapshots/${scene.full}.json`);
      await putObject(journey.laptop, key, 'no record');
      return key;
    },
  },
  {
    what: 'a manifest whose lines are not what was counted',
    level: 'present',
    kind: 'BrokenManifest',
    error: 'DamageFound',
    hurts: ['next'],
    harm: async (scene) => {
      const of = { backup: scene.life.backup, snapshot: scene.next, rank: 'rank-1' };
      await forgeManifest(journey.laptop, of, (text) => text.replace(/\n[^\n]*c\.seg[^\n]*\n$/, '\n'));
      return undefined;
    },
  },
  {
    what: 'a record under a delete marker',
    level: 'present',
    kind: 'HiddenRecord',
    error: 'DamageFound',
    hurts: ['next'],
    harm: async (scene) => {
      const key = catalogKey(scene, `snapshots/${scene.next}.json`);
      await deleteObject(journey.laptop, key);
      return key;
    },
  },
];

test('every kind of damage is found by its level, named with its key, and told of every snapshot that suffers', async () => {
  const scene = await setScene();
  const { life } = scene;
  await journey.verify(life, 'present');
  await journey.verify(life, 'read');
  const world = journey.laptop.s3.checkpoint();
  for (const damage of DAMAGES) {
    world.restore();
    const key = await damage.harm(scene);
    const view = await journey.tryVerify(life, damage.level);
    expectFailure(view, { error: damage.error, problem: new RegExp(`found \\d+ ${damage.kind}`), hint: /is a full/ });
    const hurt = new Set(damage.hurts.map((name) => scene[name]));
    const found = await findingsOf(journey.laptop, life.backup, await newestVerification(life));
    expect({ what: damage.what, found }).toEqual({
      what: damage.what,
      found: expect.arrayContaining(
        [...hurt].map((snapshot) =>
          expect.objectContaining({ kind: damage.kind, snapshot, ...(key === undefined ? { rank: 1 } : { key }) }),
        ),
      ),
    });
    const suffering = new Set(found.map((finding) => Object(finding).snapshot));
    expect({ what: damage.what, suffering }).toEqual({ what: damage.what, suffering: hurt });
  }
  world.restore();
  world.release();
});

async function newestVerification({ backup }: Life): Promise<string> {
  const prefix = `.rankvault/catalog/${backup}/verifications/`;
  const newest = (await storedBelow(journey.laptop, prefix)).at(-1);
  return newest?.key.slice(prefix.length, -'.json'.length) ?? '';
}

describe('an open finding', () => {
  test.each([
    { what: 'bytes that have rotted', level: 'read', named: 'ChangedObject' },
    { what: 'a missing version', level: 'present', named: 'MissingObject' },
  ])('of $what keeps the next snapshot from building on it, which is a full and says why', async ({ level, named }) => {
    const { life, inFull } = await setScene();
    if (level === 'read') {
      await journey.laptop.s3.damage.rot(target(inFull('b')));
      // To be there is not to be readable: the levels never speak for one another.
      const { coverage, next } = await journey.verify(life, 'present');
      expect({ coverage, next }).toMatchObject({
        coverage: { present: expect.stringContaining('100 %'), read: expect.stringContaining(' 0 %') },
        next: 'Nothing to do.',
      });
    } else {
      journey.laptop.s3.damage.lose(target(inFull('b')));
    }
    expect((await journey.tryVerify(life, level)).error).toBe('DamageFound');
    const snapshot = await life.oracle.snapshot('incremental');
    expect(snapshot).toMatchObject({ type: 'full', reason: expect.stringContaining(`(${level}) found 1 ${named}`) });
    await life.oracle.expectRestores(snapshot.snapshot);
    // The new full is sound, and is built upon.
    expect(await life.oracle.snapshot('incremental')).toMatchObject({ type: 'incremental', base: snapshot.snapshot });
  });

  test('of a stray delete marker is closed by a repair and the next look, and then it is built upon again', async () => {
    const { life, full, next, inFull } = await setScene();
    await deleteObject(journey.laptop, inFull('b'));
    await deleteObject(journey.laptop, `.rankvault/catalog/${life.backup}/snapshots/${full}.json`);
    expectFailure(await journey.tryVerify(life, 'present'), {
      error: 'DamageFound',
      problem: /1 HiddenRecord, 1 NoncurrentObject/,
      hint: /Start Maintain with the action repair/,
    });
    await expectDryRunAsDone(life, 'repair', { markers: 2 });
    expect(await journey.verify(life, 'present')).toMatchObject({ findings: {}, next: 'Nothing to do.' });
    await life.oracle.expectAllThere();
    expect(await life.oracle.snapshot('incremental')).toMatchObject({ type: 'incremental', base: next });
  });

  test('is none where nothing suffers: what nobody names is told, and goes with the next collect', async () => {
    const { life, full } = await setScene();
    await putObject(journey.laptop, `${life.backup}/${full}/rank-1/tom-0/unnamed`, 'nobody');
    const { findings, next } = await journey.verify(life, 'present');
    expect({ findings, next }).toEqual({ findings: { ExtraObject: 1 }, next: expect.stringContaining('next collect') });
    journey.laptop.clock.jump(3 * DAY_MILLIS);
    expect((await journey.maintain(life, 'collect')).report.frees).toEqual({ parts: 1, bytes: 6 });
    expect((await journey.verify(life, 'present')).findings).toEqual({});
  });
});

async function expectDryRunAsDone(life: Life, action: string, done: Record<string, unknown>): Promise<void> {
  expect((await journey.maintain(life, action, { dryRun: true })).report).toMatchObject(done);
  expect((await journey.maintain(life, action)).report).toMatchObject(done);
}

test('nights with a budget read those first that were not read for longest, until every part has been read', async () => {
  const { life } = await setScene();
  const nights: unknown[] = [];
  for (let night = 0; night < 4; night += 1) {
    journey.laptop.clock.jump(DAY_MILLIS);
    const { checked, coverage } = await journey.verify(life, 'read', { budget: { parts: 2 } });
    nights.push({ parts: checked.parts, coverage: Object(coverage).read });
  }
  // Five parts are stored; the third night begins anew with what was read first.
  expect(nights).toEqual([
    { parts: 2, coverage: expect.stringContaining('40 %') },
    { parts: 2, coverage: expect.stringContaining('80 %') },
    { parts: 2, coverage: expect.stringContaining('100 %') },
    { parts: 2, coverage: expect.stringContaining('100 %') },
  ]);
});

describe('a drill', () => {
  test('restores the latest snapshot into the scratch cluster, compares, and says how long it took', async () => {
    const { life, next } = await setScene();
    await scratch.wipe();
    const { drill, coverage } = await journey.verify(life, 'restored', { cluster: 'scratch', drill: 'monthly' });
    expect(drill).toMatchObject({
      snapshot: next,
      cluster: 'scratch',
      recoverySeconds: expect.any(Number),
      parts: 4,
    });
    expect(Object(coverage).restored).toContain(`${next} restored at`);
    expect(differences(await life.source.files(), await scratch.files())).toEqual([]);
  });

  test('fetches every part from the vault, also where the scratch cluster has it already', async () => {
    const { life, inFull } = await setScene();
    await scratch.wipe();
    await journey.verify(life, 'restored', { cluster: 'scratch' });
    journey.laptop.s3.damage.lose(target(inFull('b')));
    expect((await journey.tryVerify(life, 'restored', { cluster: 'scratch' })).error).toBe('DamageFound');
  });

  test('tells a snapshot that cannot be restored from a scratch cluster that cannot be restored to', async () => {
    const { life, inFull } = await setScene();
    const vain = await journey.tryVerify(life, 'restored', { cluster: 'no_scratch' });
    expect({ status: vain.status, error: vain.error }).toEqual({ status: 'FAILED', error: 'RootUnreadable' });
    expect(await life.oracle.snapshot('incremental')).toMatchObject({ type: 'incremental' });
    journey.laptop.s3.damage.lose(target(inFull('b')));
    expectFailure(await journey.tryVerify(life, 'restored', { cluster: 'scratch' }), {
      error: 'DamageFound',
      problem: /found 1 RestoreFailed/,
      hint: /is a full/,
    });
    expect(await life.oracle.snapshot('incremental')).toMatchObject({
      type: 'full',
      reason: expect.stringContaining('1 RestoreFailed'),
    });
  });

  test('goes into no cluster that is not declared as scratch', async () => {
    const { life } = await setScene();
    const before = await life.source.files();
    expectFailure(await journey.tryVerify(life, 'restored', { cluster: life.source.cluster }), {
      error: 'NotAScratchCluster',
      problem: /is not declared as scratch/,
      hint: /scratch: true/,
    });
    expect(differences(before, await life.source.files())).toEqual([]);
  });
});

test('what cannot be verified is refused by name, and an empty backup has nothing to be verified', async () => {
  const life = new Life(journey, journey.takeS3(), restoredTo);
  expect((await journey.tryVerify(life, 'present')).output).toMatchObject({ outcome: 'finished' });
  expectFailure(await journey.tryVerify({ backup: 'nobody' }, 'present'), {
    error: 'BackupNotFound',
    problem: /There is no backup 'nobody'/,
    hint: /Configured backups: /,
  });
  expectFailure(await journey.tryVerify(life, 'glanced'), {
    error: 'InputInvalid',
    problem: /The input of Verify is not valid/,
    hint: /Start it again with an input like/,
  });
  await life.begin();
  await life.day('full');
  expectFailure(await journey.tryVerify(life, 'present', { snapshot: '1500000000000' }), {
    error: 'SnapshotNotFound',
    problem: /has no snapshot "1500000000000"/,
    hint: /Its newest are snapshot\./,
  });
});
