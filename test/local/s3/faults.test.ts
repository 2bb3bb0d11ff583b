import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { S3Error } from '../../../local/s3/protocol/s3-error.ts';
import { clientOf, running } from './running.ts';

const put = (Key = 'key', Body = 'x') => new PutObjectCommand({ Bucket: 'bkt', Key, Body });

async function nameOfFailure(request: Promise<unknown>): Promise<string> {
  const failure = await request.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure instanceof S3ServiceException) return `${failure.$metadata.httpStatusCode} ${failure.name}`;
  if (failure instanceof Error && 'code' in failure) return String(failure.code);
  return failure === undefined ? 'no failure' : String(failure);
}

it.each([
  ['slowDown', '503 SlowDown'],
  ['internalError', '500 InternalError'],
  ['accessDenied', '403 AccessDenied'],
  ['conflict', '409 ConditionalRequestConflict'],
  ['reset', 'ECONNRESET'],
] as const)('injects %s in place of the work', async (fault, seen) => {
  const { s3, client } = await running();
  const injected = s3.faults.inject({ fault, where: { operation: 'PutObject' } });
  expect(await nameOfFailure(client.send(put()))).toBe(seen);
  injected.remove();
  expect(await nameOfFailure(client.send(new HeadObjectCommand({ Bucket: 'bkt', Key: 'key' })))).toBe('404 NotFound');
  expect(injected.struck).toBe(1);
});

it('does the work of a request whose response it loses', async () => {
  const { s3, client } = await running();
  s3.faults.inject({ fault: 'loseResponse', where: { operation: 'PutObject' }, times: 1 });
  expect(await nameOfFailure(client.send(put('key', 'written')))).toBe('ECONNRESET');
  const { Body } = await client.send(new GetObjectCommand({ Bucket: 'bkt', Key: 'key' }));
  expect(await Body?.transformToString()).toBe('written');
  expect(await nameOfFailure(client.send(put()))).toBe('no failure');
});

it('answers a copy with 200 and an error, which the SDK must notice', async () => {
  const { s3, client } = await running();
  await client.send(put());
  s3.faults.inject({ fault: 'errorInBody' });
  const copy = new CopyObjectCommand({ Bucket: 'bkt', Key: 'copy', CopySource: 'bkt/key' });
  // The SDK turns such a 200 into a 503 of its own.
  expect(await nameOfFailure(client.send(copy))).toBe('503 InternalError');
  s3.faults.clear();
  expect(await nameOfFailure(client.send(new HeadObjectCommand({ Bucket: 'bkt', Key: 'copy' })))).toBe('404 NotFound');
});

it('strikes by operation, bucket, key and caller', async () => {
  const { s3, client } = await running();
  const other = clientOf(s3, 'rankvault/CopyParts');
  s3.faults.inject({ fault: 'slowDown', where: { key: 'named' } });
  s3.faults.inject({ fault: 'slowDown', where: { key: /^matching/ } });
  s3.faults.inject({ fault: 'slowDown', where: { key: (key) => key.length > 20 } });
  s3.faults.inject({ fault: 'slowDown', where: { caller: 'CopyParts' } });
  s3.faults.inject({ fault: 'slowDown', where: { bucket: 'elsewhere' } });
  s3.faults.inject({ fault: 'slowDown', where: { operation: ['GetObject', 'CopyObject'] } });
  for (const key of ['named', 'matching-a', 'a very long key indeed']) {
    expect(await nameOfFailure(client.send(put(key)))).toBe('503 SlowDown');
  }
  expect(await nameOfFailure(client.send(put('free')))).toBe('no failure');
  expect(await nameOfFailure(other.send(put('free')))).toBe('503 SlowDown');
  expect(await nameOfFailure(client.send(new GetObjectCommand({ Bucket: 'bkt', Key: 'free' })))).toBe('503 SlowDown');
  other.destroy();
});

it('strikes the nth matching request only, or all from the nth on', async () => {
  const { s3, client } = await running();
  s3.faults.inject({ fault: 'slowDown', where: { operation: 'PutObject' }, when: { nth: 2 } });
  s3.faults.inject({ fault: 'internalError', where: { operation: 'PutObject' }, when: { from: 4 } });
  const seen: string[] = [];
  for (let request = 1; request <= 5; request += 1) seen.push(await nameOfFailure(client.send(put())));
  expect(seen).toEqual(['no failure', '503 SlowDown', 'no failure', 'no failure', '500 InternalError']);
});

