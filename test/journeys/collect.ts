import { AbortMultipartUploadCommand, CreateMultipartUploadCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import type { ExecutionView } from '../../local/workflow/execution.ts';
import { before, runAndDie } from './support/crash.ts';
import { putObject } from './support/harm.ts';
import { journey } from './support/keeping-journey.ts';
import { beginLife, DAY_MILLIS, tryThenDo, twoDays } from './support/keeping-life.ts';
import { expectNothingLeftOver, storedBelow } from './support/vault-contents.ts';

describe('collect', () => {
  test('frees what a snapshot left that failed, after two days and not before', async () => {
    const life = await beginLife();
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
    journey.laptop.clock.jump(2 * DAY_MILLIS);
    expect(await tryThenDo(life, 'collect')).toMatchObject({ orphans: 1, frees: { parts: stored.length - 4 } });
    await life.oracle.expectAllThere();
    await expectNothingLeftOver(
      journey.laptop,
      life.backup,
      life.oracle.visible.map(({ snapshot }) => snapshot),
    );
  });

  test('frees what a snapshot left that was killed, once its lock can be taken over', async () => {
    const life = await beginLife();
    await life.day('full');
    await dieAfter('Copy a batch', () => journey.trySnapshot(life, 'full'));
    expect(await storedBelow(journey.laptop, `${life.backup}/`)).toHaveLength(8);
    expect(await tryThenDo(life, 'collect')).toMatchObject({ frees: { parts: 4 } });
    await life.oracle.expectAllThere();
    await expectNothingLeftOver(
      journey.laptop,
      life.backup,
      life.oracle.visible.map(({ snapshot }) => snapshot),
    );
  });

  test('aborts uploads that nobody goes on with, and nothing that has just begun', async () => {
    const { life, full } = await twoDays();
    const { s3Client, vaultBucket: Bucket } = journey.laptop;
    const upload = async (name: string) => {
      const Key = `${life.backup}/${full}/rank-1/tom-0/${name}`;
      const { UploadId } = await s3Client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      return { Bucket, Key, UploadId };
    };
    await upload('old');
    journey.laptop.clock.jump(2 * DAY_MILLIS);
    const young = await upload('young');
    expect(await tryThenDo(life, 'collect')).toMatchObject({ uploads: 1 });
    await s3Client.send(new AbortMultipartUploadCommand(young));
    expect(await tryThenDo(life, 'collect')).toMatchObject({ uploads: 0 });
  });

  test('frees what lies in a committed snapshot and no manifest names, and leaves alone what lies over a part', async () => {
    const life = await beginLife();
    const full = await life.day('full');
    const put = (path: string) => putObject(journey.laptop, `${life.backup}/${full}/${path}`, 'a ghost writes late');
    await put('rank-1/tom-0/unnamed');
    await put('rank-1/tom-0/a.seg');
    expect((await tryThenDo(life, 'collect')).frees.parts).toBe(0);
    journey.laptop.clock.jump(3 * DAY_MILLIS);
    expect(await tryThenDo(life, 'collect')).toMatchObject({
      frees: { parts: 1, bytes: 19 },
      next: expect.stringContaining('1 versions or delete markers stay that nothing names'),
    });
    expect(await storedBelow(journey.laptop, `${life.backup}/`)).toHaveLength(5);
    await life.oracle.expectAllThere();
  });

  test('takes away the hold of a reader that died, which until then keeps every byte', async () => {
    const { life, next } = await twoDays();
    const input = { backup: life.backup, snapshot: next, cluster: life.target.cluster };
    const options = { policy: 'replace', targetIsStopped: true };
    await runAndDie(journey, { machine: 'Restore', input: { ...input, options } }, before(60));
    // Dead for 17 minutes: nothing of it can still read.
    const { report } = await journey.maintain(life, 'purge', { snapshot: next, immediately: true });
    expect(report.frees.parts).toBe(1);
    life.oracle.hide(next, 0);
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
