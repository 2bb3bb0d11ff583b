import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KineticaClient } from '../../../adapters/kinetica/kinetica-client.ts';
import { KineticaControl } from '../../../adapters/kinetica/kinetica-control.ts';
import { type KineticaCredentials, Redactor } from '../../../adapters/kinetica/redactor.ts';
import { errorEnvelope, okEnvelope, type ScriptedAnswer, startScriptedServer, thrownBy } from './scripted-server.ts';

const PASSWORD = 'naïve canary "pass\\word" <&7/+=>';
const TOKEN = 'canary.tok-en_1234567890~+/=';
const BASIC = Buffer.from(`operator:${PASSWORD}`).toString('base64');

/** Every way in which the server of these tests gives a secret back. */
const ECHOES = [
  PASSWORD,
  TOKEN,
  BASIC,
  `Authorization: Basic ${BASIC}`,
  `Bearer ${TOKEN}`,
  JSON.stringify({ password: PASSWORD, again: JSON.stringify(PASSWORD) }),
  encodeURIComponent(PASSWORD),
  encodeURIComponent(TOKEN),
  Buffer.from(PASSWORD).toString('base64'),
  'naïve canary "pass\\word" &lt;&amp;7/+=&gt;',
].join(' | ');

/** Pieces that may appear nowhere. */
const CANARIES = ['naïve', 'canary', 'pass\\word', 'tok-en', BASIC, Buffer.from(PASSWORD).toString('base64'), '&amp;7'];

const ANSWERS: [string, ScriptedAnswer][] = [
  ['a refusal', errorEnvelope(400, ECHOES)],
  ['401', errorEnvelope(401, ECHOES)],
  ['403 with a page', { httpStatus: 403, body: ECHOES }],
  ['404', { httpStatus: 404, body: ECHOES }],
  ['503 with an envelope', errorEnvelope(503, ECHOES)],
  ['a page', { httpStatus: 200, body: `<html>${ECHOES}` }],
  [
    'a page with the secret on the edge of the first kilobyte',
    { httpStatus: 200, body: `${'x'.repeat(1_016)}${ECHOES}` },
  ],
  ['an unknown status', { httpStatus: 200, body: JSON.stringify({ status: ECHOES, message: ECHOES }) }],
  ['a redirect', { httpStatus: 302, body: ECHOES, headers: { Location: `https://x/?t=${encodeURIComponent(TOKEN)}` } }],
  ['records with the secret as names and values', okEnvelope({ [ECHOES]: ECHOES, status_map: { [ECHOES]: ECHOES } })],
  ['a status with the secret', okEnvelope({ in_progress: false, property_map: {}, status_map: statusMap() })],
  ['headers that are none', { httpStatus: 200, body: '', headers: { 'Content-Length': '99', 'X-Echo': TOKEN } }],
  ['a lost connection', 'destroy'],
];

function statusMap(): Record<string, string> {
  return { system: JSON.stringify({ status: ECHOES, version: ECHOES }), ranks: ECHOES };
}

const CREDENTIALS: [string, KineticaCredentials][] = [
  ['password', { user: 'operator', password: PASSWORD }],
  ['token', { token: TOKEN }],
];