it('strikes with a probability, the same requests for the same seed', async () => {
  const { s3, client } = await running();
  const pattern = async () => {
    const injected = s3.faults.inject({ fault: 'slowDown', when: { probability: 0.4, seed: 7 } });
    const seen: boolean[] = [];
    for (let request = 0; request < 40; request += 1)
      seen.push((await nameOfFailure(client.send(put()))) !== 'no failure');
    injected.remove();
    return seen;
  };
  const first = await pattern();
  expect(await pattern()).toEqual(first);
  expect(new Set(first)).toEqual(new Set([true, false]));
});

it('holds a request before its work until it is released', async () => {
  const { s3, client } = await running();
  const hold = s3.faults.hold({ where: { operation: 'PutObject' } });
  const held = client.send(put());
  expect(await hold.reached).toMatchObject({ operation: 'PutObject', key: 'key', caller: 'test' });
  expect(hold.waiting).toBe(1);
  const head = new HeadObjectCommand({ Bucket: 'bkt', Key: 'key' });
  expect(await nameOfFailure(client.send(head))).toBe('404 NotFound');
  hold.release();
  await held;
  expect(await nameOfFailure(client.send(head))).toBe('no failure');
});

it('holds a response after the work, so that the writer does not know yet', async () => {
  const { s3, client } = await running();
  const hold = s3.faults.hold({ where: { operation: 'PutObject' }, when: { nth: 1 }, stage: 'after' });
  const held = client.send(put());
  await hold.reached;
  expect(await nameOfFailure(client.send(new HeadObjectCommand({ Bucket: 'bkt', Key: 'key' })))).toBe('no failure');
  hold.release();
  await held;
});

it('counts by operation and by caller, and starts again', async () => {
  const { s3, client } = await running();
  const engine = clientOf(s3, 'rankvault/CopyParts');
  s3.counters.reset();
  await engine.send(put('a', 'twelve bytes'));
  await engine.send(new CopyObjectCommand({ Bucket: 'bkt', Key: 'copy', CopySource: 'bkt/a' }));
  await nameOfFailure(client.send(new GetObjectCommand({ Bucket: 'bkt', Key: 'nothing' })));
  const { total, byOperation, byCaller } = s3.counters.snapshot();
  expect(total).toMatchObject({ requests: 3, failures: 1, bytesIn: 12 });
  expect(byOperation).toMatchObject({
    PutObject: { requests: 1 },
    CopyObject: { requests: 1 },
    GetObject: { failures: 1 },
  });
  expect(byCaller).toMatchObject({
    CopyParts: { requests: 2, failures: 0, byOperation: { PutObject: { bytesIn: 12 } } },
    test: { requests: 1, failures: 1 },
  });
  s3.counters.reset();
  expect(s3.counters.snapshot()).toEqual({
    total: { requests: 0, failures: 0, bytesIn: 0, bytesOut: 0 },
    byOperation: {},
    byCaller: {},
  });
  engine.destroy();
});

it('shows every request to an observer before and after, and to nobody later', async () => {
  const { s3, client } = await running();
  const seen: string[] = [];
  const stop = s3.observe({
    before: ({ operation, key }) => void seen.push(`${operation} ${key}`),
    after: ({ status, bytesIn, bytesOut, caller }) => void seen.push(`${status} ${bytesIn} ${bytesOut} ${caller}`),
  });
  await client.send(put('small', 'abc'));
  await client.send(put('large', 'x'.repeat(100_000)));
  for (const Key of ['small', 'large'])
    await (await client.send(new GetObjectCommand({ Bucket: 'bkt', Key }))).Body?.transformToByteArray();
  stop();
  await client.send(put('unseen'));
  expect(seen).toEqual([
    ...['PutObject small', '200 3 0 test', 'PutObject large', '200 100000 0 test'],
    ...['GetObject small', '200 0 3 test', 'GetObject large', '200 0 100000 test'],
  ]);
});

it('lets an observer answer in place of the work', async () => {
  const { s3, client } = await running();
  s3.observe({
    before({ operation, caller }) {
      if (operation === 'PutObject') throw new S3Error('AccessDenied', `${caller} may not write.`);
    },
  });
  expect(await nameOfFailure(client.send(put()))).toBe('403 AccessDenied');
});
