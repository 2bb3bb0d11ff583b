import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RankvaultConfigInput } from '../../core/config/schema.ts';
import { parseConfig } from '../../core/config/validate.ts';
import { createRankvaultApp } from '../../infra/rankvault-app.ts';
import { type Assembly, AssemblyRefused, type ResourceIdentity } from '../assembly/assembly-model.ts';
import { readAssembly } from '../assembly/read-assembly.ts';

/**
 * Synthesizes the stacks in process, as `cdk synth` would, and reads back what it wrote. A directory that holds an assembly
 * already is taken as it is.
 */
export function synthesize(config: RankvaultConfigInput, outdir: string): Assembly {
  if (!existsSync(join(outdir, 'manifest.json'))) {
    createRankvaultApp({ config: parseConfig(config, { laptop: true }), outdir }).app.synth();
  }
  return readAssembly(outdir);
}

/** @param constructId as it stands in the path of the construct tree: `Snapshot`, `Vault/Bucket` */
export function resourceNamed<T extends ResourceIdentity>(resources: readonly T[], constructId: string): T {
  const found = resources.find(({ constructPath }) => `${constructPath}/`.includes(`/${constructId}/`));
  if (found === undefined) {
    throw new AssemblyRefused(
      `The assembly has no ${constructId}. It has ${resources.map((each) => each.constructPath).join(', ')}.`,
    );
  }
  return found;
}
