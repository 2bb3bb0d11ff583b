import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from './temporary.ts';

const APP = fileURLToPath(new URL('../../infra/app.ts', import.meta.url));

/** A configuration that is refused with its own name in the message. */
function refused(name: string): string {
  const path = join(temporaryDirectory('app'), 'config.json');
  writeFileSync(path, JSON.stringify({ deployment: `${name}_`, clusters: {}, backups: {} }));
  return path;
}

/** What `cdk` runs, in a directory that has no rankvault.config.ts. */
function run(environment: Readonly<Record<string, string>>) {
  const cwd = temporaryDirectory('app');
  return spawnSync(process.execPath, [APP], { cwd, env: environment, encoding: 'utf8' });
}

describe('the app', () => {
  test('takes the configuration of the context before that of the environment', () => {
    const context = JSON.stringify({ config: refused('context') });
    const { stderr } = run({ CDK_CONTEXT_JSON: context, RANKVAULT_CONFIG: refused('environment') });
    expect(stderr).toContain("deployment is 'context_'");
  });

  test('takes the configuration of the environment before the one at hand', () => {
    expect(run({ RANKVAULT_CONFIG: refused('environment') }).stderr).toContain("deployment is 'environment_'");
  });

  test('takes rankvault.config.ts of the working directory when nothing is named', () => {
    expect(run({}).stderr).toContain('rankvault.config.ts cannot be read');
  });

  test('tells what is wrong without a stack trace, and fails', () => {
    const { status, stderr } = run({ RANKVAULT_CONFIG: refused('bad') });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ConfigInvalid: The configuration is not valid:\n/);
    expect(stderr).not.toContain('    at ');
  });
});
