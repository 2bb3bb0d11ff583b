import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { type BuildOptions, buildSync } from 'esbuild';
import type { RankvaultConfig } from '../../core/config/schema.ts';
import { CONFIGURED_FUNCTIONS, type FunctionName } from './function-names.ts';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

/** The identifier that the planning functions find the configuration in. */
const CONFIG_IDENTIFIER = 'RANKVAULT_CONFIG_JSON';

/** CommonJS packages inside an ES module still call `require` for Node's own modules. */
const REQUIRE_BANNER =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

const BUILD_OPTIONS = {
  absWorkingDir: REPOSITORY,
  outdir: join(REPOSITORY, 'bundles'),
  outExtension: { '.js': '.mjs' },
  bundle: true,
  write: false,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'],
  banner: { js: REQUIRE_BANNER },
  minify: true,
  keepNames: true,
  legalComments: 'none',
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
} as const satisfies BuildOptions;

export type EntryOf = (name: FunctionName) => string;

export const entryInFunctions: EntryOf = (name) => join(REPOSITORY, 'functions', `${name}.ts`);

/**
 * The code of every function, bundled by esbuild in two runs: one with the configuration in it, one without. `NodejsFunction` would
 * start esbuild through npx once for each of the functions, and pass the configuration on a command line. Nothing needs Docker.
 *
 * A function that several sites have is one asset.
 */
export class FunctionBundles {
  readonly #directory = mkdtempSync(join(tmpdir(), 'rankvault-bundles-'));
  readonly #codes = new Map<FunctionName, lambda.Code>();

  constructor(config: RankvaultConfig, names: readonly FunctionName[], entryOf: EntryOf) {
    try {
      this.#bundleAll(config, names, entryOf);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  #bundleAll(config: RankvaultConfig, names: readonly FunctionName[], entryOf: EntryOf): void {
    const configured = names.filter((name) => CONFIGURED_FUNCTIONS.includes(name));
    const plain = names.filter((name) => !CONFIGURED_FUNCTIONS.includes(name));
    this.#bundle(plain, entryOf, {});
    this.#bundle(configured, entryOf, { [CONFIG_IDENTIFIER]: JSON.stringify(JSON.stringify(config)) });
    for (const name of names) {
      this.#codes.set(name, lambda.Code.fromAsset(this.directoryOf(name)));
    }
  }

  codeOf(name: FunctionName): lambda.Code {
    const code = this.#codes.get(name);
    if (code === undefined) {
      throw new Error(`${name} was not bundled; add it to infra/functions/function-names.ts.`);
    }
    return code;
  }

  directoryOf(name: FunctionName): string {
    return join(this.#directory, name);
  }

  /** Removes the bundles; the assembly has its own copies once the functions exist. */
  dispose(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #bundle(names: readonly FunctionName[], entryOf: EntryOf, define: Record<string, string>): void {
    const entryPoints = names.map((name) => ({ in: entryOf(name), out: `${name}/index` }));
    const result = buildSync({ ...BUILD_OPTIONS, entryPoints, define });
    for (const file of result.outputFiles) {
      const path = join(this.#directory, relative(BUILD_OPTIONS.outdir, file.path));
      if (file.text.includes(CONFIG_IDENTIFIER) && path.endsWith('.mjs')) {
        throw new Error(
          `functions/${basename(dirname(path))}.ts reads the configuration; add it to CONFIGURED_FUNCTIONS in infra/functions/function-names.ts.`,
        );
      }
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, file.contents);
    }
  }
}
