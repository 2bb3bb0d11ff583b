import { configSchema, type RankvaultConfig } from '../../core/config/schema.ts';

/** The configuration as JSON, validated at synthesis; put in its place when the function is bundled, so that it travels with the code. */
declare const RANKVAULT_CONFIG_JSON: string;

export function deployedConfig(): RankvaultConfig {
  return configSchema.parse(JSON.parse(RANKVAULT_CONFIG_JSON));
}
