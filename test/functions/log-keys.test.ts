import { describe, expect, test } from 'vitest';
import { logKeysOf, subjectOf } from '../../functions/runtime/log-keys.ts';

const RUN = {
  machine: 'Snapshot',
  execution: 'night-1',
  backup: 'prod_system',
  snapshot: 'snapshot.2026-01-31.23-59-59',
  cluster: 'prod',
};

const keysOf = (request: unknown) => logKeysOf(subjectOf(request));

describe('Every log line says what it is about', () => {
  test('a step on one rank names execution, backup, snapshot and rank', () => {
    expect(keysOf({ run: RUN, pass: 'final', rank: 3 })).toEqual({
      execution: 'night-1',
      backup: 'prod_system',
      snapshot: 'snapshot.2026-01-31.23-59-59',
      cluster: 'prod',
      rank: '3',
    });
  });

  test('a step on one batch names the rank of the batch', () => {
    expect(keysOf({ run: RUN, item: { rank: 'cluster', batch: 'b', key: 'k' } })['rank']).toBe('cluster');
  });

  test('a step on one unit names the backup, the snapshot and the rank of the unit', () => {
    const run = { machine: 'Maintain', execution: 'expire-1', backup: 'prod_*' };
    const unit = { backup: 'prod_system', directory: RUN.snapshot, part: 'rank-3' };
    expect(keysOf({ run, item: { unit } })).toEqual({
      execution: 'expire-1',
      backup: 'prod_system',
      snapshot: RUN.snapshot,
      rank: 'rank-3',
    });
    const verify = { machine: 'Verify', execution: 'nightly-1', backup: 'prod_system' };
    expect(keysOf({ run: verify, item: { unit: { snapshot: RUN.snapshot, rank: 3, ins: [] } } })).toEqual({
      execution: 'nightly-1',
      backup: 'prod_system',
      snapshot: RUN.snapshot,
      rank: '3',
    });
  });

  test('a step on a batch of many ranks still names its run', () => {
    const run = { machine: 'Maintain', execution: 'expire-1', backup: 'prod_system' };
    expect(keysOf({ run, item: { batch: '000001' } })).toEqual({ execution: 'expire-1', backup: 'prod_system' });
    expect(subjectOf({ run, item: { batch: '000001' } }).run?.machine).toBe('Maintain');
  });

  test('planning names the execution, and what its input asks for', () => {
    const input = { backup: 'prod_system', type: 'full' };
    expect(keysOf({ execution: 'night-1', input })).toEqual({ execution: 'night-1', backup: 'prod_system' });
  });

  test('aborting names the execution', () => {
    expect(keysOf({ execution: 'night-1', machine: 'Snapshot', failure: { Error: 'X' } })).toEqual({
      execution: 'night-1',
    });
  });

  test('releasing names the cluster and the hold', () => {
    const release = { cluster: 'prod', nonce: 'abc', reason: 'end' };
    expect(keysOf({ action: 'end', release })).toEqual({ cluster: 'prod', nonce: 'abc' });
    expect(keysOf({ input: release })).toEqual({ cluster: 'prod' });
  });

  test('a request that is none gives no keys, and no error', () => {
    expect(keysOf('text')).toEqual({});
    expect(keysOf(undefined)).toEqual({});
  });
});
