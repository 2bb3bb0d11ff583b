import { readFileSync } from 'node:fs';
import { App, Validations } from 'aws-cdk-lib';
import * as z from 'zod/mini';
import type { RankvaultConfig } from '../core/config/schema.ts';
import { RankvaultChecks } from './acknowledge.ts';
import { type EntryOf, entryInFunctions, FunctionBundles } from './functions/function-bundles.ts';
import { FIXED_FUNCTION_NAMES, SITE_FUNCTION_NAMES } from './functions/function-names.ts';
import { VaultStack } from './vault-stack.ts';
import { WorkflowsStack } from './workflows-stack.ts';

interface RankvaultStacksProps {
  readonly config: RankvaultConfig;
  /** Where the code of a function begins. @default - functions/<name>.ts */
  readonly entryOf?: EntryOf;
  /** @default - the time of synthesis */
  readonly nowEpochMillis?: number;
}

interface RankvaultStacks {
  readonly vaultStack: VaultStack;
  readonly workflowsStack: WorkflowsStack;
}

/** The two stacks of a deployment, with cdk-nag watching: a finding that nobody acknowledged fails the synthesis. */
export function addRankvaultStacks(app: App, props: RankvaultStacksProps): RankvaultStacks {
  const { config, entryOf = entryInFunctions, nowEpochMillis = Date.now() } = props;
  const bundles = new FunctionBundles(config, [...FIXED_FUNCTION_NAMES, ...SITE_FUNCTION_NAMES], entryOf);
  try {
    const vaultStack = new VaultStack(app, `${config.deployment}-vault`, config.vault);
    const workflowsStack = new WorkflowsStack(app, `${config.deployment}-workflows`, {
      config,
      vault: vaultStack.vault,
      bundles,
      nowEpochMillis,
    });
    Validations.of(app).addPlugins(new RankvaultChecks(app));
    return { vaultStack, workflowsStack };
  } finally {
    bundles.dispose();
  }
}

/** An application outside of the CDK's command line: for tests, and for a runtime that executes the assembly. */
export function createRankvaultApp(
  props: RankvaultStacksProps & { readonly outdir: string },
): RankvaultStacks & { readonly app: App } {
  const app = new App({ outdir: props.outdir, context: featureFlags(), analyticsReporting: false });
  return { app, ...addRankvaultStacks(app, props) };
}

/** The flags of cdk.json, which the CDK's command line hands over by itself. */
function featureFlags(): Record<string, unknown> {
  const cdkJson: unknown = JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8'));
  return z.object({ context: z.record(z.string(), z.unknown()) }).parse(cdkJson).context;
}
