import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { GetObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import * as z from 'zod/mini';
import {
  maintainInputSchema,
  releaseInputSchema,
  restoreInputSchema,
  snapshotInputSchema,
  verifyInputSchema,
} from '../../core/execution-input.ts';
import { type LocalKinetica, startLocalKinetica } from '../../local/kinetica/local-kinetica.ts';
import { SegmentCluster } from '../../local/samples/segment-cluster.ts';
import { type JsonValue, parseJson } from '../../local/workflow/json.ts';
import sampleConfig from '../../rankvault.config.ts';
import { Journey, urlIn } from './support/journey.ts';
import {
  type Committed,
  committed,
  expectFailure,
  maintained,
  planned,
  restored,
  verified,
} from './support/outcomes.ts';
import type { FilePlace } from './support/places.ts';
import { expectSameTree } from './support/trees.ts';

const EVENTS = new URL('../../events/', import.meta.url);
const SMALL = { workers: 2, tomsPerRank: 1, tables: 1, segmentsPerTable: 2, segmentBytes: { medianBytes: 500 } };

const USER = 'backup_operator';
const PASSWORD = 'canary-7f3a91c2-password';
/** As it would leak: plain, and as it stands in the header of a request. */
const TRACES = [PASSWORD, Buffer.from(`${USER}:${PASSWORD}`).toString('base64')];

let journey: Journey;
let kinetica: LocalKinetica;
let prod: FilePlace;
let dr: FilePlace;
let writing: SegmentCluster;
const taken: Committed[] = [];
/** Everything that the functions log. */
const logged: string[] = [];
/** Every event of every execution. */
const events: string[] = [];

beforeAll(async () => {
  const { schedules = [], retention, verify, maintain } = sampleConfig.backups['prod_system'] ?? {};
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => logged.push(String(chunk)) > 0);
  }
  kinetica = await startLocalKinetica({ ranks: 2, credentials: { user: USER, password: PASSWORD } });
  journey = await Journey.start({
    logLevel: 'DEBUG',
    startEpochMillis: nextFridayNoon(),
    secrets: new Map([['kinetica/prod/backup', JSON.stringify({ user: USER, password: PASSWORD })]]),
    clusters: (directory) => ({
      prod: {
        control: {
          kind: 'kinetica',
          url: kinetica.baseUrl,
          hostManagerPort: kinetica.hostManagerPort,
          secret: 'kinetica/prod/backup',
        },
        roots: [{ name: 'persist', url: urlIn(directory, 'prod') }],
      },
      dr: { control: { kind: 'none' }, roots: [{ name: 'persist', url: urlIn(directory, 'dr') }] },
      scratch: {
        control: { kind: 'none' },
        scratch: true,
        roots: [{ name: 'persist', url: urlIn(directory, 'scratch') }],
      },
    }),
    backupNames: { prod: 'prod_system' },
    // The same schedules as in the sample configuration, verifications, collections and drills included.
    backups: { prod: { schedules, retention, verify, maintain } },
  });
  prod = journey.filePlace('prod');
  dr = journey.filePlace('dr');
  journey.filePlace('scratch');
  writing = new SegmentCluster({ seed: 'events', ...SMALL }, prod.tree);
  await writing.create();
});
afterEach(() => {
  events.push(...journey.events.map((event) => JSON.stringify(event)));
  journey.calm();
});
afterAll(async () => {
  vi.restoreAllMocks();
  await journey.close();
  await kinetica.close();
});

/** So that few nights have a Sunday among them. */
function nextFridayNoon(): number {
  const day = 24 * 3_600_000;
  const noon = Math.ceil(Date.now() / day) * day + day / 2;
  return noon + ((5 - new Date(noon).getUTCDay() + 7) % 7) * day;
}

function sample(name: string): JsonValue {
  return parseJson(readFileSync(new URL(name, EVENTS), 'utf8'));
}

/** Without the files of this list no event is run below. */
const SNAPSHOTS = ['full', 'incremental', 'differential', 'scheduled', 'gently'].map((name) => `snapshot-${name}.json`);
const RESTORES = ['into-empty', 'dry-run', 'latest-replace', 'rename', 'trusting-times'].map(
  (name) => `restore-${name}.json`,
);
const OLDER = 'restore-older-snapshot.json';
const RELEASE = 'release-by-hand.json';
/** In an order in which each finds something to do. Those that name a snapshot name one of the sample's; here it is another. */
const MAINTENANCE = [
  'pin',
  'unpin',
  'purge-dry-run',
  'purge',
  'undelete',
  'purge-immediately',
  'merge-dry-run',
  'merge',
  'expire-dry-run',
  'expire',
  'freeze',
  'thaw',
  'repair',
  'collect',
  'drop-dry-run',
  'drop-many-dry-run',
  'drop',
  'undelete-all',
].map((name) => `maintain-${name}.json`);
const VERIFICATIONS = ['present', 'present-latest', 'read-budget', 'read-latest', 'drill'].map(
  (name) => `verify-${name}.json`,
);

