import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import * as z from 'zod/mini';
import { FIXED_FUNCTION_NAMES } from '../../infra/functions/function-names.ts';
import { Laptop } from '../../local/laptop/laptop.ts';
import { S3Error } from '../../local/s3/protocol/s3-error.ts';
import type { JsonObject } from '../../local/workflow/json.ts';
import { IamJudge } from './iam-judge.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const DATA = 'enforced-data';
const NEVER = { expression: 'rate(365 days)', enabled: false };

let directory: string;
let laptop: Laptop;
/** What was asked for without a grant. */
const denied = new Set<string>();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rankvault-enforced-'));
  laptop = await Laptop.start({
    directory: join(directory, 'laptop'),
    logLevel: 'SILENT',
    machineAheadMillis: 5_000,
    config: {
      clusters: {
        prod: { control: { kind: 'none' }, roots: [{ name: 'persist', url: `s3://${DATA}/prod` }] },
        scratch: {
          control: { kind: 'none' },
          roots: [{ name: 'persist', url: `s3://${DATA}/scratch` }],
          scratch: true,
        },
      },
      backups: {
        prod_system: {
          kind: 'system',
          cluster: 'prod',
          retention: { keepFulls: 1, keepDays: 1, undeleteDays: 0 },
          verify: { present: NEVER, read: { ...NEVER, budget: { parts: 1 } } },
          maintain: { collect: NEVER },
        },
      },
    },
  });
  await laptop.s3Client.send(new CreateBucketCommand({ Bucket: DATA }));
  const judge = new IamJudge(laptop.assembly);
  laptop.s3.observe({
    before: (facts) => {
      const missing = judge.missingFor(facts);
      if (missing !== undefined) {
        denied.add(missing);
        throw new S3Error('AccessDenied', missing);
      }
    },
  });
});
afterAll(async () => {
  await laptop.close();
  rmSync(directory, { recursive: true, force: true });
});

async function write(generation: number): Promise<void> {
  for (const [rank, path] of [
    [0, 'gaia.conf'],
    [1, `tom-0/t1/${generation}.seg`],
    [1, 'tom-0/t1/first.seg'],
  ] as const) {
    const Body = `${path} of generation ${path.includes('first') ? 0 : generation}`;
    await laptop.s3Client.send(new PutObjectCommand({ Bucket: DATA, Key: `prod/rank-${rank}/${path}`, Body }));
  }
}

async function run(machine: string, input: JsonObject): Promise<unknown> {
  laptop.clock.jump(60_000);
  const view = await laptop.run(machine, input);
  await laptop.quiet();
  expect([...denied], JSON.stringify(input)).toEqual([]);
  expect([input, view.status, view.error, view.cause]).toEqual([input, 'SUCCEEDED', undefined, undefined]);
  return view.output;
}

const committedSchema = z.object({ snapshot: z.object({ snapshot: z.string() }) });

async function snapshot(type: string): Promise<string> {
  await write(Math.floor(laptop.clock.nowEpochMillis() / 1000));
  const output = await run('Snapshot', { backup: 'prod_system', type });
  return committedSchema.parse(output).snapshot.snapshot;
}

const maintain = (action: string, more: JsonObject = {}) => run('Maintain', { action, backup: 'prod_system', ...more });
const verify = (level: string, more: JsonObject = {}) => run('Verify', { level, backup: 'prod_system', ...more });

describe('the roles of the functions allow what the functions do', () => {
  test('on every machine, for every action and every level', async () => {
    const first = await snapshot('full');
    await snapshot('incremental');
    const third = await snapshot('incremental');
    await maintain('pin', { snapshot: first, reason: 'a test' });
    await maintain('unpin', { snapshot: first });
    await maintain('freeze');
    await maintain('thaw');
    await verify('present');
    await verify('read', { budget: { parts: 5 } });
    await maintain('merge', { snapshot: third });
    const fourth = await snapshot('incremental');
    await maintain('purge', { snapshot: fourth, dryRun: true });
    await maintain('purge', { snapshot: fourth, immediately: true });
    await maintain('repair');
    await verify('restored', { cluster: 'scratch' });
    await run('Restore', {
      backup: 'prod_system',
      cluster: 'scratch',
      options: { policy: 'replace', targetIsStopped: true },
    });
    laptop.clock.jump(3 * 86_400_000);
    await maintain('collect');
    await maintain('expire');
    await maintain('drop', { reason: 'a test' });
    await maintain('undelete');
  });

  test('and every function was called that does not quiesce a cluster', () => {
    const called = [...laptop.functions.invocations().keys()].map((name) => laptop.functions.find(name).constructPath);
    const missing = FIXED_FUNCTION_NAMES.filter(
      (name) =>
        !/release$/.test(name) && !called.some((path) => path.toLowerCase().includes(`/${name.replaceAll('-', '')}/`)),
    );
    // Nothing has failed.
    expect(missing).toEqual(['abort-run']);
  });

  test('and nothing beside: a function is refused what its role does not have', () => {
    const judge = new IamJudge(laptop.assembly);
    const nameOf = (id: string) =>
      laptop.assembly.functions.find(({ constructPath }) => constructPath.includes(`/${id}/`))?.name ?? '';
    const refused = (id: string, operation: 'DeleteObjects' | 'DeleteObject' | 'PutObject', key: string) =>
      judge.missingFor({ caller: nameOf(id), operation, bucket: laptop.vaultBucket, key });
    const tombstone = '.rankvault/catalog/prod_system/tombstones/snapshot.2027-01-03.01-00-00.json';
    expect(refused('CopyParts', 'DeleteObjects', '')).toContain('may not DeleteObjects');
    expect(refused('DeleteVersions', 'DeleteObjects', '')).toBeUndefined();
    expect(refused('DeleteVersions', 'DeleteObject', tombstone)).toContain('may not DeleteObject');
    expect(refused('PlanMaintenance', 'DeleteObject', tombstone)).toBeUndefined();
    expect(refused('ReadParts', 'PutObject', tombstone)).toContain('may not PutObject');
  });

  test('also to ask Step Functions who is still alive', () => {
    const judge = new IamJudge(laptop.assembly);
    const arn = laptop.machineArn('Maintain').replace(':stateMachine:', ':execution:');
    const asking = laptop.aws.requests().filter(({ operation }) => operation === 'states:DescribeExecution');
    expect(asking.filter(({ caller }) => !judge.mayDescribe(caller, `${arn}:any`))).toEqual([]);
  });
});
