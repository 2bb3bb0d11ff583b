import { CreateMultipartUploadCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../local/workflow/json.ts';
import { after, before, crashEverywhere, type Death } from './support/crash.ts';
import { deleteObject } from './support/harm.ts';
import { journey, scratch, take } from './support/keeping-journey.ts';
import { DAY_MILLIS, liveTwoDays, twoDays } from './support/keeping-life.ts';
import { type Life, segment } from './support/life.ts';
import { expectNothingLeftOver, expectNothingLost, storedBelow } from './support/vault-contents.ts';

/** A backup as the action finds it; what the oracle knows is how it must be afterwards. */
interface Scene {
  readonly life: Life;
  readonly input: JsonObject;
  /** Beside what every scene is checked for. */
  readonly check?: () => Promise<void>;
}

interface Action {
  readonly name: string;
  readonly sample: readonly Death[];
  /** Bytes go in this run: none may be left over, whatever died. */
  readonly frees?: boolean;
  readonly set: () => Promise<Scene>;
}

/** Key of a mark of the catalog, and whether it is there. */
async function expectMark({ backup }: Life, name: string, there: boolean): Promise<void> {
  const found = await storedBelow(journey.laptop, `.rankvault/catalog/${backup}/${name}`);
  expect(found.some(({ latest, marker }) => latest && !marker)).toBe(there);
}

const ACTIONS: readonly Action[] = [
  {
    name: 'purge',
    sample: [before(30), after(9)],
    frees: true,
    set: async () => {
      const { life, next } = await twoDays();
      await life.day('incremental', ['b']);
      life.oracle.hide(next, 0);
      return { life, input: { snapshot: next, immediately: true } };
    },
  },
  {
    name: 'expire',
    sample: [before(35), after(6)],
    frees: true,
    set: async () => {
      const { life, full, next } = await liveTwoDays(take('brief'));
      await life.day('full');
      journey.laptop.clock.jump(3 * DAY_MILLIS);
      life.oracle.hide(full, 0);
      life.oracle.hide(next, 0);
      return { life, input: {} };
    },
  },
  {
    name: 'drop',
    sample: [before(40), after(8)],
    frees: true,
    set: async () => {
      const { life, full, next } = await twoDays();
      life.oracle.hide(full, 0);
      life.oracle.hide(next, 0);
      return { life, input: { immediately: true } };
    },
  },
  {
    name: 'collect',
    sample: [before(45), after(7)],
    frees: true,
    set: async () => {
      const { life, full, next } = await twoDays();
      await failedSnapshot(life);
      await journey.maintain(life, 'purge', { snapshot: full });
      life.oracle.hide(full, 7);
      const { s3Client, vaultBucket: Bucket } = journey.laptop;
      const Key = `${life.backup}/${next}/rank-1/tom-0/upload`;
      await s3Client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      journey.laptop.clock.jump(8 * DAY_MILLIS);
      return { life, input: {} };
    },
  },
  {
    name: 'undelete',
    sample: [before(15), after(3)],
    set: async () => {
      const { life } = await liveTwoDays(take('patient'));
      await journey.maintain(life, 'drop');
      return { life, input: {} };
    },
  },
  {
    name: 'repair',
    sample: [before(30), after(5)],
    set: async () => {
      const { life, full, next } = await twoDays();
      await deleteObject(journey.laptop, `${life.backup}/${full}/${segment('b')}`);
      await deleteObject(journey.laptop, `.rankvault/catalog/${life.backup}/snapshots/${next}.json`);
      return {
        life,
        input: {},
        check: async () => {
          expect((await storedBelow(journey.laptop, `${life.backup}/`)).filter(({ marker }) => marker)).toEqual([]);
        },
      };
    },
  },
  {
    name: 'pin',
    sample: [before(12), after(2)],
    set: async () => {
      const { life, full } = await twoDays();
      return { life, input: { snapshot: full }, check: () => expectMark(life, `pins/${full}.json`, true) };
    },
  },
  {
    name: 'unpin',
    sample: [before(12), after(2)],
    set: async () => {
      const { life, full } = await twoDays();
      await journey.maintain(life, 'pin', { snapshot: full });
      return { life, input: { snapshot: full }, check: () => expectMark(life, `pins/${full}.json`, false) };
    },
  },
  {
    name: 'freeze',
    sample: [before(12), after(2)],
    set: async () => {
      const { life } = await twoDays();
      return { life, input: {}, check: () => expectMark(life, 'freeze.json', true) };
    },
  },
  {
    name: 'thaw',
    sample: [before(12), after(2)],
    set: async () => {
      const { life } = await twoDays();
      await journey.maintain(life, 'freeze');
      return { life, input: {}, check: () => expectMark(life, 'freeze.json', false) };
    },
  },
];

/** One that fails by itself, and gives back its locks. */
async function failedSnapshot(life: Life): Promise<void> {
  const denied = journey.laptop.s3.faults.inject({
    fault: 'accessDenied',
    where: { operation: 'CopyObject', bucket: journey.laptop.vaultBucket, key: /c\.seg$/ },
  });
  expect((await journey.trySnapshot(life, 'full')).status).toBe('FAILED');
  denied.remove();
}

test.each(ACTIONS)('dying at a request: $name is done when it is run again', async ({ name, sample, frees, set }) => {
  const { life, input, check } = await set();
  const visible = life.oracle.visible.map(({ snapshot }) => snapshot);
  await crashEverywhere(
    journey,
    {
      machine: 'Maintain',
      input: { action: name, backup: life.backup, ...input },
      check: async (_view, death) => {
        await life.oracle.expectListed();
        await expectNothingLost(journey.laptop, life.backup, visible);
        if (frees === true) {
          await expectNothingLeftOver(journey.laptop, life.backup, visible);
        }
        await check?.();
        // One in two: a restore takes longer than what is tested here.
        if (death?.carriedOut === true && visible.length > 0) {
          await life.oracle.expectRestores(life.oracle.newest().snapshot);
        }
      },
    },
    sample,
  );
});

test('dying at a request: a merge leaves its sources or its full, and is done when it is run again', async () => {
  const { life, full, next } = await twoDays();
  const { files } = life.oracle.newest();
  const prefix = `.rankvault/catalog/${life.backup}/`;
  const names = async (kind: string) =>
    (await storedBelow(journey.laptop, `${prefix}${kind}/`)).map(({ key }) => key.replace(/.*\/(.*)\.json$/, '$1'));
  await crashEverywhere(
    journey,
    {
      machine: 'Maintain',
      input: { action: 'merge', backup: life.backup, snapshot: next },
      // When all but the answer was done, its sources are gone already.
      expectAgain: async ({ status, error }) => {
        expect([undefined, 'SnapshotNotFound']).toContain(error);
        expect(status).toBe(error === undefined ? 'SUCCEEDED' : 'FAILED');
      },
      check: async () => {
        const hidden = await names('tombstones');
        const visible = (await names('snapshots')).filter((name) => !hidden.includes(name));
        expect(hidden).toEqual(expect.arrayContaining([full, next]));
        // The dead one may have committed its full before it died.
        expect([1, 2]).toContain(visible.length);
        for (const snapshot of visible) {
          await life.oracle.expectRestores(snapshot, files);
        }
        await expectNothingLost(journey.laptop, life.backup, visible);
      },
    },
    [before(70), after(25)],
  );
});

const LEVELS = [
  { level: 'present', sample: [before(40), after(8)] },
  { level: 'read', sample: [before(60), after(12)] },
  { level: 'restored', sample: [before(120), after(45)] },
] as const;

test.each(LEVELS)(
  'dying at a request: a verification ($level) is done when it is run again',
  async ({ level, sample }) => {
    const { life, next } = await twoDays();
    const more = level === 'restored' ? { cluster: 'scratch' } : {};
    const verifications = `.rankvault/catalog/${life.backup}/verifications/`;
    await crashEverywhere(
      journey,
      {
        machine: 'Verify',
        input: { level, backup: life.backup, ...more },
        reset: () => scratch.wipe(),
        check: async ({ output }) => {
          expect(output).toMatchObject({ outcome: 'verified', verification: { level, findings: {} } });
          // What died had nothing to say, unless it died with its last words.
          expect([1, 2]).toContain((await storedBelow(journey.laptop, verifications)).length);
          expect(
            (await journey.maintain(life, 'purge', { snapshot: next, immediately: true })).report.frees.parts,
          ).toBe(1);
        },
      },
      sample,
    );
  },
);
