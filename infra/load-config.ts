import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RankvaultConfig } from '../core/config/schema.ts';
import { parseConfig, type ValidationOptions } from '../core/config/validate.ts';
import { ConfigInvalid } from '../core/errors.ts';

export const DEFAULT_CONFIG_PATH = 'rankvault.config.ts';

const MODULES = ['.ts', '.mts', '.js', '.mjs'];

/**
 * Reads and checks a configuration: a module whose default export it is, or a JSON file.
 * @param path relative to the working directory
 * @throws ConfigInvalid
 */
export async function loadConfig(path: string, options: ValidationOptions = {}): Promise<RankvaultConfig> {
  return parseConfig(await read(resolve(path)), options);
}

async function read(path: string): Promise<unknown> {
  const extension = extname(path);
  if (extension !== '.json' && !MODULES.includes(extension)) {
    throw new ConfigInvalid(`The configuration ${path} is neither a module nor JSON.`, {
      hint: `Name a file that ends in ${[...MODULES, '.json'].join(', ')}.`,
    });
  }
  try {
    return extension === '.json' ? JSON.parse(await readFile(path, 'utf8')) : await defaultExport(path);
  } catch (error) {
    if (error instanceof ConfigInvalid) {
      throw error;
    }
    throw new ConfigInvalid(
      `The configuration ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
      {
        hint: 'Name another file by `-c config=PATH` or RANKVAULT_CONFIG, or correct this one.',
        cause: error,
      },
    );
  }
}

async function defaultExport(path: string): Promise<unknown> {
  const module: unknown = await import(pathToFileURL(path).href);
  if (typeof module === 'object' && module !== null && 'default' in module) {
    return module.default;
  }
  throw new ConfigInvalid(`The configuration ${path} has no default export.`, {
    hint: 'Write `export default defineConfig({ ... })`.',
  });
}