test('every sample is run here, and no other', () => {
  const run = [...SNAPSHOTS, ...RESTORES, OLDER, RELEASE, ...MAINTENANCE, ...VERIFICATIONS];
  expect(readdirSync(EVENTS).sort()).toEqual(run.sort());
});

test('names of the samples are those of the sample configuration', () => {
  for (const name of [...SNAPSHOTS, ...RESTORES, OLDER, ...MAINTENANCE, ...VERIFICATIONS]) {
    const { backup, cluster = 'prod' } = z
      .looseObject({ backup: z.string(), cluster: z.optional(z.string()) })
      .parse(sample(name));
    const configured = Object.keys(sampleConfig.backups);
    expect(configured.some((each) => each === backup || each.startsWith(backup.replace(/\*$/, '')))).toBe(true);
    expect(Object.keys(sampleConfig.clusters)).toContain(cluster);
  }
});

test.each(SNAPSHOTS)('%s takes a snapshot', async (name) => {
  const input = snapshotInputSchema.parse(sample(name));
  await writing.append({ segments: 1 });
  journey.laptop.clock.jump(60_000);
  const snapshot = committed(await journey.laptop.run('Snapshot', sample(name)));
  taken.push(snapshot);
  expect(snapshot.type).toBe(input.type);
  expect(kinetica.mode).toBe('normal');
});

test.each(RESTORES)('%s restores, or tells what it would do', async (name) => {
  const { options } = restoreInputSchema.parse(sample(name));
  if (options.policy === 'none') {
    await dr.wipe();
  } else {
    await dr.tree.write('rank-1/tom-0/foreign.seg', [Buffer.from('not of the snapshot')]);
  }
  journey.laptop.clock.jump(60_000);
  const view = await journey.laptop.run('Restore', sample(name));
  if (options.dryRun) {
    expect(planned(view).todo.remove).toBe(1);
    return;
  }
  expect(restored(view).snapshot).toBe(taken.at(-1)?.snapshot);
  expectSameTree(await prod.read(), await dr.read());
});

test(`${OLDER} restores the snapshot that it names`, async () => {
  const input = restoreInputSchema.parse(sample(OLDER));
  expectFailure(await journey.laptop.run('Restore', sample(OLDER)), {
    error: 'SnapshotNotFound',
    problem: /has no snapshot "snapshot\.2027-01-03\.01-00-00"/,
    hint: /Its newest are snapshot\./,
  });
  const first = taken[0]?.snapshot ?? '';
  expect(
    restored(await journey.laptop.run('Restore', parseJson(JSON.stringify({ ...input, snapshot: first })))).snapshot,
  ).toBe(first);
});

test.each(VERIFICATIONS)('%s verifies, and finds nothing', async (name) => {
  const { level } = verifyInputSchema.parse(sample(name));
  journey.laptop.clock.jump(60_000);
  const verification = verified(await journey.laptop.run('Verify', sample(name)));
  expect(verification).toMatchObject({ level, findings: {} });
  expect(verification.checked.parts).toBeGreaterThan(0);
});

test.each(MAINTENANCE)('%s does what it says, or tells what it would do', async (name) => {
  const input = z.looseObject({ snapshot: z.optional(z.string()) }).parse(sample(name));
  const { action, dryRun } = maintainInputSchema.parse(sample(name));
  const which = new Map<string, number>([
    ['unpin', 4],
    ['purge', 1],
    ['undelete', 1],
    ['merge', 4],
  ]).get(action);
  const named = input.snapshot?.startsWith('snapshot.') ? { snapshot: taken[which ?? 0]?.snapshot ?? '' } : {};
  journey.laptop.clock.jump(60_000);
  const view = await journey.laptop.run('Maintain', parseJson(JSON.stringify({ ...input, ...named })));
  expect(maintained(view)).toMatchObject({ action, outcome: dryRun ? 'planned' : 'done' });
  await journey.laptop.quiet();
});

