import { PutObjectLegalHoldCommand, PutObjectRetentionCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Journey } from './support/journey.ts';
import { Life, segment } from './support/life.ts';
import { tryThenDo } from './support/reports.ts';
import { expectNothingLeftOver, namedBy, storedBelow } from './support/vault-contents.ts';

const DAY = 86_400_000;
/** Promised for five days, locked for eight. */
const LOCK = { mode: 'GOVERNANCE', retainDays: 5, chainDays: 3 } as const;

let journey: Journey;
beforeAll(async () => {
  journey = await Journey.start({ files: 1, s3: 8, vault: { objectLock: LOCK } });
});
afterEach(() => journey.calm());
afterAll(() => journey.close());

async function begin(): Promise<Life> {
  const life = new Life(journey, journey.takeS3(), journey.filePlace('files1'));
  await life.begin();
  return life;
}

function daysFrom(epochMillis: number, days: number): number {
  return epochMillis + days * DAY;
}

test('a locked snapshot is hidden at once, and is deleted by the first run after the date that was told', async () => {
  const life = await begin();
  const full = await life.day('full');
  const takenAt = journey.laptop.clock.nowEpochMillis();
  journey.laptop.clock.jump(DAY);
  await life.day('full', ['a']);
  const report = await tryThenDo(journey, life, 'purge', { snapshot: full, immediately: true });
  expect(report).toMatchObject({ hiddenCount: 1, frees: { parts: 0 }, locked: { parts: 4 } });
  const until = Date.parse(report.locked.until ?? '');
  expect(Math.abs(until - daysFrom(takenAt, 8))).toBeLessThan(DAY / 12);
  life.oracle.hide(full, 0);
  await life.oracle.expectKept();
  journey.laptop.clock.jump(6 * DAY);
  expect(await tryThenDo(journey, life, 'collect')).toMatchObject({ frees: { parts: 0 }, locked: { parts: 4 } });
  journey.laptop.clock.jump(until - journey.laptop.clock.nowEpochMillis());
  expect(await tryThenDo(journey, life, 'collect')).toMatchObject({ frees: { parts: 4 }, locked: { parts: 0 } });
  await life.oracle.expectAllThere();
  await expectNothingLeftOver(
    journey.laptop,
    life.backup,
    life.oracle.visible.map(({ snapshot }) => snapshot),
  );
});

test('an incremental builds on a full as long as its lock lasts, and then a full is taken that says why', async () => {
  const life = await begin();
  const full = await life.day('full');
  journey.laptop.clock.jump(2 * DAY);
  expect(await life.oracle.snapshot('incremental')).toMatchObject({ type: 'incremental', base: full });
  journey.laptop.clock.jump(2 * DAY);
  expect(await life.oracle.snapshot('incremental')).toMatchObject({
    type: 'full',
    reason: expect.stringMatching(/the lock of .* ends before/),
  });
  expect(await journey.verify(life, 'present')).toMatchObject({ findings: {} });
  expect(await journey.verify(life, 'read')).toMatchObject({ findings: {} });
});

test('a merge leaves its sources to their locks, and is locked itself', async () => {
  const life = await begin();
  await life.day('full');
  const next = await life.day('incremental', ['a']);
  const sources = await life.oracle.chainOf(next);
  const report = await tryThenDo(journey, life, 'merge', { snapshot: next });
  life.oracle.merge(report.merged?.snapshot ?? '', sources, 7);
  await life.oracle.expectKept();
  journey.laptop.clock.jump(7.5 * DAY);
  // The window is over and the locks are not.
  expect(await tryThenDo(journey, life, 'collect')).toMatchObject({ frees: { parts: 0 }, locked: { parts: 5 } });
  journey.laptop.clock.jump(DAY);
  expect(await tryThenDo(journey, life, 'collect')).toMatchObject({ frees: { parts: 5 }, locked: { parts: 0 } });
  await life.oracle.expectAllThere();
});

test('what somebody holds by law stays, is told without a date, and goes when the hold is taken off', async () => {
  const life = await begin();
  const full = await life.day('full');
  await life.day('full');
  const Bucket = journey.laptop.vaultBucket;
  const [held] = await storedBelow(journey.laptop, `${life.backup}/${full}/${segment('a')}`);
  const hold = (Status: 'ON' | 'OFF') =>
    journey.laptop.s3Client.send(
      new PutObjectLegalHoldCommand({ Bucket, Key: held?.key, VersionId: held?.versionId, LegalHold: { Status } }),
    );
  await hold('ON');
  journey.laptop.clock.jump(9 * DAY);
  const { report } = await journey.maintain(life, 'purge', { snapshot: full, immediately: true });
  expect(report).toMatchObject({
    frees: { parts: 3 },
    locked: { parts: 1 },
    next: expect.stringContaining('legal hold'),
  });
  expect(report.locked.until).toBeUndefined();
  life.oracle.hide(full, 0);
  await hold('OFF');
  expect((await journey.maintain(life, 'collect')).report).toMatchObject({ frees: { parts: 1 }, locked: { parts: 0 } });
  await life.oracle.expectAllThere();
  await expectNothingLeftOver(journey.laptop, life.backup, [life.oracle.newest().snapshot]);
});

test('a lock that was made shorter is found when the bytes are read, and what it protects less is not built upon', async () => {
  const life = await begin();
  const full = await life.day('full');
  const [part] = (await namedBy(journey.laptop, life.backup, full)).filter(({ path }) => path.endsWith('b.seg'));
  const { vaultBucket: Bucket, s3Client, clock } = journey.laptop;
  await s3Client.send(
    new PutObjectRetentionCommand({
      Bucket,
      Key: part?.key,
      VersionId: part?.versionId,
      BypassGovernanceRetention: true,
      Retention: { Mode: 'GOVERNANCE', RetainUntilDate: new Date(clock.nowEpochMillis() + DAY) },
    }),
  );
  expect(await journey.verify(life, 'present')).toMatchObject({ findings: {} });
  const view = await journey.tryVerify(life, 'read');
  expect({ error: view.error, cause: view.cause }).toEqual({
    error: 'ProtectionWeakened',
    cause: expect.stringContaining('1 LockEndsEarly'),
  });
  expect(await life.oracle.snapshot('incremental')).toMatchObject({
    type: 'full',
    reason: expect.stringContaining('LockEndsEarly'),
  });
});
