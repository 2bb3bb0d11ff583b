import { spawn } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../docs/restore-by-hand.sh', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs docs/restore-by-hand.sh as a person would, with `aws` replaced by the stand-in, and `jq` by its WebAssembly build where the
 * machine has none.
 */
export class RestoreScript {
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(environment: Readonly<Record<string, string>>) {
    this.#environment = environment;
  }

  /**
   * RANKVAULT_TEST_JQ=wasm: the WebAssembly jq also where the machine has one.
   * @param bin a new directory for the stand-ins, to be found first on the PATH
   */
  static async install(bin: string, endpoint: string): Promise<RestoreScript> {
    const { PATH = '', RANKVAULT_TEST_JQ } = process.env;
    const environment = {
      PATH: [bin, PATH].join(delimiter),
      // The stand-in starts once for each request: compiling the SDK each time would be most of its work.
      NODE_COMPILE_CACHE: join(bin, 'compile-cache'),
      LC_ALL: 'C.UTF-8',
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'by-hand',
      AWS_SECRET_ACCESS_KEY: 'by-hand',
    };
    await mkdir(bin);
    await installStandIn(bin, 'aws');
    if ((await run('sh', ['-c', 'command -v jq'], environment)).code !== 0 || RANKVAULT_TEST_JQ === 'wasm') {
      await installStandIn(bin, 'jq');
    }
    return new RestoreScript(environment);
  }

  restore(request: { bucket: string; backup: string; snapshot: string; target: string }): Promise<Ended> {
    const { bucket, backup, snapshot, target } = request;
    return run('bash', [SCRIPT, bucket, backup, snapshot, target], this.#environment);
  }

  aws(...args: readonly string[]): Promise<Ended> {
    return run('aws', args, this.#environment);
  }
}

async function installStandIn(bin: string, name: 'aws' | 'jq'): Promise<void> {
  const program = fileURLToPath(new URL(`tools/${name}-stand-in.ts`, import.meta.url));
  const file = join(bin, name);
  await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  await chmod(file, 0o755);
}

async function run(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}
