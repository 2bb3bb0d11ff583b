import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import type { LocalKinetica } from '../../local/kinetica/local-kinetica.ts';
import { checkAccountCluster, createAccountCluster, sumOfBalances } from '../../local/samples/account-cluster.ts';
import { Bank } from '../../local/samples/bank.ts';
import { expectFailure, planned } from './support/outcomes.ts';
import type { FilePlace } from './support/places.ts';
import { journey, standIns } from './support/shared-journey.ts';
import { expectSameTree } from './support/trees.ts';

const ACCOUNTS = { workers: 2, tomsPerRank: 1, accountsPerTom: 50 };

describe('a cluster with a control endpoint', () => {
  let next = 0;
  let kinetica: LocalKinetica;
  let place: FilePlace;

  beforeEach(() => {
    const taken = standIns[next];
    if (taken === undefined) {
      throw new Error('More tests than clusters: raise their number.');
    }
    kinetica = taken;
    place = journey.filePlace(`held${next}`);
    next += 1;
    createAccountCluster({ directory: place.directory, ...ACCOUNTS });
  });
  const intentSchema = z.looseObject({
    releasedAt: z.optional(z.string()),
    releaseReason: z.optional(z.string()),
    beginSentAt: z.optional(z.string()),
    broken: z.optional(z.string()),
  });

  async function intentRecord(): Promise<z.infer<typeof intentSchema>> {
    const object = await journey.laptop.s3Client.send(
      new GetObjectCommand({ Bucket: journey.laptop.workBucket, Key: `quiesce/${place.cluster}.json` }),
    );
    return intentSchema.parse(JSON.parse((await object.Body?.transformToString()) ?? ''));
  }

  /** The release of an aborted run goes on after the run has failed. */
  async function releasesEnded(): Promise<void> {
    const { runtime } = journey.laptop;
    const releases = runtime.list({ stateMachineArn: journey.laptop.machineArn('Release') });
    await Promise.all(releases.map(({ executionArn }) => runtime.result(executionArn)));
  }

  function releaseSchedules(): string[] {
    return journey.laptop.scheduler.list().flatMap(({ spec }) => (spec.Name.startsWith('release-') ? [spec.Name] : []));
  }

  async function expectReleased(reason: string): Promise<void> {
    await releasesEnded();
    expect(kinetica.mode).toBe('normal');
    expect(releaseSchedules()).toEqual([]);
    expect(await intentRecord()).toMatchObject({ releasedAt: expect.any(String), releaseReason: reason });
  }

  /** Acts once, just before this state's function is called for the first time. */
  function onceBefore(state: string, act: () => Promise<void> | void): void {
    let acted = false;
    journey.hooks.aroundInvoke = async (call, proceed) => {
      if (call.state === state && !acted) {
        acted = true;
        await act();
      }
      return proceed();
    };
  }

  /** Refuses all requests of one kind for good, as a missing permission would. */
  function refuseCopies(): void {
    journey.laptop.s3.faults.inject({
      fault: 'accessDenied',
      where: {
        operation: ['PutObject', 'CopyObject'],
        bucket: journey.laptop.vaultBucket,
        key: (key) => !key.startsWith('.rankvault'),
      },
    });
  }

  describe('with writers at work', () => {
    /** Writers that honor backup mode work from before the snapshot until after it. */
    async function whileBankRuns<T>(seed: string, work: () => Promise<T>): Promise<{ result: T; transfers: number }> {
      const bank = new Bank({ directory: place.directory, seed });
      const until = new AbortController();
      const running = bank.run({ until: until.signal, gate: (mutation) => kinetica.write(mutation) });
      try {
        const result = await work();
        until.abort();
        return { result, transfers: await running };
      } finally {
        until.abort();
        await running;
        bank.close();
      }
    }

    test('a quiesced snapshot is one moment: no money is made or lost, and every database is sound', async () => {
      const opening = sumOfBalances(place.directory);
      await place.tree.write('rank-1/tom-0/quiet.seg', [Buffer.from('never changes')]);
      await place.tree.write('rank-2/tom-0/busy.seg', [Buffer.from('before the hold')]);
      // After it was copied ahead, so that the final pass has to copy it once more, to another key.
      onceBefore('Arm the release', () => place.tree.write('rank-2/tom-0/busy.seg', [Buffer.from('rewritten')]));
      const { result, transfers } = await whileBankRuns('first', async () => [
        await journey.snapshot(place, 'full'),
        await journey.snapshot(place, 'incremental'),
      ]);
      expect(transfers).toBeGreaterThan(50);
      expect(result.map(({ type }) => type)).toEqual(['full', 'incremental']);
      expect(
        journey.events.filter(({ type, state }) => type === 'entered' && state === 'Copy the parts ahead'),
      ).toHaveLength(1);
      await expectReleased('end');
      const target = journey.takeFiles();
      for (const { snapshot } of result) {
        await journey.restore(place, target, { snapshot, policy: 'replace' });
        expect(checkAccountCluster(target.directory)).toEqual([]);
        expect(sumOfBalances(target.directory)).toBe(opening);
        expect(readFileSync(join(target.directory, 'rank-2/tom-0/busy.seg'), 'utf8')).toBe('rewritten');
      }
    });
  });

  test('a snapshot that fails in the hold releases the cluster and says what failed', async () => {
    const failing = new Promise<void>((resolve) => {
      void kinetica.writeGateClosed().then(() => {
        refuseCopies();
        resolve();
      });
    });
    const view = await journey.trySnapshot(place, 'full');
    await failing;
    expectFailure(view, { error: 'S3AccessDenied', problem: /journey-vault/, hint: /Allow the action in the role/ });
    journey.laptop.s3.faults.clear();
    await expectReleased('abort');
    // Everything was given back: the next one works.
    await journey.snapshot(place, 'full');
    await expectReleased('end');
  });

  test('a writer that ignores backup mode is noticed, and nothing is committed', async () => {
    onceBefore('Fence a rank', () => place.tree.write('rank-1/tom-0/late.seg', [Buffer.from('written past the gate')]));
    expectFailure(await journey.trySnapshot(place, 'full'), {
      error: 'QuiesceLost',
      problem: /Rank 1 changed while it was copied: tom-0\/late\.seg is new/,
      hint: /Find out who released the cluster or writes past its backup mode/,
    });
    await expectReleased('abort');
    expectFailure(await journey.tryRestore(place, journey.takeFiles()), {
      error: 'SnapshotNotFound',
      problem: /has no snapshot "latest"/,
      hint: /It has no snapshots at all/,
    });
  });

  test('a cluster that restarts during the hold breaks it, and nothing is committed', async () => {
    onceBefore('Fence a rank', () => kinetica.restart());
    expectFailure(await journey.trySnapshot(place, 'full'), {
      error: 'QuiesceLost',
      problem: /The hold on cluster .* did not last until the fence/,
      hint: /Find out who released the cluster/,
    });
    await releasesEnded();
    expect(kinetica.mode).toBe('normal');
    expect(await intentRecord()).toMatchObject({ broken: expect.any(String) });
    expect(releaseSchedules()).toEqual([]);
  });

  test('a begin whose reply is lost is not sent again, and its hold is used and ended', async () => {
    kinetica.faults.loseNextBeginReply();
    await journey.snapshot(place, 'full');
    expect(kinetica.requests.count('/admin/backup/begin')).toBe(1);
    await expectReleased('end');
  });

  test('a begin that is refused is told, and nothing is left to release', async () => {
    kinetica.switches.hostManagerShowsBackupMode = false;
    kinetica.switches.nesting = 'refused';
    await post('/admin/backup/begin');
    const view = await journey.trySnapshot(place, 'full');
    expectFailure(view, {
      error: 'ControlRefused',
      problem: /begin/,
      hint: /See whether somebody else holds the cluster/,
    });
    await releasesEnded();
    expect(kinetica.mode).toBe('backing_up');
    expect(kinetica.requests.count('/admin/backup/end')).toBe(0);
    expect(releaseSchedules()).toEqual([]);
  });

  test('a cluster that somebody else holds is left alone: nobody sends end', async () => {
    await post('/admin/backup/begin');
    expectFailure(await journey.trySnapshot(place, 'full'), {
      error: 'BackupModeHeldElsewhere',
      problem: /is in backup mode already/,
      hint: /Rankvault does not release what it did not begin/,
    });
    await releasesEnded();
    expect(kinetica.mode).toBe('backing_up');
    expect(kinetica.requests.count('/admin/backup/end')).toBe(0);
    expect(releaseSchedules()).toEqual([]);
    await post('/admin/backup/end');
    await journey.snapshot(place, 'full');
  });

  test('a snapshot that dies in the hold is released by its schedule after the deadline', async () => {
    const { runtime, clock } = journey.laptop;
    const machine = journey.laptop.machineArn('Snapshot');
    const stopped = new Promise<void>((resolve) => {
      void kinetica.writeGateClosed().then(() => {
        for (const { executionArn } of runtime.list({ stateMachineArn: machine, status: 'RUNNING' })) {
          runtime.stop(executionArn);
        }
        resolve();
      });
    });
    const view = await journey.trySnapshot(place, 'full');
    await stopped;
    expect(view.status).toBe('ABORTED');
    expect(kinetica.mode).toBe('backing_up');
    expect(releaseSchedules()).toHaveLength(1);
    await clock.advance(31 * 60_000);
    await expectReleased('deadline');
    clock.jump(16 * 60_000);
    await journey.snapshot(place, 'full');
  });

  describe('restoring under a server', () => {
    test('a target that runs is refused, whatever the operator says', async () => {
      await journey.snapshot(place, 'full');
      const tree = await place.read();
      for (const targetIsStopped of [false, true]) {
        expectFailure(await journey.tryRestore(place, place, { policy: 'replace', targetIsStopped }), {
          error: 'TargetRunning',
          problem: /Cluster 'held\d+' is running/,
          hint: /Stop it first/,
        });
      }
      expectSameTree(tree, await place.read());
      expect(await place.readOwn()).toEqual([]);
    });

    test('a target that is proven stopped needs no declaration; one that cannot be asked does', async () => {
      await journey.snapshot(place, 'full');
      const tree = await place.read();
      await kinetica.stop();
      const proven = await journey.tryRestore(place, place, {
        policy: 'replace',
        targetIsStopped: false,
        dryRun: true,
      });
      expect(planned(proven).target.stopped).toBe('proven');
      await journey.restore(place, place, { policy: 'replace', targetIsStopped: false });
      expectSameTree(tree, await place.read());
    });

    test('a target that cannot be asked needs the declaration', async () => {
      await journey.snapshot(place, 'full');
      const source = place;
      // Its configuration does not say where its host manager listens: a closed port proves nothing then.
      const mute = journey.filePlace('mute');
      expectFailure(await journey.tryRestore(source, mute, { targetIsStopped: false }), {
        error: 'TargetRunning',
        problem: /Cluster 'mute' is not proven to be stopped/,
        hint: /start again with options \{"targetIsStopped":true\}/,
      });
      expect([...(await mute.read()), ...(await mute.readOwn())]).toEqual([]);
      await journey.restore(source, mute);
      expectSameTree(await source.read(), await mute.read());
    });

    test('a target that is started while it is restored is noticed before it could open half a restore', async () => {
      await journey.snapshot(place, 'full');
      await kinetica.stop();
      onceBefore('Restore a batch', () => kinetica.start());
      expectFailure(await journey.tryRestore(place, place, { policy: 'replace' }), {
        error: 'TargetRunning',
        problem: /is running/,
        hint: /Stop it first/,
      });
      expect(readdirSync(join(place.directory, 'rank-0'))).toEqual([]);
      expect(await place.readOwn()).toContain('.rankvault-restoring.json');
    });
  });

  async function post(endpoint: string): Promise<void> {
    const answer = await fetch(`${kinetica.baseUrl}${endpoint}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"options":{}}',
    });
    expect(answer.status).toBe(200);
  }
});
