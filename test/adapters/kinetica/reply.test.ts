import { describe, expect, it } from 'vitest';
import { interpretReply } from '../../../adapters/kinetica/reply.ts';

const PAGE = '<html><body>Proxy Error</body></html>';

function envelope(fields: Record<string, unknown>): string {
  return JSON.stringify({ status: 'OK', message: '', data_type: 'x_response', data: '', data_str: '{}', ...fields });
}

function errorBody(message: string): string {
  return envelope({ status: 'ERROR', message, data_type: 'none', data_str: '' });
}

describe('interpretReply', () => {
  it.each([
    ['200 and OK is success', 200, envelope({}), 'ok'],
    ['OK counts whatever the HTTP status', 500, envelope({}), 'ok'],
    ['200 and ERROR is a refusal', 200, errorBody('no such table'), 'refused'],
    ['400 and ERROR is a refusal', 400, errorBody('no such table'), 'refused'],
    ['400 while shutting down', 400, errorBody('System shutting down'), 'unavailable'],
    ['400 while draining', 400, errorBody('Unavailable: Draining HA queue'), 'unavailable'],
    ['401 with its envelope', 401, errorBody('Insufficient credentials'), 'unauthorized'],
    ['401 with a page', 401, PAGE, 'unauthorized'],
    ['403 of a proxy', 403, PAGE, 'unauthorized'],
    ['404 with its envelope', 404, errorBody('Unknown URI'), 'unsupported'],
    ['404 with plain text', 404, 'Unknown URI', 'unsupported'],
    ['500', 500, '', 'unavailable'],
    ['502', 502, PAGE, 'unavailable'],
    ['503', 503, 'Service Unavailable', 'unavailable'],
    ['504', 504, PAGE, 'unavailable'],
    ['500 with an error envelope', 500, errorBody('out of memory'), 'unavailable'],
    ['429 of a proxy', 429, '', 'unavailable'],
    ['302 to a login page', 302, '', 'redirected'],
    ['200 with a page', 200, PAGE, 'invalid'],
    ['200 with nothing', 200, '', 'invalid'],
    ['200 with JSON that is no envelope', 200, '{"hello":1}', 'invalid'],
    ['200 with an unknown status', 200, envelope({ status: 'MAYBE' }), 'invalid'],
    ['400 with a page', 400, PAGE, 'invalid'],
  ])('%s', (_title, httpStatus, bodyText, kind) => {
    expect(interpretReply({ httpStatus, bodyText }).kind).toBe(kind);
  });

  it.each([
    'Kinetica is exiting',
    'Kinetica is offline',
    'system-limited-fatal',
    'Connection refused',
    'Connection reset',
    'Query planner is not running',
    'Unexpected end of file from server',
    'System is offline',
  ])('takes a refusal that contains "%s" for an unavailable cluster', (text) => {
    const bodyText = errorBody(`Error: ${text} (rank 2)`);

    expect(interpretReply({ httpStatus: 200, bodyText })).toEqual({ kind: 'unavailable', reason: text });
  });

  it('keeps the message of a refusal', () => {
    const bodyText = errorBody('Backup mode is on');

    expect(interpretReply({ httpStatus: 400, bodyText })).toEqual({
      kind: 'refused',
      serverMessage: 'Backup mode is on',
    });
  });

  it.each([
    ['JSON in a string', '{"property_map":{"a":"1"}}'],
    ['an object', { property_map: { a: '1' } }],
    ['JSON in a string in a string', JSON.stringify('{"property_map":{"a":"1"}}')],
  ])('decodes data_str given as %s', (_title, data_str) => {
    const meaning = interpretReply({ httpStatus: 200, bodyText: envelope({ data_str }) });

    expect(meaning).toEqual({ kind: 'ok', record: { property_map: { a: '1' } } });
  });

  it('takes an envelope without message and with unknown fields', () => {
    const bodyText = '{"status":"OK","data_str":"{}","new_field":[1]}';

    expect(interpretReply({ httpStatus: 200, bodyText })).toEqual({ kind: 'ok', record: {} });
  });
});
