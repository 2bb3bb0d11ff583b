import { expect, it } from 'vitest';
import { PRICES } from '../../../core/pricing.ts';
import { billOf } from '../../../local/demo/bill.ts';
import { Counters } from '../../../local/s3/control/counters.ts';
import { type Operation, operations } from '../../../local/s3/protocol/operations.ts';

function countersOf(requests: readonly (readonly [caller: string, operation: Operation | 'Unknown'])[]): Counters {
  const counters = new Counters();
  for (const [caller, operation] of requests) {
    const facts = { operation, caller, bucket: 'b', key: 'k', status: 200, answered: true, bytesIn: 0, bytesOut: 0 };
    counters.record(facts);
  }
  return counters;
}

const kindOf = (operation: Operation | 'Unknown'): string => {
  const { writes, reads } = billOf(countersOf([['f', operation]]).snapshot(), 0);
  return writes === 1 ? 'write' : reads === 1 ? 'read' : 'free';
};

it.each<readonly [Operation | 'Unknown', string]>([
  ['ListObjectVersions', 'write'],
  ['ListMultipartUploads', 'write'],
  ['ListParts', 'write'],
  ['CopyObject', 'write'],
  ['HeadObject', 'read'],
  ['GetObject', 'read'],
  ['Unknown', 'read'],
  ['DeleteObjects', 'free'],
  ['DeleteObject', 'free'],
  ['AbortMultipartUpload', 'free'],
])('prices %s as a %s request', (operation, kind) => {
  expect(kindOf(operation)).toBe(kind);
});

it('prices by the verbs of the price list', () => {
  for (const operation of operations) {
    const expected = /^(Put|Copy|Create|Upload|Complete|List)/.test(operation)
      ? 'write'
      : /^(Delete|Abort)/.test(operation)
        ? 'free'
        : 'read';
    expect([operation, kindOf(operation)]).toEqual([operation, expected]);
  }
});

it('adds requests and state transitions up, without those of the samples', () => {
  const counters = countersOf([
    ['survey-removal', 'ListObjectVersions'],
    ['delete-versions', 'DeleteObjects'],
    ['laptop', 'GetObject'],
    ['sample', 'PutObject'],
  ]);
  expect(billOf(counters.snapshot(), 3)).toEqual({
    writes: 1,
    reads: 1,
    stateTransitions: 3,
    dollars: PRICES.s3WriteRequest + PRICES.s3ReadRequest + 3 * PRICES.stateTransition,
  });
});
