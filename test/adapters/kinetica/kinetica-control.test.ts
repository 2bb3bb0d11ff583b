import { afterEach, describe, expect, it } from 'vitest';
import type { KineticaClientOptions } from '../../../adapters/kinetica/client-options.ts';
import { KineticaClient } from '../../../adapters/kinetica/kinetica-client.ts';
import { KineticaControl, type KineticaControlOptions } from '../../../adapters/kinetica/kinetica-control.ts';
import {
  KineticaReplyInvalid,
  KineticaTopologyUnknown,
  KineticaUnauthorized,
  KineticaUnavailable,
} from '../../../adapters/kinetica/kinetica-errors.ts';
import { ControlAmbiguous, ControlRefused } from '../../../core/ports/cluster-control.ts';
import { SERVICE_UNAVAILABLE } from '../../../local/kinetica/faults.ts';
import {
  type LocalKinetica,
  type LocalKineticaOptions,
  startLocalKinetica,
} from '../../../local/kinetica/local-kinetica.ts';
import { errorEnvelope, okEnvelope, startScriptedServer, thrownBy } from './scripted-server.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function start(options: LocalKineticaOptions = {}): Promise<LocalKinetica> {
  const local = await startLocalKinetica(options);
  closers.push(() => local.close());
  return local;
}

function controlOf(
  local: { readonly baseUrl: string },
  options: KineticaControlOptions = {},
  client: Partial<KineticaClientOptions> = {},
): KineticaControl {
  const base = { baseUrl: local.baseUrl, sleep: async () => undefined, ...client };
  return new KineticaControl(new KineticaClient(base), options);
}

describe('begin and end', () => {
  it('send the documented bodies to one ring member only', async () => {
    const local = await start();
    const control = controlOf(local);

    await control.beginBackup();
    await control.endBackup();

    expect(local.requests.recent).toMatchObject([
      { method: 'POST', path: '/admin/backup/begin', bodyText: '{"options":{}}', group: 'REPL_NONE' },
      { method: 'POST', path: '/admin/backup/end', bodyText: '{"options":{}}', group: 'REPL_NONE' },
    ]);
  });

  it('leave replication to the server where that is chosen', async () => {
    const local = await start();

    await controlOf(local, { replication: 'server-default' }).beginBackup();

    expect(local.requests.recent[0]?.group).toBeUndefined();
  });

  it('are each sent with a time limit of their own', async () => {
    const limits: number[] = [];
    const timeLimit = (millis: number) => {
      limits.push(millis);
      return new AbortController().signal;
    };
    const control = controlOf(await start(), {}, { timeLimit, timeLimits: { beginMillis: 1_000, endMillis: 2_000 } });

    await control.beginBackup();
    await control.endBackup();

    expect(limits).toEqual([1_000, 2_000]);
  });

  it('is ambiguous while begin hangs, and the cluster gets into backup mode afterwards', async () => {
    const local = await start();
    const held = local.faults.holdNextBegin();
    const limit = new AbortController();
    const begun = thrownBy(() => controlOf(local, {}, { timeLimit: () => limit.signal }).beginBackup());

    await held.arrived;
    limit.abort();
    expect(await begun).toBeInstanceOf(ControlAmbiguous);

    // An end that arrives before begin is through is overtaken by it.
    const control = controlOf(local);
    expect(await control.endBackup()).toEqual({ outcome: 'ended' });
    held.open();
    await local.writeGateClosed();
    expect((await control.observe()).backupMode).toBe('backing_up');

    expect(await control.endBackup()).toEqual({ outcome: 'ended' });
    expect((await control.observe()).backupMode).toBe('normal');
  });

  it('are only unavailable, not ambiguous, against a closed port', async () => {
    const local = await start();
    await local.stop();

    await expect(controlOf(local).beginBackup()).rejects.toBeInstanceOf(KineticaUnavailable);
    await expect(controlOf(local).endBackup()).rejects.toBeInstanceOf(KineticaUnavailable);
  });

  it('name the server message of a refused begin', async () => {
    const local = await start({ switches: { nesting: 'refused' } });
    const control = controlOf(local);
    await control.beginBackup();

    const error = await thrownBy(() => control.beginBackup());

    expect(error).toBeInstanceOf(ControlRefused);
    expect(error).toHaveProperty('message', expect.stringContaining('The cluster is in backup mode already'));
    expect(error).toMatchObject({ cause: { name: 'KineticaRefused' } });
  });

  it('do not take wrong credentials for a refusal', async () => {
    const local = await start({ credentials: { user: 'admin', password: 'right' } });
    const control = controlOf(local, {}, { credentials: async () => ({ user: 'admin', password: 'wrong' }) });

    await expect(control.beginBackup()).rejects.toBeInstanceOf(KineticaUnauthorized);
    await expect(control.endBackup()).rejects.toBeInstanceOf(KineticaUnauthorized);
    expect(local.mode).toBe('normal');
  });
});

