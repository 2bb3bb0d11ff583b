import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ConfigInvalid } from '../../core/errors.ts';
import { loadConfig } from '../../infra/load-config.ts';
import { temporaryDirectory } from './temporary.ts';

const CONFIG = {
  clusters: { dr: { control: { kind: 'none' }, roots: [{ name: 'persist', url: 's3://dr-data' }] } },
  backups: {},
};

function written(name: string, text: string): string {
  const path = join(temporaryDirectory('config'), name);
  writeFileSync(path, text);
  return path;
}

describe('a configuration file', () => {
  test.each([
    ['config.json', JSON.stringify(CONFIG)],
    ['config.mjs', `export default ${JSON.stringify(CONFIG)};`],
    ['config.mts', `const config: unknown = ${JSON.stringify(CONFIG)};\nexport default config;`],
  ])('may be %s', async (name, text) => {
    expect((await loadConfig(written(name, text))).clusters['dr']?.roots[0]?.url).toBe('s3://dr-data');
  });

  test('is refused with its findings when it is not valid', async () => {
    const path = written('config.json', JSON.stringify({ ...CONFIG, deployment: 'a_b' }));
    await expect(loadConfig(path)).rejects.toThrow(ConfigInvalid);
    await expect(loadConfig(path)).rejects.toThrow("deployment is 'a_b'");
  });

  test.each([
    ['is not there', '/nowhere/config.json', '/nowhere/config.json cannot be read'],
    ['does not parse', written('config.json', '{'), 'cannot be read: '],
    ['throws', written('config.mjs', "throw new Error('no such thing');"), 'cannot be read: no such thing'],
    [
      'exports nothing',
      written('config.mjs', 'export const config = {};'),
      'has no default export. Write `export default defineConfig({ ... })`.',
    ],
    [
      'is of another kind',
      written('config.yaml', ''),
      'is neither a module nor JSON. Name a file that ends in .ts, .mts, .js, .mjs, .json.',
    ],
  ])('that %s is refused by name', async (_, path, message) => {
    await expect(loadConfig(path)).rejects.toThrow(ConfigInvalid);
    await expect(loadConfig(path)).rejects.toThrow(message);
  });
});

test('the sample configuration is valid, and has a cluster for each kind of source and one to drill in', async () => {
  const { clusters } = await loadConfig(fileURLToPath(new URL('../../rankvault.config.ts', import.meta.url)));
  expect(
    Object.values(clusters)
      .map(({ source }) => source.kind)
      .toSorted(),
  ).toEqual(['files', 'files', 'files', 'kagent']);
  expect(Object.values(clusters).filter(({ scratch }) => scratch)).toHaveLength(1);
});
