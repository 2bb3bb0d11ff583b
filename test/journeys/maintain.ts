import { AbortMultipartUploadCommand, CreateMultipartUploadCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import type { ExecutionView } from '../../local/workflow/execution.ts';
import { before, runAndDie } from './support/crash.ts';
import { functionNamed, journey, restoredTo } from './support/keeping-journey.ts';
import { Life } from './support/life.ts';
import { expectFailure, type MaintenanceReport } from './support/outcomes.ts';
import { expectNothingLeftOver, expectNothingLost, namedBy, storedBelow, wholeVaultOf } from './support/vault-contents.ts';

const DAY = 86_400_000;

async function begin(source = journey.takeS3()): Promise<Life> {
  const life = new Life(journey, source, restoredTo);
  await life.begin();
  return life;
}

/** What a report says will be, or was, done; not how much it cost to say so. */
function deeds({ cost: _, next: __, ...report }: MaintenanceReport) {
  return {
    ...report,
    hidden: report.hidden.map(({ snapshot, backup }) => ({ snapshot, backup })),
    later: report.later === undefined ? undefined : { parts: report.later.parts, bytes: report.later.bytes },
    merged: report.merged === undefined ? undefined : { parts: report.merged.parts, bytes: report.merged.bytes },
  };
}

/** First as a dry run, which must change nothing and must tell exactly what the real run then does. */
async function tryThenDo(life: Life, action: string, more: Record<string, string | boolean> = {}) {
  const untouched = await wholeVaultOf(journey.laptop, life.backup);
  const plan = await journey.maintain(life, action, { ...more, dryRun: true });
  expect(await wholeVaultOf(journey.laptop, life.backup)).toEqual(untouched);
  const done = await journey.maintain(life, action, more);
  expect([plan.outcome, done.outcome]).toEqual(['planned', 'done']);
  expect(deeds(done.report)).toEqual(deeds(plan.report));
  return done.report;
}

async function keysBelow(life: Life, snapshot: string): Promise<string[]> {
  const prefix = `${life.backup}/${snapshot}/`;
  return (await storedBelow(journey.laptop, prefix)).map(({ key }) => key.slice(prefix.length));
}

describe('purge', () => {
  test('frees what nobody else names at once, keeps the rest as residue, and frees that when the last one that names it goes', async () => {
    const life = await begin();
    const full = await life.day('full');
    const first = await life.day('incremental', ['a']);
    const second = await life.day('incremental', ['b']);
    const report = await tryThenDo(life, 'purge', { snapshot: full, immediately: true });
    life.oracle.hide(full, 0);
    // Its 'a' is nobody else's.
    expect(report).toMatchObject({ hiddenCount: 1, frees: { parts: 1 }, residue: { parts: 3 } });
    expect(report.residue.for).toContain(first);
    expect(await keysBelow(life, full)).toEqual(['rank-0/catalog.mdb', 'rank-1/tom-0/b.seg', 'rank-1/tom-0/c.seg']);
    await life.oracle.expectAllThere();
    expect(await tryThenDo(life, 'purge', { snapshot: first, immediately: true })).toMatchObject({
      // What the full stored of 'b' was named by the first incremental alone; what that stored itself is named by the second.
      frees: { parts: 1 },
      residue: { parts: 3, for: [second] },
    });
    life.oracle.hide(first, 0);
    await life.oracle.expectAllThere();
    expect(await tryThenDo(life, 'purge', { snapshot: second, immediately: true })).toMatchObject({
      frees: { parts: 4 },
      residue: { parts: 0, for: [] },
      next: expect.stringContaining('No good snapshot'),
    });
    life.oracle.hide(second, 0);
    await life.oracle.expectAllThere();
    await expectNothingLeftOver(journey.laptop, life.backup, []);
  });

  test('without "immediately" every byte stays for as long as the snapshot may be undeleted, and goes with the next run after that', async () => {
    const life = await begin();
    const full = await life.day('full');
    await life.day('full');
    const report = await tryThenDo(life, 'purge', { snapshot: full });
    expect(report).toMatchObject({ hiddenCount: 1, frees: { parts: 0 }, later: { parts: 4 } });
    life.oracle.hide(full, 7);
    expect(await keysBelow(life, full)).toHaveLength(4);
    await life.oracle.expectAllThere();
    journey.laptop.clock.jump(6 * DAY);
    expect((await journey.maintain(life, 'collect')).report.frees.parts).toBe(0);
    journey.laptop.clock.jump(DAY);
    expect(await tryThenDo(life, 'collect')).toMatchObject({ frees: { parts: 4 } });
    await life.oracle.expectAllThere();
    await expectNothingLeftOver(journey.laptop, life.backup, life.oracle.visible.map(({ snapshot }) => snapshot));
  });

  test('of what is gone already says so and changes nothing', async () => {
    const life = await begin();
    const full = await life.day('full');
    await journey.maintain(life, 'purge', { snapshot: full, immediately: true });
    const { report } = await journey.maintain(life, 'purge', { snapshot: full, immediately: true });
    expect(report).toMatchObject({ hiddenCount: 0, frees: { parts: 0 }, next: expect.stringContaining(full) });
  });

  test('is refused by name', async () => {
    const life = await begin();
    const full = await life.day('full');
    const untouched = await wholeVaultOf(journey.laptop, life.backup);
    expectFailure(await journey.tryMaintain(life, 'purge', { snapshot: 'snapshot.2001-01-01.00-00-00' }), {
      error: 'SnapshotNotFound',
      problem: /has no snapshot "snapshot\.2001-01-01/,
      hint: /Its newest are snapshot\./,
    });
    // Which one "latest" is may have changed by the time it runs.
    for (const wrong of [{ snapshot: 'latest' }, {}, { snapshot: full, dryrun: true }]) {
      expectFailure(await journey.tryMaintain(life, 'purge', wrong), {
        error: 'InputInvalid',
        problem: /The input of Maintain is not valid/,
        hint: /Start it again with an input like/,
      });
    }
    expectFailure(await journey.tryMaintain({ backup: 'nobody' }, 'purge', { snapshot: full }), {
      error: 'BackupNotFound',
      problem: /The vault has no backup "nobody"/,
      hint: /It has /,
    });
    expect(await wholeVaultOf(journey.laptop, life.backup)).toEqual(untouched);
  });
});

describe('pin, unpin, freeze and thaw', () => {
  test('a pinned snapshot is neither purged nor dropped, and goes when it is unpinned', async () => {
    const life = await begin();
    const full = await life.day('full');
    await tryThenDo(life, 'pin', { snapshot: full, reason: 'Before the migration' });
    for (const [action, more] of [
      ['purge', { snapshot: full, immediately: true }],
      ['drop', { immediately: true }],
    ] as const) {
      expectFailure(await journey.tryMaintain(life, action, more), {
        error: 'SnapshotPinned',
        problem: /Pinned: .*Before the migration/,
        hint: /"action":"unpin"/,
      });
    }
    await life.oracle.expectAllThere();
    await tryThenDo(life, 'unpin', { snapshot: full });
    await tryThenDo(life, 'purge', { snapshot: full, immediately: true });
    life.oracle.hide(full, 0);
    await life.oracle.expectAllThere();
  });

  test('of a frozen backup nothing is hidden and nothing is deleted, also what was due, until it is thawed', async () => {
    const life = await begin();
    const [full, other] = [await life.day('full'), await life.day('full')];
    await journey.maintain(life, 'purge', { snapshot: full });
    life.oracle.hide(full, 7);
    await tryThenDo(life, 'freeze', { reason: 'An audit' });
    journey.laptop.clock.jump(8 * DAY);
    const untouched = await storedBelow(journey.laptop, `${life.backup}/`);
    for (const [action, more] of [
      ['purge', { snapshot: other, immediately: true }],
      ['drop', {}],
      ['merge', {}],
    ] as const) {
      expectFailure(await journey.tryMaintain(life, action, more), {
        error: 'BackupFrozen',
        problem: /is frozen since .*An audit/,
        hint: /"action":"thaw"/,
      });
    }
    for (const action of ['expire', 'collect']) {
      const { report } = await journey.maintain(life, action);
      expect(report).toMatchObject({ hiddenCount: 0, frees: { parts: 0 }, next: expect.stringContaining('is frozen') });
    }
    expect(await storedBelow(journey.laptop, `${life.backup}/`)).toEqual(untouched);
    await tryThenDo(life, 'thaw');
    expect(await tryThenDo(life, 'collect')).toMatchObject({ frees: { parts: 4 } });
    await life.oracle.expectAllThere();
  });
});

describe('undelete', () => {
  test('brings back what was purged, while every byte of it is there', async () => {
    const life = await begin();
    const full = await life.day('full');
    const next = await life.day('incremental', ['a']);
    await journey.maintain(life, 'purge', { snapshot: full });
    life.oracle.hide(full, 7);
    await life.oracle.expectAllThere();
    journey.laptop.clock.jump(6 * DAY);
    await tryThenDo(life, 'undelete', { snapshot: full });
    life.oracle.undelete(full);
    await life.oracle.expectAllThere();
    // It counts again: what builds on it may go, and it stays.
    await journey.maintain(life, 'purge', { snapshot: next, immediately: true });
    life.oracle.hide(next, 0);
    await life.oracle.expectAllThere();
  });

  test('without a name brings back a whole backup that was dropped', async () => {
    const life = await begin();
    await life.day('full');
    await life.day('differential', ['a', 'b']);
    const dropped = life.oracle.visible.map(({ snapshot }) => snapshot);
    expect(await tryThenDo(life, 'drop')).toMatchObject({ hiddenCount: 2, frees: { parts: 0 }, later: { parts: 6 } });
    for (const snapshot of dropped) {
      life.oracle.hide(snapshot, 7);
    }
    await life.oracle.expectAllThere();
    await tryThenDo(life, 'undelete');
    for (const snapshot of dropped) {
      life.oracle.undelete(snapshot);
    }
    await life.oracle.expectAllThere();
  });

  test('comes too late when the window is over, whether or not the bytes have gone', async () => {
    const life = await begin();
    const [full] = [await life.day('full'), await life.day('full')];
    await journey.maintain(life, 'purge', { snapshot: full });
    life.oracle.hide(full, 7);
    journey.laptop.clock.jump(7 * DAY);
    const late = { error: 'UndeleteTooLate', problem: /cannot be undeleted/, hint: /Restore another snapshot/ };
    expectFailure(await journey.tryMaintain(life, 'undelete', { snapshot: full }), late);
    await journey.maintain(life, 'collect');
    expectFailure(await journey.tryMaintain(life, 'undelete', { snapshot: full }), late);
    const { report } = await journey.maintain(life, 'undelete');
    expect(report.next).toContain('Nothing of backup');
    await life.oracle.expectAllThere();
  });
});

describe('merge', () => {
  test('makes one full of a chain, which every later snapshot builds on, and nobody misses the chain', async () => {
    const life = await begin();
    const other = await life.day('full');
    const chain = [await life.day('full', ['a']), await life.day('incremental', ['b']), await life.day('differential', ['c'])];
    const newest = await life.day('incremental', ['a']);
    const report = await tryThenDo(life, 'merge', { snapshot: newest });
    const merged = report.merged?.snapshot ?? '';
    // The differential builds on the full: the incremental between them is no part of the chain.
    const sources = life.oracle.chainOf(newest);
    expect(sources.map(({ snapshot }) => snapshot)).toEqual([chain[0], chain[2], newest]);
    expect(report).toMatchObject({ hiddenCount: 3, merged: { parts: 4 }, frees: { parts: 0 } });
    life.oracle.merge(merged, sources, 7);
    await life.oracle.expectAllThere();
    const named = await namedBy(journey.laptop, life.backup, merged);
    expect(new Set(named.map(({ directory }) => directory))).toEqual(new Set([merged]));
    const next = await life.oracle.snapshot('incremental');
    expect(next).toMatchObject({ type: 'incremental', base: merged, totals: { storedParts: 0 } });
    journey.laptop.clock.jump(8 * DAY);
    await tryThenDo(life, 'collect');
    await life.oracle.expectAllThere();
    const kept = life.oracle.visible.map(({ snapshot }) => snapshot);
    expect(kept).toEqual([other, chain[1], merged, next.snapshot]);
    await expectNothingLeftOver(journey.laptop, life.backup, kept);
  });

  test('leaves to a snapshot that was committed meanwhile what it needs', async () => {
    const life = await begin();
    const full = await life.day('full');
    const first = await life.day('incremental', ['a']);
    const copying = journey.laptop.s3.faults.hold({
      where: { operation: 'CopyObject', bucket: journey.laptop.vaultBucket, caller: functionNamed('MergeParts') },
    });
    const merging = journey.tryMaintain(life, 'merge', { snapshot: first });
    await copying.reached;
    const files = await life.source.files();
    const meanwhile = await journey.snapshotBeside(life, 'incremental');
    life.oracle.took(meanwhile, files);
    expect(meanwhile.base).toBe(first);
    copying.release();
    expect((await merging).status).toBe('SUCCEEDED');
    const [merged] = (await namesOfSnapshots(life)).filter((name) => ![full, first, meanwhile.snapshot].includes(name));
    life.oracle.merge(merged ?? '', life.oracle.chainOf(first), 7);
    journey.laptop.clock.jump(8 * DAY);
    const { report } = await journey.maintain(life, 'collect');
    expect(report.residue).toMatchObject({ parts: 4, for: [meanwhile.snapshot] });
    await life.oracle.expectAllThere();
  });

  test('hides no pinned source, and takes no full by itself', async () => {
    const life = await begin();
    const full = await life.day('full');
    const next = await life.day('incremental', ['a']);
    expectFailure(await journey.tryMaintain(life, 'merge', { snapshot: full }), {
      error: 'InputInvalid',
      problem: /is a full: there is nothing to merge/,
      hint: /Name an incremental or a differential/,
    });
    await journey.maintain(life, 'pin', { snapshot: full });
    life.oracle.pinned.add(full);
    const report = await tryThenDo(life, 'merge');
    expect(report.hidden.map(({ snapshot }) => snapshot)).toEqual([next]);
    life.oracle.merge(report.merged?.snapshot ?? '', life.oracle.chainOf(next), 7);
    await life.oracle.expectAllThere();
    await journey.maintain(life, 'unpin', { snapshot: full });
  });
});

describe('drop', () => {
  test('takes a backup away, to the last byte', async () => {
    const life = await begin();
    for (const type of ['full', 'incremental', 'full'] as const) {
      await life.day(type, ['a']);
    }
    expect(await tryThenDo(life, 'drop', { immediately: true })).toMatchObject({ hiddenCount: 3, residue: { parts: 0 } });
    for (const { snapshot } of life.oracle.visible) {
      life.oracle.hide(snapshot, 0);
    }
    await life.oracle.expectAllThere();
    await expectNothingLeftOver(journey.laptop, life.backup, []);
    expect(await life.oracle.snapshot('incremental')).toMatchObject({ type: 'full' });
  });

  test('by a pattern, or all, takes only who says so twice', async () => {
    const world = journey.laptop.s3.checkpoint();
    const lives = [await begin(journey.s3Place('brief1')), await begin(journey.s3Place('brief2'))];
    const other = await begin();
    for (const life of [...lives, other]) {
      await life.day('full');
    }
    for (const backup of ['brief*', '*']) {
      expectFailure(await journey.tryMaintain({ backup }, 'drop', { immediately: true }), {
        error: 'InputInvalid',
        problem: /is a pattern; to drop every backup that it fits, say 'deleteAllBackups': true/,
        hint: /Start it again with an input like/,
      });
    }
    for (const backup of ['', '**', 'a*b', '?']) {
      expectFailure(await journey.tryMaintain({ backup }, 'drop', { deleteAllBackups: true }), {
        error: 'InputInvalid',
        problem: /backup/,
        hint: /Start it again with an input like/,
      });
    }
    const { report } = await journey.maintain({ backup: 'brief*' }, 'drop', { deleteAllBackups: true, immediately: true });
    expect(report.hidden.map(({ backup }) => backup)).toEqual(lives.map(({ backup }) => backup));
    for (const life of lives) {
      await expectNothingLeftOver(journey.laptop, life.backup, []);
    }
    await other.oracle.expectAllThere();
    const all = await journey.maintain({ backup: '*' }, 'drop', { deleteAllBackups: true, immediately: true });
    expect(all.report.hidden).toContainEqual(expect.objectContaining({ backup: other.backup }));
    expect((await storedBelow(journey.laptop, '')).filter(({ key }) => !key.startsWith('.rankvault/'))).toEqual([]);
    world.restore();
    world.release();
  });
});

describe('expire', () => {
  test('starts by itself after each snapshot, keeps what retention has a reason for, and says so', async () => {
    const life = await begin(journey.s3Place('brief3'));
    const old = [await life.day('full'), await life.day('incremental', ['a'])];
    journey.laptop.clock.jump(2 * DAY);
    const full = await life.day('full', ['b']);
    // The day before began with the incremental, and that builds on the full.
    await life.oracle.expectAllThere();
    journey.laptop.clock.jump(2 * DAY);
    const newest = await life.day('full', ['c']);
    for (const snapshot of old) {
      life.oracle.hide(snapshot, 0);
    }
    await life.oracle.expectAllThere();
    await expectNothingLeftOver(journey.laptop, life.backup, [full, newest]);
    const { report } = await journey.maintain(life, 'expire', { dryRun: true });
    expect(report.kept).toEqual([
      { snapshot: full, reasons: [expect.stringContaining('began with')] },
      { snapshot: newest, reasons: expect.arrayContaining(['the newest good snapshot']) },
    ]);
    const started = journey.laptop.runtime.list({ stateMachineArn: journey.laptop.machineArn('Maintain') });
    expect(started.map(({ input }) => input)).toContainEqual(
      expect.objectContaining({ action: 'expire', backup: life.backup, after: newest }),
    );
  });

  test('counts no merged full as a real one, and takes nobody who was taken out of the configuration', async () => {
    const life = await begin(journey.s3Place('brief4'));
    const full = await life.day('full');
    const { report } = await journey.maintain(life, 'merge', { snapshot: await life.day('incremental', ['a']) });
    const merged = report.merged?.snapshot ?? '';
    life.oracle.merge(merged, life.oracle.visible, 0);
    await life.oracle.expectAllThere();
    await expectNothingLeftOver(journey.laptop, life.backup, [merged]);
    expect(await life.oracle.snapshot('full')).not.toMatchObject({ snapshot: full });
    journey.laptop.clock.jump(3 * DAY);
    const plan = await journey.maintain(life, 'expire', { dryRun: true });
    expect(plan.report.kept?.map(({ snapshot }) => snapshot)).toEqual([life.oracle.newest().snapshot]);
    expectFailure(await journey.tryMaintain({ backup: 'nobody' }, 'expire'), {
      error: 'BackupNotFound',
      problem: /The configuration has no backup 'nobody'/,
      hint: /can be purged or dropped/,
    });
  });
});

describe('collect', () => {
  test('frees what a snapshot left that failed, after two days and not before', async () => {
    const life = await begin();
    await life.day('full');
    const denied = journey.laptop.s3.faults.inject({
      fault: 'accessDenied',
      where: { operation: 'CopyObject', bucket: journey.laptop.vaultBucket, key: /c\.seg$/ },
    });
    expect((await journey.trySnapshot(life, 'full')).status).toBe('FAILED');
    denied.remove();
    const stored = await storedBelow(journey.laptop, `${life.backup}/`);
    expect(stored.length).toBeGreaterThan(4);
    expect(await tryThenDo(life, 'collect')).toMatchObject({ orphans: 0, frees: { parts: 0 } });
    journey.laptop.clock.jump(2 * DAY);
    expect(await tryThenDo(life, 'collect')).toMatchObject({ orphans: 1, frees: { parts: stored.length - 4 } });
    await life.oracle.expectAllThere();
    await expectNothingLeftOver(journey.laptop, life.backup, life.oracle.visible.map(({ snapshot }) => snapshot));
  });

  test('frees what a snapshot left that was killed, once its lock can be taken over', async () => {
    const life = await begin();
    await life.day('full');
    await dieAfter('Copy a batch', () => journey.trySnapshot(life, 'full'));
    expect(await storedBelow(journey.laptop, `${life.backup}/`)).toHaveLength(8);
    expect((await journey.maintain(life, 'collect')).report.frees.parts).toBe(4);
    await life.oracle.expectAllThere();
    await expectNothingLeftOver(journey.laptop, life.backup, life.oracle.visible.map(({ snapshot }) => snapshot));
  });

  test('aborts uploads that nobody goes on with, and nothing that has just begun', async () => {
    const life = await begin();
    const full = await life.day('full');
    const { s3Client, vaultBucket: Bucket } = journey.laptop;
    const upload = async (name: string) => {
      const Key = `${life.backup}/${full}/rank-1/tom-0/${name}`;
      const { UploadId } = await s3Client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      return { Bucket, Key, UploadId };
    };
    await upload('old');
    journey.laptop.clock.jump(2 * DAY);
    const young = await upload('young');
    expect(await tryThenDo(life, 'collect')).toMatchObject({ uploads: 1 });
    await s3Client.send(new AbortMultipartUploadCommand(young));
    expect(await tryThenDo(life, 'collect')).toMatchObject({ uploads: 0 });
  });

  test('frees what lies in a committed snapshot and no manifest names', async () => {
    const life = await begin();
    const full = await life.day('full');
    const { s3Client, vaultBucket: Bucket } = journey.laptop;
    const Key = `${life.backup}/${full}/rank-1/tom-0/a.seg`;
    await s3Client.send(new PutObjectCommand({ Bucket, Key, Body: 'a ghost writes late' }));
    expect((await tryThenDo(life, 'collect')).frees.parts).toBe(0);
    journey.laptop.clock.jump(3 * DAY);
    expect(await tryThenDo(life, 'collect')).toMatchObject({ frees: { parts: 1, bytes: 19 } });
    await life.oracle.expectAllThere();
    await expectNothingLost(journey.laptop, life.backup, [full]);
    await expectNothingLeftOver(journey.laptop, life.backup, [full]);
  });

  test('takes away the hold of a reader that died, which until then keeps every byte', async () => {
    const life = await begin();
    const [full] = [await life.day('full'), await life.day('full')];
    const input = { backup: life.backup, snapshot: full, cluster: life.target.cluster };
    const options = { policy: 'replace', targetIsStopped: true };
    await runAndDie(journey, { machine: 'Restore', input: { ...input, options } }, before(60));
    // Dead for 17 minutes: nothing of it can still read.
    const { report } = await journey.maintain(life, 'purge', { snapshot: full, immediately: true });
    expect(report.frees.parts).toBe(4);
    life.oracle.hide(full, 0);
    expect(await tryThenDo(life, 'collect')).toMatchObject({ staleHolds: 1 });
    expect(await tryThenDo(life, 'collect')).toMatchObject({ staleHolds: 0 });
    await life.oracle.expectAllThere();
  });
});

/** An execution that is stopped when one of its invocations has returned; time passes until its locks are free. */
async function dieAfter(state: string, start: () => Promise<ExecutionView>): Promise<void> {
  const { runtime, clock } = journey.laptop;
  journey.hooks.aroundInvoke = async (call, proceed) => {
    const result = await proceed();
    for (const { executionArn } of call.state === state ? runtime.list({ status: 'RUNNING' }) : []) {
      runtime.stop(executionArn);
    }
    return result;
  };
  expect((await start()).status).toBe('ABORTED');
  journey.hooks.aroundInvoke = undefined;
  clock.jump(17 * 60_000);
}

async function namesOfSnapshots(life: Life): Promise<string[]> {
  const prefix = `.rankvault/catalog/${life.backup}/snapshots/`;
  return (await storedBelow(journey.laptop, prefix)).map(({ key }) => key.slice(prefix.length, -'.json'.length));
}
