import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RankvaultError } from '../../core/errors.ts';
import { type ClusterControl, ControlAmbiguous, ControlRefused } from '../../core/ports/cluster-control.ts';

/** A cluster of workers 1 and 2 with two TOMs each, and the hands that move it. */
export interface ClusterControlHarness {
  readonly control: ClusterControl;
  mode(): 'normal' | 'backing_up';
  /** Requests that reached the cluster. */
  sent(what: 'begin' | 'end'): number;
  loseNextReply(what: 'begin' | 'end'): void;
  refuseSecondBegin(): void;
  refuseStrayEnd(): void;
  hideBackupMode(): void;
  silenceHostManager(): Promise<void>;
  setOperationInProgress(inProgress: boolean): void;
  setDraining(): void;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** What every `ClusterControl` does. */
export function clusterControlContract(name: string, open: () => Promise<ClusterControlHarness>): void {
  describe(`cluster control: ${name}`, () => {
    let cluster: ClusterControlHarness;

    beforeEach(async () => {
      cluster = await open();
    });
    afterEach(() => cluster.close());

    it('observes a running cluster in normal mode', async () => {
      const observation = await cluster.control.observe();

      expect(observation).toMatchObject({
        running: true,
        statusWord: 'running',
        backupMode: 'normal',
        clusterOperationInProgress: false,
        draining: false,
      });
      expect(observation.serverVersion).toMatch(/^7\.2\.3\.14/);
    });

    it('goes into backup mode by begin and out of it by end', async () => {
      await cluster.control.beginBackup();
      expect(cluster.mode()).toBe('backing_up');
      expect((await cluster.control.observe()).backupMode).toBe('backing_up');

      expect(await cluster.control.endBackup()).toEqual({ outcome: 'ended' });
      expect(cluster.mode()).toBe('normal');
      expect((await cluster.control.observe()).backupMode).toBe('normal');
    });

    it('ends twice without harm where the cluster allows it', async () => {
      await cluster.control.beginBackup();
      await cluster.control.endBackup();

      expect(await cluster.control.endBackup()).toEqual({ outcome: 'ended' });
    });

    it('returns the refusal of an end outside of backup mode with the words of the cluster', async () => {
      cluster.refuseStrayEnd();

      expect(await cluster.control.endBackup()).toEqual({
        outcome: 'refused',
        message: 'The cluster is not in backup mode',
      });
    });

    it('throws ControlRefused for a begin that the cluster turns down, and leaves the hold of the other', async () => {
      cluster.refuseSecondBegin();
      await cluster.control.beginBackup();

      await expect(cluster.control.beginBackup()).rejects.toBeInstanceOf(ControlRefused);
      expect(cluster.mode()).toBe('backing_up');
    });

    it('throws ControlAmbiguous when the reply of begin is lost, having sent it once', async () => {
      cluster.loseNextReply('begin');

      await expect(cluster.control.beginBackup()).rejects.toBeInstanceOf(ControlAmbiguous);
      expect(cluster.sent('begin')).toBe(1);
      expect((await cluster.control.observe()).backupMode).toBe('backing_up');
    });

    it('throws ControlAmbiguous when the reply of end is lost, having sent it once', async () => {
      await cluster.control.beginBackup();
      cluster.loseNextReply('end');

      await expect(cluster.control.endBackup()).rejects.toBeInstanceOf(ControlAmbiguous);
      expect(cluster.sent('end')).toBe(1);
      expect((await cluster.control.observe()).backupMode).toBe('normal');
    });

    it('sees normal mode where the cluster does not show that it is backing up', async () => {
      cluster.hideBackupMode();
      await cluster.control.beginBackup();

      expect((await cluster.control.observe()).backupMode).toBe('normal');
    });

    it('says unknown when nothing that could show the mode answers', async () => {
      await cluster.silenceHostManager();

      const observation = await cluster.control.observe();

      expect(observation).toMatchObject({ running: true, backupMode: 'unknown' });
    });

    it('sees another cluster operation and a draining ring member', async () => {
      cluster.setOperationInProgress(true);
      cluster.setDraining();
      expect(await cluster.control.observe()).toMatchObject({
        clusterOperationInProgress: true,
        backupMode: 'normal',
        draining: true,
      });

      cluster.setOperationInProgress(false);
      expect((await cluster.control.observe()).clusterOperationInProgress).toBe(false);
    });

    it('discovers head, workers and TOMs with a fingerprint that survives JSON', async () => {
      const topology = await cluster.control.topology();

      expect(topology.ranks).toEqual([
        { rank: 0, toms: [] },
        { rank: 1, toms: [0, 1] },
        { rank: 2, toms: [0, 1] },
      ]);
      expect(topology.fingerprint.shardVersion).toBe('1');
      expect(topology.fingerprint.shardCounts).toEqual([
        { rank: 1, tom: 0, shards: 4096 },
        { rank: 1, tom: 1, shards: 4096 },
        { rank: 2, tom: 0, shards: 4096 },
        { rank: 2, tom: 1, shards: 4096 },
      ]);
      expect(topology.steps.map(({ step, result }) => `${step} ${result}`)).toEqual([
        'shards agrees',
        'worker_urls agrees',
        'rank_status agrees',
        'toms_per_rank agrees',
      ]);
      expect(JSON.parse(JSON.stringify(topology))).toEqual(topology);
    });

    it('tells a stopped cluster from a running one', async () => {
      expect(await cluster.control.isStopped()).toBe('running');

      await cluster.stop();
      expect(await cluster.control.isStopped()).toBe('stopped');

      await cluster.start();
      expect(await cluster.control.isStopped()).toBe('running');
    });

    it('throws a transient error for every question to a stopped cluster', async () => {
      await cluster.stop();

      for (const ask of [() => cluster.control.observe(), () => cluster.control.topology()]) {
        const error: unknown = await ask().catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(RankvaultError);
        expect(error).toMatchObject({ family: 'transient' });
      }
    });

    it('never takes a begin or an end of a stopped cluster for done or refused', async () => {
      await cluster.stop();

      for (const send of [() => cluster.control.beginBackup(), () => cluster.control.endBackup()]) {
        const error: unknown = await send().catch((thrown: unknown) => thrown);
        // A proxy that stays up cannot tell whether the server behind it took the request before it died.
        if (!(error instanceof ControlAmbiguous)) expect(error).toMatchObject({ family: 'transient' });
      }
      await cluster.start();
      expect(cluster.mode()).toBe('normal');
    });
  });
}
