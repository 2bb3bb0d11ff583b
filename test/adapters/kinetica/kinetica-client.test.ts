import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import type { KineticaClientOptions } from '../../../adapters/kinetica/client-options.ts';
import { wideInteger } from '../../../adapters/kinetica/json-text.ts';
import { KineticaClient } from '../../../adapters/kinetica/kinetica-client.ts';
import {
  KineticaConfigInvalid,
  KineticaRefused,
  KineticaReplyInvalid,
  KineticaUnauthorized,
  KineticaUnavailable,
  KineticaUnsupported,
} from '../../../adapters/kinetica/kinetica-errors.ts';
import { ControlAmbiguous } from '../../../core/ports/cluster-control.ts';
import {
  errorEnvelope,
  okEnvelope,
  type ScriptedAnswer,
  type ScriptedServer,
  type SeenRequest,
  startScriptedServer,
  thrownBy,
} from './scripted-server.ts';
import { selfSignedCertificate } from './self-signed-certificate.ts';

const servers: ScriptedServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(
  script: (request: SeenRequest, number: number) => ScriptedAnswer,
  tls?: { key: string; cert: string },
): Promise<ScriptedServer> {
  const server = await startScriptedServer(script, tls);
  servers.push(server);
  return server;
}

function clientOf(server: ScriptedServer, options: Partial<KineticaClientOptions> = {}): KineticaClient {
  return new KineticaClient({ baseUrl: server.origin, sleep: async () => undefined, ...options });
}

const anything = z.looseObject({});
const read = (client: KineticaClient) => client.read('/show/system/status', { options: {} }, anything);
const begin = (client: KineticaClient) =>
  client.startWork({ endpoint: '/admin/backup/begin', request: { options: {} }, limitMillis: 60_000 });

describe('requests', () => {
  it('are POST JSON with all fields, appended to the path prefix', async () => {
    const server = await serve(() => okEnvelope({ in_progress: false }));
    const client = clientOf(server, { baseUrl: `${server.origin}/gpudb-0/` });

    await client.read('/admin/show/cluster/operations', { history_index: 0, options: {} }, anything);

    expect(server.seen[0]).toMatchObject({
      method: 'POST',
      path: '/gpudb-0/admin/show/cluster/operations',
      body: '{"history_index":0,"options":{}}',
      headers: { 'content-type': 'application/json', accept: 'application/json', 'content-length': '32' },
    });
    expect(server.seen[0]?.headers.authorization).toBeUndefined();
    expect(server.seen[0]?.headers['x-kinetica-group']).toBeUndefined();
  });

  it('carry basic credentials in UTF-8, or a bearer token, as the callback has them at that moment', async () => {
    const server = await serve(() => okEnvelope({}));
    const secrets = [{ user: 'admin', password: 'pä:ss' }, { token: 'abc.def' }];
    const client = clientOf(server, { credentials: async () => secrets.shift() });

    await read(client);
    await read(client);
    await read(client);

    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([
      `Basic ${Buffer.from('admin:pä:ss').toString('base64')}`,
      'Bearer abc.def',
      undefined,
    ]);
  });

  it('name the group only where the call says so', async () => {
    const server = await serve(() => okEnvelope({}));

    await clientOf(server).startWork({
      endpoint: '/admin/backup/begin',
      request: { options: {} },
      limitMillis: 60_000,
      group: 'REPL_NONE',
    });

    expect(server.seen[0]?.headers['x-kinetica-group']).toBe('REPL_NONE');
  });

  it.each([{ token: 'with\nline end' }, { token: '' }, { user: 'a:b', password: 'x' }, { user: '', password: 'x' }])(
    'are not sent with credentials that no header can carry: %j',
    async (credentials) => {
      const server = await serve(() => okEnvelope({}));

      await expect(read(clientOf(server, { credentials: async () => credentials }))).rejects.toBeInstanceOf(
        KineticaConfigInvalid,
      );
      expect(server.seen).toHaveLength(0);
    },
  );
});