describe('questions', () => {
  it('are asked in the documented shapes and never with a replication group', async () => {
    const local = await start({ credentials: { token: 'abc' } });
    const control = controlOf(local, {}, { credentials: async () => ({ token: 'abc' }) });

    await control.observe();
    await control.topology();

    const asked = new Map(local.requests.recent.map((request) => [`${request.server} ${request.path}`, request]));
    expect(asked.get('head /admin/show/cluster/operations')?.bodyText).toBe('{"history_index":0,"options":{}}');
    expect(asked.get('head /show/system/status')?.bodyText).toBe('{"options":{}}');
    expect(asked.get('head /admin/show/shards')?.bodyText).toBe('{"options":{}}');
    expect(asked.get('head /show/system/properties')?.bodyText).toMatch(
      /^\{"options":\{"properties":"version\.gpudb_core_version,conf\.toms_per_rank,[\w.,]+"\}\}$/,
    );
    expect(local.requests.recent.every(({ group, method }) => group === undefined && method === 'POST')).toBe(true);
    // The host manager on its own port needs no credentials and gets none.
    expect(asked.get('host_manager /')?.authorization).toBe('none');
    expect(asked.get('head /show/system/status')?.authorization).toBe('bearer');
  });

  it('survive a proxy that is briefly without a backend', async () => {
    const local = await start();
    local.faults.answerNext(2, SERVICE_UNAVAILABLE);

    expect((await controlOf(local).observe()).running).toBe(true);
  });

  it('learn the port of the host manager from the server, once', async () => {
    const local = await start();
    const control = controlOf(local);

    await control.beginBackup();
    expect((await control.observe()).backupMode).toBe('backing_up');
    await control.observe();

    expect(local.requests.count('/show/system/properties')).toBe(1);
    expect(local.requests.count('/', 'host_manager')).toBe(2);
  });

  it('ask the host manager by GET where it does not take POST', async () => {
    const local = await start({ switches: { hostManagerMethod: 'GET' } });

    expect((await controlOf(local).observe()).backupMode).toBe('normal');
  });

  it('find the host manager where the configuration says', async () => {
    const local = await start();
    const url = `http://127.0.0.1:${local.hostManagerPort}`;

    expect(await controlOf(local, { hostManagerUrl: url }).isStopped()).toBe('running');
    await local.stop({ hostManager: true });
    expect(await controlOf(local, { hostManagerUrl: url }).isStopped()).toBe('stopped');
  });

  it('do not conclude normal mode while workers are read-only and the host manager is quiet', async () => {
    const local = await start({ switches: { ranksShowReadOnly: true, hostManagerShowsBackupMode: false } });
    const control = controlOf(local);
    await control.beginBackup();

    expect(await control.observe()).toMatchObject({
      backupMode: 'unknown',
      backupModeEvidence: 'The host manager says cluster_operation none, but 1 workers are read-only.',
    });
  });

  it('see a restart that lost backup mode, and one that kept it', async () => {
    const local = await start();
    const control = controlOf(local);
    await control.beginBackup();
    local.restart();
    expect((await control.observe()).backupMode).toBe('normal');

    local.switches.backupModeSurvivesRestart = true;
    await control.beginBackup();
    local.restart();
    expect((await control.observe()).backupMode).toBe('backing_up');
  });

  it('refuse a status without the system block', async () => {
    const server = await startScriptedServer(() =>
      okEnvelope({ in_progress: false, status_map: {}, property_map: {} }),
    );
    closers.push(server.close);

    await expect(controlOf({ baseUrl: server.origin }).observe()).rejects.toBeInstanceOf(KineticaReplyInvalid);
  });
});

