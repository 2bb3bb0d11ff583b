import { describe, expect, it } from 'vitest';
import { KineticaConfigInvalid } from '../../../adapters/kinetica/kinetica-errors.ts';
import { endpointUrl, hostManagerUrl, parseBaseUrl } from '../../../adapters/kinetica/kinetica-urls.ts';

describe('base URL', () => {
  it.each([
    ['http://10.0.0.1:9191', 'http://10.0.0.1:9191/show/system/status'],
    ['http://10.0.0.1:9191/', 'http://10.0.0.1:9191/show/system/status'],
    ['https://db.example.com:8082/gpudb-0', 'https://db.example.com:8082/gpudb-0/show/system/status'],
    ['https://db.example.com:8082/gpudb-0//', 'https://db.example.com:8082/gpudb-0/show/system/status'],
    ['https://db.example.com/_gpudb', 'https://db.example.com/_gpudb/show/system/status'],
    ['https://db.example.com/a/b/gpudb-0/', 'https://db.example.com/a/b/gpudb-0/show/system/status'],
  ])('appends an endpoint to %s', (base, expected) => {
    expect(endpointUrl(parseBaseUrl(base), '/show/system/status').href).toBe(expected);
  });

  it.each([
    '10.0.0.1:9191',
    'db.example.com/gpudb-0',
    'ftp://db.example.com',
    'http://',
    'https://admin:canary-password@db.example.com',
    'https://admin@db.example.com',
    'https://db.example.com/?token=canary-password',
    'https://db.example.com/#x',
    '',
  ])('refuses %j without quoting it', (base) => {
    const parse = () => parseBaseUrl(base);

    expect(parse).toThrow(KineticaConfigInvalid);
    expect(parse).not.toThrow('canary-password');
  });
});

describe('host manager URL', () => {
  it.each([
    ['http://10.0.0.1:9191', 'http://10.0.0.1:9300/'],
    ['https://db.example.com:8082/gpudb-0', 'https://db.example.com:8082/gpudb-host-manager'],
    ['https://db.example.com/x/gpudb-0/', 'https://db.example.com/x/gpudb-host-manager'],
    ['https://db.example.com/_gpudb', 'https://db.example.com/gpudb-host-manager'],
  ])('derives from %s', (head, expected) => {
    expect(hostManagerUrl(parseBaseUrl(head), 9300).href).toBe(expected);
  });
});