describe('reads', () => {
  it('keep unknown fields and every digit', async () => {
    const server = await serve(() => ({
      httpStatus: 200,
      body: '{"status":"OK","data_str":"{\\"version\\":9223372036854775807,\\"later\\":true}"}',
    }));

    const record = await clientOf(server).read('/x', { options: {} }, z.looseObject({ version: wideInteger }));

    expect(record).toEqual({ version: 9223372036854775807n, later: true });
  });

  it.each<[string, ScriptedAnswer]>([
    ['503', { httpStatus: 503, body: '' }],
    ['a proxy page with 502', { httpStatus: 502, body: '<html>' }],
    ['a lost connection', 'destroy'],
    ['a draining server', errorEnvelope(400, 'Unavailable: Draining HA queue')],
  ])('are asked again, with growing pauses, after %s', async (_title, failing) => {
    const pauses: number[] = [];
    const server = await serve((_request, number) => (number < 3 ? failing : okEnvelope({ fine: true })));
    const client = clientOf(server, { sleep: async (millis) => void pauses.push(millis) });

    expect(await read(client)).toEqual({ fine: true });
    expect(pauses).toEqual([250, 1_000]);
  });

  it('give up as KineticaUnavailable after four tries', async () => {
    const server = await serve(() => ({ httpStatus: 503, body: '' }));

    await expect(read(clientOf(server))).rejects.toBeInstanceOf(KineticaUnavailable);
    expect(server.seen).toHaveLength(4);
  });

  it.each([
    [KineticaRefused, errorEnvelope(200, 'no')],
    [KineticaRefused, errorEnvelope(400, 'no')],
    [KineticaUnauthorized, errorEnvelope(401, 'Insufficient credentials')],
    [KineticaUnauthorized, { httpStatus: 403, body: 'Forbidden' }],
    [KineticaUnsupported, errorEnvelope(404, 'Unknown URI')],
    [KineticaReplyInvalid, { httpStatus: 200, body: '<html>' }],
    [KineticaReplyInvalid, { httpStatus: 302, body: '', headers: { Location: 'https://login.example.com' } }],
  ])('throw %o at once', async (kind, answer) => {
    const server = await serve(() => answer);

    const error = await thrownBy(() => read(clientOf(server)));

    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ family: 'fatal' });
    expect(server.seen).toHaveLength(1);
  });

  it('keep the first kilobyte of a body that is not JSON', async () => {
    const server = await serve(() => ({ httpStatus: 200, body: `<html>${'x'.repeat(5_000)}` }));

    const error = await thrownBy(() => read(clientOf(server)));

    expect(error).toMatchObject({ name: 'KineticaReplyInvalid', replyStart: `<html>${'x'.repeat(1_018)}` });
  });

  it('name the field that is not as documented', async () => {
    const server = await serve(() => okEnvelope({ in_progress: 'perhaps' }));
    const schema = z.looseObject({ in_progress: z.boolean() });

    const error = await thrownBy(() => clientOf(server).read('/x', { options: {} }, schema));

    expect(error).toBeInstanceOf(KineticaReplyInvalid);
    expect(error).toHaveProperty('message', expect.stringContaining('unexpected in_progress'));
  });

  it('end with KineticaUnavailable when the time limit of every try passes', async () => {
    const server = await serve(() => 'hang');
    const client = clientOf(server, { timeLimit: () => AbortSignal.abort() });

    await expect(read(client)).rejects.toThrow('did not answer in time');
  });

  it('refuse a body of more than 16 MiB, also one that would parse', async () => {
    const server = await serve(() => okEnvelope({ padding: 'x'.repeat(17 * 1024 * 1024) }));

    await expect(read(clientOf(server))).rejects.toBeInstanceOf(KineticaReplyInvalid);
  });
});

