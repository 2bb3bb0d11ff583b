import { gunzipSync } from 'node:zlib';
import { GetObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type LocalKinetica, startLocalKinetica } from '../../local/kinetica/local-kinetica.ts';
import { SegmentCluster } from '../../local/samples/segment-cluster.ts';
import { Journey, urlIn } from './support/journey.ts';
import { expectFailure } from './support/outcomes.ts';

const USER = 'backup_operator';
const PASSWORD = 'canary-7f3a91c2-password';
/** As it would leak: plain, and as it stands in the header of a request. */
const TRACES = [PASSWORD, Buffer.from(`${USER}:${PASSWORD}`).toString('base64')];
const SMALL = { workers: 1, tomsPerRank: 1, tables: 1, segmentsPerTable: 2, segmentBytes: { medianBytes: 500 } };

let journey: Journey;
let kinetica: LocalKinetica;
const logged: string[] = [];

beforeAll(async () => {
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => logged.push(String(chunk)) > 0);
  }
  kinetica = await startLocalKinetica({ ranks: 1, credentials: { user: USER, password: PASSWORD } });
  journey = await Journey.start({
    logLevel: 'DEBUG',
    files: 1,
    secrets: new Map([['kinetica/prod', JSON.stringify({ user: USER, password: PASSWORD })]]),
    clusters: (directory) => ({
      prod: {
        control: {
          kind: 'kinetica',
          url: kinetica.baseUrl,
          hostManagerPort: kinetica.hostManagerPort,
          secret: 'kinetica/prod',
        },
        roots: [{ name: 'persist', url: urlIn(directory, 'prod') }],
      },
    }),
  });
});
afterAll(async () => {
  vi.restoreAllMocks();
  await journey.close();
  await kinetica.close();
});

test('no credential is in the state, the logs, the catalog or the work bucket, whatever the server answers', async () => {
  const prod = journey.filePlace('prod');
  await new SegmentCluster({ seed: 'secret', ...SMALL }, prod.tree).create();
  await journey.snapshot(prod, 'full');
  // A server that repeats what it was sent, as error pages do.
  const echo = { httpStatus: 400, contentType: 'application/json' };
  const message = `bad request: Authorization: Basic ${TRACES[1]}, password ${PASSWORD}`;
  const body = JSON.stringify({ status: 'ERROR', message, data_type: 'none', data: '', data_str: '' });
  kinetica.faults.answerNext(1, { ...echo, body });
  const view = await journey.trySnapshot(prod, 'full');
  expectFailure(view, { error: 'KineticaRefused', problem: /bad request/, hint: /\w+/ });
  await journey.restore(prod, journey.takeFiles());

  const seen = [
    ...(await bucketTexts(journey.laptop.vaultBucket)),
    ...(await bucketTexts(journey.laptop.workBucket)),
    ...logged,
    ...journey.events.map((event) => JSON.stringify(event)),
    ...journey.laptop.runtime.list().map((execution) => JSON.stringify(execution)),
    ...journey.laptop.scheduler.list().map((schedule) => JSON.stringify(schedule)),
  ];
  expect(kinetica.requests.recent.some(({ authorization }) => authorization === 'basic')).toBe(true);
  // The search would find it: the name of the secret, which is no secret, is there.
  expect(seen.some((text) => text.includes('kinetica/prod'))).toBe(true);
  expect(logged.some((text) => text.includes('"level":"ERROR"') && text.includes('bad request'))).toBe(true);
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
