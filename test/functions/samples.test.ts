import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import {
  maintainInputSchema,
  releaseInputSchema,
  restoreInputSchema,
  snapshotInputSchema,
  verifyInputSchema,
} from '../../core/execution-input.ts';
import { VERIFY_LEVELS } from '../../core/verification.ts';
import sampleConfig from '../../rankvault.config.ts';

const EVENTS = new URL('../../events/', import.meta.url);
const NAMES = readdirSync(EVENTS);

const SCHEMAS: Readonly<Record<string, z.ZodMiniType>> = {
  snapshot: snapshotInputSchema,
  restore: restoreInputSchema,
  release: releaseInputSchema,
  maintain: maintainInputSchema,
  verify: verifyInputSchema,
};

function sample(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, EVENTS), 'utf8'));
}

function samplesOf(machine: string): readonly unknown[] {
  return NAMES.filter((name) => name.startsWith(`${machine}-`)).map(sample);
}

describe('the samples of inputs', () => {
  test.each(NAMES)('%s is taken by the machine that it is named for', (name) => {
    const schema = SCHEMAS[name.split('-')[0] ?? ''];
    expect(schema?.safeParse(sample(name)).error?.issues).toBeUndefined();
    expect(schema).toBeDefined();
  });

  test('have one for every action of Maintain, and for every level of Verify', () => {
    const actions = maintainInputSchema._zod.def.options.flatMap((option) => [
      ...option._zod.def.shape.action._zod.def.values,
    ]);
    expect(actions).toHaveLength(11);
    const shown = samplesOf('maintain').map((each) => maintainInputSchema.parse(each).action);
    expect(actions.filter((action) => !shown.includes(action))).toEqual([]);
    const levels = samplesOf('verify').map((each) => verifyInputSchema.parse(each).level);
    expect(VERIFY_LEVELS.filter((level) => !levels.includes(level))).toEqual([]);
  });

  test('have a dry run for every action that deletes', () => {
    const dry = samplesOf('maintain').flatMap((each) => {
      const { action, dryRun } = maintainInputSchema.parse(each);
      return dryRun ? [action] : [];
    });
    expect([...new Set(dry)].toSorted()).toEqual(['drop', 'expire', 'merge', 'purge']);
  });

  test('name backups and clusters of the sample configuration', () => {
    const known = Object.keys(sampleConfig.backups);
    for (const each of ['snapshot', 'restore', 'maintain', 'verify'].flatMap(samplesOf)) {
      const named = z.looseObject({ backup: z.string(), cluster: z.optional(z.string()) }).parse(each);
      const { backup, cluster = 'prod' } = named;
      expect(Object.keys(sampleConfig.clusters)).toContain(cluster);
      expect(known.some((name) => name === backup || name.startsWith(backup.replace(/\*$/, '')))).toBe(true);
    }
  });
});
