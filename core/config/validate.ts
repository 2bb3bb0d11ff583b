import { ConfigInvalid } from '../errors.ts';
import { backupFindings } from './backup-findings.ts';
import { clusterFindings } from './cluster-findings.ts';
import { namesDifferingInCase } from './names.ts';
import { rootFindings } from './root-findings.ts';
import { configSchema, type RankvaultConfig, type RankvaultConfigInput } from './schema.ts';
import { shapeFindings } from './shape-findings.ts';
import { sizeFindings } from './size-findings.ts';
import { vaultFindings } from './vault-findings.ts';

export interface ValidationOptions {
  /** The clusters are reached from this machine: no mounts, no VPC. @default false - they are reached from Lambda */
  readonly laptop?: boolean;
}

/** Types and completes a configuration file; `parseConfig` checks it. */
export function defineConfig(config: RankvaultConfigInput): RankvaultConfigInput {
  return config;
}

/** @throws ConfigInvalid with every finding, one a line */
export function parseConfig(input: unknown, options: ValidationOptions = {}): RankvaultConfig {
  const parsed = configSchema.safeParse(input, { reportInput: true });
  if (!parsed.success) {
    throw invalid(shapeFindings(parsed.error.issues));
  }
  const findings = configFindings(parsed.data, options);
  if (findings.length > 0) {
    throw invalid(findings);
  }
  return parsed.data;
}

/** What is wrong with a well-formed configuration; empty when nothing is. */
function configFindings(config: RankvaultConfig, options: ValidationOptions): readonly string[] {
  return [
    ...deploymentFindings(config.deployment),
    ...namesDifferingInCase('clusters', Object.keys(config.clusters)),
    ...namesDifferingInCase('backups', Object.keys(config.backups)),
    ...(Object.keys(config.clusters).length === 0 ? ['clusters is empty; name at least one cluster'] : []),
    ...vaultFindings(config.vault),
    ...Object.entries(config.clusters).flatMap(([name, cluster]) =>
      clusterFindings(`clusters.${name}`, cluster, options),
    ),
    ...rootFindings(config.clusters),
    ...Object.entries(config.backups).flatMap(([name, backup]) =>
      backupFindings(`backups.${name}`, backup, config.clusters),
    ),
    ...sizeFindings(config),
  ];
}

/** Stack names take letters, digits and hyphens (CloudFormation, CreateStack). */
function deploymentFindings(deployment: string): readonly string[] {
  return deployment.includes('_')
    ? [`deployment is '${deployment}', which cannot begin the name of a stack; leave out the '_'`]
    : [];
}

function invalid(findings: readonly string[]): ConfigInvalid {
  return new ConfigInvalid(['The configuration is not valid:', ...findings, ''].join('\n'), {
    hint: 'Correct it in rankvault.config.ts, or in the file that you named.',
  });
}
