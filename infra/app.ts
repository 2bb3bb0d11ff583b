import { App } from 'aws-cdk-lib';
import { RankvaultError } from '../core/errors.ts';
import { DEFAULT_CONFIG_PATH, loadConfig } from './load-config.ts';
import { addRankvaultStacks } from './rankvault-app.ts';

/** What `cdk` runs: `-c config=PATH`, else RANKVAULT_CONFIG, else ./rankvault.config.ts. */
async function main(): Promise<void> {
  const app = new App();
  const fromContext: unknown = app.node.tryGetContext('config');
  const path = typeof fromContext === 'string' ? fromContext : (process.env['RANKVAULT_CONFIG'] ?? DEFAULT_CONFIG_PATH);
  addRankvaultStacks(app, { config: await loadConfig(path) });
  app.synth();
}

try {
  await main();
} catch (error) {
  if (!(error instanceof RankvaultError)) {
    throw error;
  }
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = 1;
}