describe('calls that start work', () => {
  it('are done when status says OK, whatever data_str holds', async () => {
    const server = await serve(() => ({ httpStatus: 200, body: '{"status":"OK","data_str":"{cut"}' }));

    await expect(begin(clientOf(server))).resolves.toBeUndefined();
  });

  it.each<[string, ScriptedAnswer]>([
    ['a lost connection', 'destroy'],
    ['500', { httpStatus: 500, body: '' }],
    ['502 of a proxy', { httpStatus: 502, body: '<html>' }],
    ['503', { httpStatus: 503, body: '' }],
    ['504 of a proxy that got tired', { httpStatus: 504, body: '' }],
    ['an answer that nobody can read', { httpStatus: 200, body: '<html>' }],
    ['an empty answer', { httpStatus: 200, body: '' }],
    ['a server that goes away', errorEnvelope(400, 'System shutting down')],
    ['a rank that was lost midway', errorEnvelope(400, 'Connection reset by rank 2')],
    [
      'a cut body',
      { httpStatus: 200, body: '{"status":"OK"', headers: { 'Content-Length': '400', Connection: 'close' } },
    ],
  ])('are ambiguous after %s and never sent again', async (_title, answer) => {
    const server = await serve((_request, number) => (number === 1 ? answer : okEnvelope({})));

    await expect(begin(clientOf(server))).rejects.toBeInstanceOf(ControlAmbiguous);
    expect(server.seen).toHaveLength(1);
  });

  it('are ambiguous when the time limit passes after the request was read', async () => {
    const limit = new AbortController();
    const server = await serve(() => {
      limit.abort();
      return 'hang';
    });

    const error = await thrownBy(() => begin(clientOf(server, { timeLimit: () => limit.signal })));

    expect(error).toMatchObject({ name: 'ControlAmbiguous', cause: { name: 'KineticaUnavailable' } });
    expect(server.seen).toHaveLength(1);
  });

  it.each([
    [KineticaRefused, errorEnvelope(400, 'in backup mode')],
    [KineticaUnauthorized, errorEnvelope(401, 'Insufficient credentials')],
    [KineticaUnsupported, { httpStatus: 404, body: 'Unknown URI' }],
    [KineticaReplyInvalid, { httpStatus: 301, body: '' }],
  ])('throw %o when the server certainly did nothing', async (kind, answer) => {
    const server = await serve(() => answer);

    await expect(begin(clientOf(server))).rejects.toBeInstanceOf(kind);
    expect(server.seen).toHaveLength(1);
  });

  it('are only unavailable, not ambiguous, when no connection came about', async () => {
    const server = await startScriptedServer(() => okEnvelope({}));
    await server.close();

    await expect(begin(clientOf(server))).rejects.toBeInstanceOf(KineticaUnavailable);
  });

  it('are only unavailable when the time limit passes before a connection came about', async () => {
    const server = await serve(() => okEnvelope({}));

    await expect(begin(clientOf(server, { timeLimit: () => AbortSignal.abort() }))).rejects.toBeInstanceOf(
      KineticaUnavailable,
    );
    expect(server.seen).toHaveLength(0);
  });

  it('have the time limit that the call names', async () => {
    const limits: number[] = [];
    const server = await serve(() => okEnvelope({}));
    const timeLimit = (millis: number) => {
      limits.push(millis);
      return new AbortController().signal;
    };

    await begin(clientOf(server, { timeLimit }));
    await read(clientOf(server, { timeLimit, timeLimits: { readMillis: 7 } }));

    expect(limits).toEqual([60_000, 7]);
  });
});

describe('TLS', () => {
  const certificate = selfSignedCertificate();

  it('trusts the CA that it is given', async () => {
    const server = await serve(() => okEnvelope({ secure: true }), certificate);

    expect(await read(clientOf(server, { caPem: certificate.cert }))).toEqual({ secure: true });
  });

  it.each([
    ['without a CA', {}],
    ['with the CA of somebody else', { caPem: selfSignedCertificate().cert }],
  ])('sends nothing %s', async (_title, options) => {
    const server = await serve(() => okEnvelope({}), certificate);
    const client = clientOf(server, { ...options, credentials: async () => ({ token: 'abc' }) });

    await expect(read(client)).rejects.toBeInstanceOf(KineticaConfigInvalid);
    await expect(begin(client)).rejects.toBeInstanceOf(KineticaConfigInvalid);
    expect(server.seen).toHaveLength(0);
  });

  it.each(['', 'not PEM', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])(
    'refuses %j as a CA',
    (caPem) => {
      expect(() => new KineticaClient({ baseUrl: 'https://db.example.com', caPem })).toThrow(KineticaConfigInvalid);
    },
  );
});