describe('topology', () => {
  it.each([
    { shardSchema: 'agent' },
    { rankContainer: 'object' },
    { dataStr: 'object' },
    { workerHttpServers: false },
  ] as const)('is the same with %j', async (switches) => {
    const plain = await controlOf(await start({ ranks: [1, 2, 4], tomsPerRank: 2 })).topology();
    const local = await start({ ranks: [1, 2, 4], tomsPerRank: 2, switches });

    const topology = await controlOf(local).topology();

    expect(topology.fingerprint).toEqual(plain.fingerprint);
    const live = (ranks: typeof plain.ranks) => ranks.filter(({ removed }) => removed !== true);
    expect(live(topology.ranks)).toEqual(live(plain.ranks));
    expect(plain.ranks.filter(({ removed }) => removed === true)).toEqual([
      { rank: 3, toms: undefined, removed: true },
    ]);
  });

  it('has a rank that owns no shards, and another fingerprint once shards moved', async () => {
    const local = await start({ ranks: 3 });
    const control = controlOf(local);
    const before = await control.topology();

    local.moveShards([3]);
    const after = await control.topology();

    expect(after.ranks).toEqual(before.ranks);
    expect(after.fingerprint).not.toEqual(before.fingerprint);
    expect(after.fingerprint.shardVersion).toBe('2');
    expect(after.steps.find(({ step }) => step === 'shards')).toEqual({
      step: 'shards',
      result: 'differs',
      detail: 'ranks 1-2; lacks 3',
    });
  });

  it('goes on without a step that the server does not have or refuses', async () => {
    const server = await startScriptedServer(({ path }) => {
      if (path === '/admin/show/shards') return errorEnvelope(404, 'Unknown URI');
      if (path === '/show/system/properties') return errorEnvelope(400, 'not for you');
      return okEnvelope({ status_map: { ranks: '[{"rank":0},{"rank":1}]' } });
    });
    closers.push(server.close);

    const topology = await controlOf({ baseUrl: server.origin }).topology();

    expect(topology.ranks).toEqual([
      { rank: 0, toms: [] },
      { rank: 1, toms: undefined },
    ]);
    expect(topology.steps.map(({ result }) => result)).toEqual(['unavailable', 'unavailable', 'agrees', 'unavailable']);
    expect(topology.steps[1]?.detail).toContain('not for you');
  });

  it('does not go on without a step when the server is unavailable or rejects the credentials', async () => {
    for (const [httpStatus, kind] of [
      [503, KineticaUnavailable],
      [401, KineticaUnauthorized],
    ] as const) {
      const server = await startScriptedServer(({ path }) =>
        path === '/admin/show/shards' ? { httpStatus, body: '' } : okEnvelope({ status_map: {}, property_map: {} }),
      );
      closers.push(server.close);

      await expect(controlOf({ baseUrl: server.origin }).topology()).rejects.toBeInstanceOf(kind);
    }
  });

  it('is an error when no worker is named anywhere', async () => {
    const server = await startScriptedServer(() => okEnvelope({ status_map: {}, property_map: {} }));
    closers.push(server.close);

    await expect(controlOf({ baseUrl: server.origin }).topology()).rejects.toBeInstanceOf(KineticaTopologyUnknown);
  });
});
