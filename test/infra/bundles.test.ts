import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { App, Stack } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../core/config/validate.ts';
import { entryInFunctions, FunctionBundles } from '../../infra/functions/function-bundles.ts';
import {
  CONFIGURED_FUNCTIONS,
  FIXED_FUNCTION_NAMES,
  type FunctionName,
  SITE_FUNCTION_NAMES,
} from '../../infra/functions/function-names.ts';
import { CONFIG } from './synthesized.ts';
import { temporaryDirectory } from './temporary.ts';

const config = parseConfig(CONFIG);
const PLAIN = fileURLToPath(new URL('stub-function.ts', import.meta.url));
const CONFIGURED = fileURLToPath(new URL('stub-configured-function.ts', import.meta.url));
const ALL: readonly FunctionName[] = [...FIXED_FUNCTION_NAMES, ...SITE_FUNCTION_NAMES];

/** Where the assembly has the code of each function. */
function staged(
  names: readonly FunctionName[],
  entryOf: (name: FunctionName) => string,
): ReadonlyMap<FunctionName, string> {
  const outdir = temporaryDirectory('bundles');
  const stack = new Stack(new App({ outdir }), 'Test');
  const bundles = new FunctionBundles(config, names, entryOf);
  const paths = new Map(
    names.map((name) => {
      const asset = new Asset(stack, name, { path: bundles.directoryOf(name) });
      return [name, join(outdir, asset.assetPath)];
    }),
  );
  bundles.dispose();
  return paths;
}

function code(paths: ReadonlyMap<FunctionName, string>, name: FunctionName): string {
  return readFileSync(join(paths.get(name) ?? '', 'index.mjs'), 'utf8');
}

/** Runs a script in a Node of its own, which loads the bundles as Lambda does: vitest would transform them first. */
function inNode(script: string, environment: Readonly<Record<string, string>> = {}): unknown {
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...environment },
    encoding: 'utf8',
  });
  return JSON.parse(output);
}

function urlOf(paths: ReadonlyMap<FunctionName, string>, name: FunctionName): string {
  return JSON.stringify(pathToFileURL(join(paths.get(name) ?? '', 'index.mjs')).href);
}

describe('bundles', () => {
  test('carry the configuration into the functions that plan, and into no other', () => {
    const paths = staged(['plan-snapshot', 'copy-parts'], (name) => (name === 'plan-snapshot' ? CONFIGURED : PLAIN));
    const script = `import { handler } from ${urlOf(paths, 'plan-snapshot')}; console.log(JSON.stringify(await handler()));`;
    expect(inNode(script)).toEqual(JSON.parse(JSON.stringify(config)));
    expect(code(paths, 'copy-parts')).not.toContain('prod_system');
  });

  test('refuse a function that reads the configuration and is not given it', () => {
    expect(() => staged(['copy-parts'], () => CONFIGURED)).toThrow(
      'functions/copy-parts.ts reads the configuration; add it to CONFIGURED_FUNCTIONS in infra/functions/function-names.ts.',
    );
  });

  test('are the same on every machine: nothing in them names a directory', () => {
    const paths = staged(['copy-parts'], () => PLAIN);
    const map = readFileSync(join(paths.get('copy-parts') ?? '', 'index.mjs.map'), 'utf8');
    expect(JSON.parse(map).sources).toEqual(['../../test/infra/stub-function.ts']);
    expect(map).not.toContain(tmpdir());
  });

  test('leave nothing behind in the temporary directory', () => {
    const bundles = new FunctionBundles(config, ['copy-parts'], () => PLAIN);
    const directory = bundles.directoryOf('copy-parts');
    expect(existsSync(directory)).toBe(true);
    bundles.dispose();
    expect(existsSync(directory)).toBe(false);
  });
});

describe('the shipped functions', () => {
  test('are all in functions/, and all of functions/ is shipped', () => {
    const files = readdirSync(new URL('../../functions/', import.meta.url)).filter((file) => file.endsWith('.ts'));
    expect(files.toSorted()).toEqual(ALL.map((name) => `${name}.ts`).toSorted());
  });

  test('load in Node from their bundles and export a handler', { timeout: 180_000 }, () => {
    const paths = staged(ALL, entryInFunctions);
    const imports = ALL.map((name) => `typeof (await import(${urlOf(paths, name)})).handler`);
    const environment = {
      VAULT_BUCKET: 'vault',
      WORK_BUCKET: 'work',
      DEPLOYMENT: 'test',
      AWS_REGION: 'eu-central-1',
      SITE_FUNCTIONS: '{}',
      RELEASE_MACHINE_ARN: 'arn',
      SCHEDULE_GROUP: 'group',
      SCHEDULE_ROLE_ARN: 'arn',
    };
    expect(inNode(`console.log(JSON.stringify([${imports.join(', ')}]));`, environment)).toEqual(
      ALL.map(() => 'function'),
    );
  });

  test('are configured where they ask for it', () => {
    for (const name of ALL) {
      const source = readFileSync(entryInFunctions(name), 'utf8');
      expect([name, source.includes('deployedConfig()')]).toEqual([name, CONFIGURED_FUNCTIONS.includes(name)]);
    }
  });
});