describe('no credential leaves the client', () => {
  it.each(ANSWERS)('in anything that comes of %s', async (_title, answer) => {
    const server = await startScriptedServer(() => answer);
    // Both secrets are in use, one after the other: a rotation must not free the old one.
    const queue = Array.from({ length: 40 }, (_, index) => CREDENTIALS[index % 2]?.[1]);
    const client = new KineticaClient({
      baseUrl: `${server.origin}/gpudb-0`,
      credentials: async () => queue.shift(),
      sleep: async () => undefined,
    });
    await client.probe({ url: new URL(server.origin), method: 'GET', authenticated: true });
    await client.probe({ url: new URL(server.origin), method: 'GET', authenticated: true });
    const control = new KineticaControl(client);
    const results: unknown[] = [client, control];
    for (const call of [
      () => control.beginBackup(),
      () => control.endBackup(),
      () => control.observe(),
      () => control.topology(),
      () => control.isStopped(),
    ]) {
      results.push(await call().catch((error: unknown) => error));
    }
    await server.close();

    for (const result of results) {
      const seen = everythingSaidBy(result);
      for (const canary of CANARIES) expect(seen).not.toContain(canary);
    }
  });

  it.each(CREDENTIALS)('when nothing listens and it has a %s', async (_title, credentials) => {
    const server = await startScriptedServer(() => 'destroy');
    await server.close();
    const client = new KineticaClient({
      baseUrl: server.origin,
      credentials: async () => credentials,
      sleep: async () => undefined,
    });

    const seen = everythingSaidBy(await thrownBy(() => new KineticaControl(client).beginBackup()));

    for (const canary of CANARIES) expect(seen).not.toContain(canary);
  });
});

function everythingSaidBy(value: unknown): string {
  const parts = [inspect(value, { depth: 12, showHidden: true }), JSON.stringify(value), String(value)];
  for (let error = value; error instanceof Error; error = error.cause) {
    parts.push(error.message, error.stack ?? '', JSON.stringify(error, Object.getOwnPropertyNames(error)));
  }
  return parts.join('\n');
}

describe('Redactor', () => {
  const secret = fc.string({ minLength: 8, unit: 'grapheme-ascii' }).filter((text) => text.trim().length >= 8);

  /** One that ends in a backslash takes the next escape with it: nothing leaks, but the rest is no JSON. */
  const embedded = secret.filter((text) => !text.endsWith('\\'));

  it('removes any password from any text, as it is and encoded', () => {
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (password, before, after) => {
        const redactor = new Redactor();
        redactor.remember({ user: 'u', password });
        const pair = Buffer.from(`u:${password}`).toString('base64');

        const redacted = redactor.redact(
          [before, password, after, JSON.stringify(password), encodeURIComponent(password), pair].join(' '),
        );

        return !redacted.includes(password) && !redacted.includes(pair);
      }),
    );
  });

  it('removes any password from JSON inside JSON, however deep and however escaped', () => {
    fc.assert(
      fc.property(embedded, fc.integer({ min: 0, max: 4 }), (password, depth) => {
        const redactor = new Redactor();
        redactor.remember({ token: password });
        let text = password;
        for (let level = 0; level < depth; level += 1) text = JSON.stringify({ echo: text });

        let redacted: unknown = redactor.redact(text);
        for (let level = 0; level < depth; level += 1) redacted = JSON.parse(String(redacted)).echo;

        return redacted === '[redacted]';
      }),
    );
  });

  it('removes a secret with runs of backslashes, line ends and characters outside of the basic plane', () => {
    const redactor = new Redactor();
    const token = '\\\\x\n\u{1F511}\\y';
    redactor.remember({ token });
    const escaped = [...token].map((piece) => `\\u${piece.charCodeAt(0).toString(16).padStart(4, '0')}`);

    expect(redactor.redact(`<${token}> <${JSON.stringify({ a: JSON.stringify(token) })}> <${encodeURI(token)}>`)).toBe(
      '<[redacted]> <{"a":"\\"[redacted]\\""}> <[redacted]>',
    );
    expect(redactor.redact(escaped.join('').replace('\\ud83d', '\\ud83d\\udd11'))).toBe('[redacted]');
  });

  it('removes an Authorization value that it has never seen and leaves prose', () => {
    const redactor = new Redactor();

    expect(redactor.redact('got Authorization: Bearer eyJhbGciOi.x.y, no')).toBe(
      'got Authorization: Bearer [redacted], no',
    );
    expect(redactor.redact('basic authentication required')).toBe('basic authentication required');
  });

  it('does not stumble over empty secrets', () => {
    const redactor = new Redactor();
    redactor.remember({ user: 'u', password: '' });

    expect(redactor.redact('fine')).toBe('fine');
  });
});
