import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { LocalKineticaGone } from '../../../local/kinetica/backup-mode.ts';
import { ERROR_PAGE, SERVICE_UNAVAILABLE } from '../../../local/kinetica/faults.ts';
import { LocalKineticaInvalid } from '../../../local/kinetica/layout.ts';
import {
  type LocalKinetica,
  type LocalKineticaOptions,
  startLocalKinetica,
} from '../../../local/kinetica/local-kinetica.ts';

const running: LocalKinetica[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((local) => local.close()));
});

async function start(options: LocalKineticaOptions = {}): Promise<LocalKinetica> {
  const local = await startLocalKinetica(options);
  running.push(local);
  return local;
}

const envelope = z.object({
  status: z.string(),
  message: z.string(),
  data_type: z.string(),
  data: z.string(),
  data_str: z.unknown(),
});

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

async function send(
  local: LocalKinetica,
  path: string,
  { method = 'POST', headers, body = '{"options":{}}' }: Sent = {},
) {
  const response = await fetch(`${local.baseUrl}${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', ...headers },
    ...(method === 'GET' ? {} : { body }),
  });
  return { httpStatus: response.status, envelope: envelope.parse(await response.json()) };
}

async function record(local: LocalKinetica, path: string, body?: string): Promise<unknown> {
  const reply = await send(local, path, body === undefined ? {} : { body });
  return JSON.parse(z.string().parse(reply.envelope.data_str));
}

describe('the stand-in', () => {
  it('says what it is', async () => {
    const local = await start();

    expect(local.banner).toContain(local.baseUrl);
    expect(local.banner).toContain('stand-in');
    expect(local.banner).toContain('made from public documentation');
  });

  it('answers in the documented envelope', async () => {
    const { httpStatus, envelope: answer } = await send(await start(), '/admin/backup/begin');

    expect(httpStatus).toBe(200);
    expect(answer).toEqual({
      status: 'OK',
      message: '',
      data_type: 'admin_backup_begin_response',
      data: '',
      data_str: '{"info":{}}',
    });
  });

  it('returns the named properties, or all', async () => {
    const local = await start({ ranks: [1, 3], tomsPerRank: 2, version: '7.2.3.9.1' });
    const schema = z.object({ property_map: z.record(z.string(), z.string()), info: z.object({}) });

    const named = await record(
      local,
      '/show/system/properties',
      '{"options":{"properties":"conf.toms_per_rank,no.such"}}',
    );
    const all = schema.parse(await record(local, '/show/system/properties'));

    expect(named).toEqual({ property_map: { 'conf.toms_per_rank': '2' }, info: {} });
    expect(all.property_map).toMatchObject({
      'version.gpudb_core_version': '7.2.3.9.1',
      'conf.enable_worker_http_servers': 'TRUE',
      'conf.hm_http_port': String(local.hostManagerPort),
    });
    expect(all.property_map['conf.worker_http_server_urls']).toMatch(/^http:[^;]+;http:[^;]+;;http:[^;]+$/);
  });

  it('shows 16,384 shards, all on workers', async () => {
    const schema = z.object({
      version: z.number(),
      rank: z.array(z.number()),
      tom: z.array(z.number()),
      info: z.object({}),
    });

    const shards = schema.parse(await record(await start({ ranks: 3, tomsPerRank: 2 }), '/admin/show/shards'));

    expect(shards.version).toBe(1);
    expect([shards.rank.length, shards.tom.length]).toEqual([16_384, 16_384]);
    expect([new Set(shards.rank), new Set(shards.tom)]).toEqual([new Set([1, 2, 3]), new Set([0, 1])]);
  });

  it('packs every block of the status as JSON in a string', async () => {
    const schema = z.object({ status_map: z.object({ system: z.string(), ranks: z.string() }) });
    const local = await start({ switches: { haStatus: 'none' } });

    const { status_map } = schema.parse(await record(local, '/show/system/status'));

    expect(JSON.parse(status_map.system)).toMatchObject({ status: 'running' });
    expect(JSON.parse(status_map.ranks)).toHaveLength(2);
    expect(status_map).not.toHaveProperty('ha_status');
  });

  it('reports a cluster operation while one runs', async () => {
    const local = await start();
    local.setClusterOperation('adding_ranks');

    const operations = await record(local, '/admin/show/cluster/operations', '{"history_index":0,"options":{}}');

    expect(operations).toMatchObject({
      in_progress: true,
      add_ranks: true,
      add_ranks_status: 'IN_PROGRESS',
      rebalance: false,
    });
  });

  it.each<[string, string, Sent, [httpStatus: number, message: string]]>([
    ['an unknown endpoint', '/admin/show/logs', {}, [404, 'Unknown URI: /admin/show/logs']],
    ['GET', '/admin/backup/begin', { method: 'GET' }, [405, 'takes POST']],
    ['PUT', '/admin/backup/begin', { method: 'PUT' }, [405, 'takes POST']],
    [
      'another content type',
      '/admin/backup/begin',
      { headers: { 'Content-Type': 'text/plain' } },
      [400, 'Content-Type'],
    ],
    ['a body that is not JSON', '/admin/backup/begin', { body: '{' }, [400, 'not a JSON object']],
    ['an array', '/admin/backup/begin', { body: '[]' }, [400, 'not a JSON object']],
    ['missing options', '/admin/backup/begin', { body: '{}' }, [400, 'Missing field: options']],
    ['null options', '/admin/backup/begin', { body: '{"options":null}' }, [400, 'not a map']],
    ['a missing field', '/admin/show/cluster/operations', {}, [400, 'Missing field: history_index']],
    [
      'a field of the wrong type',
      '/admin/show/cluster/operations',
      { body: '{"history_index":"0","options":{}}' },
      [400, 'int'],
    ],
    ['an unknown field', '/admin/backup/begin', { body: '{"options":{},"force":true}' }, [400, 'Unknown field: force']],
    [
      'an unknown option',
      '/admin/backup/begin',
      { body: '{"options":{"force":"true"}}' },
      [400, 'Unknown option: force'],
    ],
    ['a boolean option', '/admin/backup/begin', { body: '{"options":{"job_user_data":true}}' }, [400, 'not a string']],
    [
      'a number as an option',
      '/show/system/properties',
      { body: '{"options":{"properties":1}}' },
      [400, 'not a string'],
    ],
  ])('refuses %s', async (_title, path, sent, [httpStatus, message]) => {
    const local = await start();

    const reply = await send(local, path, sent);

    expect(reply.httpStatus).toBe(httpStatus);
    expect(reply.envelope).toMatchObject({ status: 'ERROR', data_type: 'none', data_str: '' });
    expect(reply.envelope.message).toContain(message);
    expect(local.mode).toBe('normal');
  });

  it('accepts the tag that every endpoint takes', async () => {
    const reply = await send(await start(), '/admin/backup/begin', { body: '{"options":{"job_user_data":"run 7"}}' });

    expect(reply.envelope.status).toBe('OK');
  });

  it.each([
    [{ user: 'admin', password: 'secret' }, `Basic ${btoa('admin:secret')}`, `Basic ${btoa('admin:wrong')}`],
    [{ token: 'abc' }, 'Bearer abc', 'Bearer abcd'],
  ])('asks for credentials where it has some, but not for the liveness probe', async (credentials, right, wrong) => {
    const local = await start({ credentials });

    expect((await send(local, '/admin/show/shards', { headers: { Authorization: right } })).httpStatus).toBe(200);
    for (const headers of [{ Authorization: wrong }, {}]) {
      const reply = await send(local, '/admin/show/shards', { headers });
      expect(reply).toMatchObject({ httpStatus: 401, envelope: { message: 'Insufficient credentials' } });
    }
    expect(await (await fetch(`${local.baseUrl}/`)).text()).toBe('Kinetica is running!');
    expect(JSON.stringify(local.requests.recent)).not.toMatch(/secret|abc|YWRtaW4/);
  });

  it('holds writers back while in backup mode and notes since when', async () => {
    const local = await start({ clock: () => 1_700_000_000_000 });
    await send(local, '/admin/backup/begin');
    const order: string[] = [];
    const writer = local.writeGate().then(() => order.push('write'));

    expect([local.mode, local.backupModeSinceEpochMillis]).toEqual(['backing_up', 1_700_000_000_000]);
    await send(local, '/admin/show/shards');
    order.push('end');
    await send(local, '/admin/backup/end');
    await writer;

    expect(order).toEqual(['end', 'write']);
  });

  it('lets begin wait for a running write', async () => {
    const local = await start();
    const write = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const writer = local.write(() => {
      started.resolve();
      return write.promise;
    });
    await started.promise;
    const order: string[] = [];
    const begun = send(local, '/admin/backup/begin').then(() => order.push('begun'));

    await local.writeGateClosed('entering');
    await send(local, '/admin/show/shards');
    expect(local.mode).toBe('entering');
    order.push('written');
    write.resolve();
    await Promise.all([writer, begun]);

    expect(order).toEqual(['written', 'begun']);
  });

  it('carries a begin out whose reply is lost', async () => {
    const local = await start();
    local.faults.loseNextBeginReply();

    await expect(send(local, '/admin/backup/begin')).rejects.toThrow('fetch failed');
    expect(local.mode).toBe('backing_up');
    expect(local.requests.count('/admin/backup/begin')).toBe(1);
  });

  it('does nothing for a request whose connection drops', async () => {
    const local = await start();
    local.faults.dropNext(1);

    await expect(send(local, '/admin/backup/begin')).rejects.toThrow('fetch failed');
    expect(local.mode).toBe('normal');
    expect((await send(local, '/admin/backup/begin')).httpStatus).toBe(200);
  });

  it('fails as many ends as it is told to', async () => {
    const local = await start();
    await send(local, '/admin/backup/begin');
    local.faults.failNextEnds(2);

    const outcomes: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      outcomes.push(`${(await send(local, '/admin/backup/end')).envelope.status} ${local.mode}`);
    }

    expect(outcomes).toEqual(['ERROR backing_up', 'ERROR backing_up', 'OK normal']);
  });

  it('gives canned answers in order', async () => {
    const local = await start();
    local.faults.answerNext(1, SERVICE_UNAVAILABLE);
    local.faults.answerNext(1, ERROR_PAGE);
    const post = () =>
      fetch(`${local.baseUrl}/admin/backup/begin`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{"options":{}}',
      });

    expect((await post()).status).toBe(503);
    expect(await (await post()).text()).toContain('<html>');
    expect(local.mode).toBe('normal');
    expect((await post()).status).toBe(200);
  });

  it('breaks hanging writers and begins when it restarts', async () => {
    const local = await start();
    const held = local.faults.holdNextBegin();
    const begun = send(local, '/admin/backup/begin');
    await held.arrived;
    const writer = local.writeGate();
    local.restart();
    held.open();

    await expect(writer).rejects.toBeInstanceOf(LocalKineticaGone);
    await expect(begun).rejects.toThrow('fetch failed');
    expect(local.mode).toBe('normal');
  });

  it('stops and starts on the same ports', async () => {
    const local = await start();
    const { baseUrl } = local;
    const manager = `http://127.0.0.1:${local.hostManagerPort}/`;
    await local.stop();

    await expect(fetch(`${baseUrl}/`)).rejects.toThrow('fetch failed');
    await expect(local.writeGate()).rejects.toBeInstanceOf(LocalKineticaGone);
    expect(await (await fetch(manager)).json()).toMatchObject({ system_status: 'stopped', rank1_status: 'stopped' });

    await local.start();
    expect(local.baseUrl).toBe(baseUrl);
    expect(await (await fetch(`${baseUrl}/`)).text()).toBe('Kinetica is running!');
    expect(await (await fetch(manager)).json()).toMatchObject({ system_status: 'running', cluster_operation: 'none' });
  });

  it('reads its ranks from a directory of rank files and writes nothing there', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'rankvault-kinetica-'));
    for (const path of ['rank-0', 'rank-1/tom-0', 'rank-1/tom-1', 'rank-4/tom-0', 'other']) {
      await mkdir(join(directory, path), { recursive: true });
    }

    const local = await start({ directory });
    await send(local, '/admin/backup/begin');

    expect(local.workers).toEqual([
      { rank: 1, toms: [0, 1] },
      { rank: 4, toms: [0] },
    ]);
    expect((await readdir(directory)).sort()).toEqual(['other', 'rank-0', 'rank-1', 'rank-4']);
    await rm(directory, { recursive: true });
  });

  it.each([{ ranks: 0 }, { ranks: [] }, { ranks: [0, 1] }, { ranks: 1.5 }, { ranks: 1, tomsPerRank: 0 }])(
    'refuses the layout %j',
    async (options) => {
      await expect(startLocalKinetica(options)).rejects.toBeInstanceOf(LocalKineticaInvalid);
    },
  );
});