test(`${RELEASE} releases the hold of its nonce and no other`, async () => {
  const { runtime } = journey.laptop;
  void kinetica.writeGateClosed().then(() => {
    for (const { executionArn } of runtime.list({ status: 'RUNNING' })) {
      runtime.stop(executionArn);
    }
  });
  expect((await journey.trySnapshot({ backup: 'prod_system' }, 'full')).status).toBe('ABORTED');
  const input = releaseInputSchema.parse(sample(RELEASE));
  expect((await journey.laptop.run('Release', sample(RELEASE))).status).toBe('SUCCEEDED');
  expect(kinetica.mode).toBe('backing_up');
  const object = await journey.laptop.s3Client.send(
    new GetObjectCommand({ Bucket: journey.laptop.workBucket, Key: 'quiesce/prod.json' }),
  );
  const { nonce } = z
    .looseObject({ nonce: z.string() })
    .parse(JSON.parse((await object.Body?.transformToString()) ?? ''));
  const view = await journey.laptop.run('Release', { cluster: input.cluster, nonce, reason: input.reason ?? '' });
  expect(view.status).toBe('SUCCEEDED');
  expect(kinetica.mode).toBe('normal');
});

test('a weekend passes as the schedules say, without anybody: snapshots, expiries, readings, a look at everything, a collection', async () => {
  const { clock, runtime } = journey.laptop;
  const of = (machine: string) => runtime.list({ stateMachineArn: journey.laptop.machineArn(machine) });
  const before = {
    snapshots: of('Snapshot').length,
    maintenance: of('Maintain').length,
    verifications: of('Verify').length,
  };
  await clock.advance(3 * 24 * 3_600_000);
  await journey.laptop.quiet();
  const nights = of('Snapshot').slice(0, -before.snapshots);
  const snapshots = nights.map((view) => committed(view));
  expect(snapshots).toHaveLength(3);
  for (const [index, { input }] of nights.entries()) {
    const { schedule, scheduledTime } = snapshotInputSchema.parse(input);
    expect(schedule).toBe(snapshots[index]?.type === 'full' ? 'weekly' : 'nightly');
    expect(scheduledTime).toMatch(/T0[01]:00:00Z$/);
  }
  const actions = of('Maintain')
    .slice(0, -before.maintenance)
    .map((view) => maintained(view).action);
  expect(actions.sort()).toEqual(['collect', 'expire', 'expire', 'expire']);
  const verifications = of('Verify').slice(0, -before.verifications);
  const levels = verifications.map((view) => verified(view).level);
  expect(levels.filter((level) => level !== 'restored').sort()).toEqual(['present', 'read', 'read', 'read']);
});

test('no credential is in the state, the logs, the catalog or the work bucket, whatever the server answers', async () => {
  // A server that repeats what it was sent, as error pages do.
  const message = `bad request: Authorization: Basic ${TRACES[1]}, password ${PASSWORD}`;
  const body = JSON.stringify({ status: 'ERROR', message, data_type: 'none', data: '', data_str: '' });
  kinetica.faults.answerNext(1, { httpStatus: 400, contentType: 'application/json', body });
  expectFailure(await journey.trySnapshot({ backup: 'prod_system' }, 'full'), {
    error: 'KineticaRefused',
    problem: /bad request/,
    hint: /\w+/,
  });
  const seen = [
    ...(await bucketTexts(journey.laptop.vaultBucket)),
    ...(await bucketTexts(journey.laptop.workBucket)),
    ...logged,
    ...events,
    ...journey.events.map((event) => JSON.stringify(event)),
    ...journey.laptop.runtime.list().map((execution) => JSON.stringify(execution)),
    ...journey.laptop.scheduler.list().map((schedule) => JSON.stringify(schedule)),
  ];
  expect(kinetica.requests.recent.some(({ authorization }) => authorization === 'basic')).toBe(true);
  // The search would find it: the name of the secret, which is no secret, is there, and so is what the server said.
  expect(seen.some((text) => text.includes('kinetica/prod/backup'))).toBe(true);
  expect(logged.some((text) => text.includes('bad request'))).toBe(true);
  for (const trace of TRACES) {
    expect(seen.filter((text) => text.includes(trace))).toEqual([]);
  }
});

/** Keys and contents of every object, unpacked where it is packed. */
async function bucketTexts(Bucket: string): Promise<string[]> {
  const client = journey.laptop.s3Client;
  const texts: string[] = [];
  for await (const page of paginateListObjectsV2({ client }, { Bucket })) {
    for (const { Key } of page.Contents ?? []) {
      const object = await client.send(new GetObjectCommand({ Bucket, Key }));
      const bytes = Buffer.from((await object.Body?.transformToByteArray()) ?? []);
      texts.push(Key ?? '', (Key?.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1'));
    }
  }
  return texts;
}
