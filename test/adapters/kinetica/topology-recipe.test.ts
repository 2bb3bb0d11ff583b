import { describe, expect, it } from 'vitest';
import type { Said } from '../../../adapters/kinetica/said.ts';
import { parseShardMap, type ShardMap } from '../../../adapters/kinetica/shard-map.ts';
import { parseStatusRanks, readOnlyWorkers } from '../../../adapters/kinetica/status-ranks.ts';
import { parseTomsPerRank, parseWorkerUrls } from '../../../adapters/kinetica/topology-properties.ts';
import { discoverTopology, type TopologyEvidence } from '../../../adapters/kinetica/topology-recipe.ts';

const URLS = 'conf.worker_http_server_urls';

describe('parseShardMap', () => {
  const counts = [
    { rank: 1, tom: 0, shards: 2 },
    { rank: 1, tom: 1, shards: 1 },
    { rank: 10, tom: 0, shards: 1 },
  ];

  it.each<[string, unknown]>([
    ['the published schema', { version: 3, rank: [1, 10, 1, 1], tom: [0, 0, 1, 0], info: {} }],
    ['a version in a string', { version: '3', rank: [1, 10, 1, 1], tom: [0, 0, 1, 0] }],
    [
      "the agent's schema with columns",
      { shard_array_version: 3, shard_map: { rank: [1, 10, 1, 1], tom: [0, 0, 1, 0] } },
    ],
    [
      "the agent's schema with objects",
      {
        shard_array_version: 3,
        shard_map: [
          { rank: 1, tom: 0 },
          { rank: 10, tom: 0 },
          { rank: 1, tom: 1 },
          { rank: 1, tom: 0 },
        ],
      },
    ],
    [
      "the agent's schema with pairs by shard",
      { shard_array_version: 3, shard_map: { 0: [1, 0], 1: [10, 0], 2: [1, 1], 3: [1, 0] } },
    ],
    ["the agent's schema in a string", { shard_array_version: 3, shard_map: '[[1,0],[10,0],[1,1],[1,0]]' }],
  ])('reads %s', (_title, record) => {
    expect(parseShardMap(record)).toEqual({ version: 3n, counts });
  });

  it('reads a map of ranks alone, without TOMs', () => {
    expect(parseShardMap({ shard_array_version: 1, shard_map: [2, 1, 2] })?.counts).toEqual([
      { rank: 1, tom: undefined, shards: 1 },
      { rank: 2, tom: undefined, shards: 2 },
    ]);
  });

  it.each<[string, unknown]>([
    ['arrays of different lengths', { version: 1, rank: [1, 2], tom: [0] }],
    ['negative ranks', { version: 1, rank: [-1], tom: [0] }],
    ['an empty agent map', { shard_array_version: 1, shard_map: [] }],
    ['something else', { info: {} }],
    ['nothing', undefined],
  ])('gives nothing for %s', (_title, record) => {
    expect(parseShardMap(record)).toBeUndefined();
  });
});

describe('parseStatusRanks', () => {
  const ranks = [
    { rank: 0, readOnly: false },
    { rank: 2, readOnly: true },
  ];

  it.each<[string, unknown]>([
    ['a list in a string', '[{"rank":2,"read_only":true},{"rank":0,"rank_status":"running"}]'],
    ['a list', [{ rank: '0' }, { rank: 2, read_only: 'TRUE' }]],
    ['a list of strings', ['{"rank":0}', '{"rank":2,"read_only":"true"}']],
    ['an object by number', { 0: {}, 2: { read_only: true } }],
    ['an object by name in a string', '{"rank0":"{\\"read_only\\":false}","rank_2":"{\\"read_only\\":true}"}'],
    ['an object of plain words', { 'rank 0': 'running', 2: { read_only: true } }],
  ])('reads %s', (_title, block) => {
    expect(parseStatusRanks({ ranks: block })).toEqual(ranks);
  });

  it.each<[string, unknown]>([
    ['a list without numbers', [{ rank_status: 'running' }]],
    ['an object of columns', { rank_status: ['running', 'running'] }],
    ['an empty list', []],
    ['no block', undefined],
    ['broken JSON', '[{'],
  ])('gives nothing for %s', (_title, block) => {
    expect(parseStatusRanks({ ranks: block })).toBeUndefined();
  });

  it('counts read-only workers without the head', () => {
    expect(readOnlyWorkers([{ rank: 0, readOnly: true }, ...ranks])).toEqual([2]);
  });
});

describe('parseWorkerUrls', () => {
  it('numbers ranks by slot, keeps empty slots as removed and alternatives as one rank', () => {
    const list = 'http://h:9191;http://a:9192,http://b:9192;;http://c:9194;';

    expect(parseWorkerUrls({ [URLS]: list })).toEqual({ said: { present: [1, 3], removed: [2, 4] } });
  });

  it('falls back to the internal addresses', () => {
    expect(parseWorkerUrls({ [URLS]: '', [`${URLS}_private`]: 'h;a' })).toEqual({
      said: { present: [1], removed: [] },
    });
  });

  it.each([
    [{ [URLS]: 'h;a', 'conf.enable_worker_http_servers': 'FALSE' }, 'worker HTTP servers are off'],
    [{}, 'no list of worker URLs'],
    [{ [URLS]: 'h' }, 'the list of worker URLs names no worker'],
    [{ [URLS]: 'h;;' }, 'the list of worker URLs names no worker'],
  ])('gives a reason for %j', (properties, reason) => {
    expect(parseWorkerUrls(properties)).toEqual({ reason });
  });
});

describe('parseTomsPerRank', () => {
  it('reads an integer string', () => {
    expect(parseTomsPerRank({ 'conf.toms_per_rank': '4' })).toEqual({ said: 4 });
  });

  it.each(['0', '-1', 'many', '1.5', '1000000'])('does not believe %s', (text) => {
    expect(parseTomsPerRank({ 'conf.toms_per_rank': text })).toHaveProperty('reason');
  });
});

describe('discoverTopology', () => {
  const none = { reason: 'not asked' };

  function evidence(parts: Partial<TopologyEvidence>): TopologyEvidence {
    return { shards: none, workerUrls: none, statusRanks: none, tomsPerRank: none, serverVersion: undefined, ...parts };
  }

  function shards(...pairs: [rank: number, tom: number][]): Said<ShardMap> {
    return { said: { version: 5n, counts: pairs.map(([rank, tom]) => ({ rank, tom, shards: 7 })) } };
  }

  function urls(present: number[], removed: number[] = []) {
    return { said: { present, removed } };
  }

  function status(...ranks: number[]) {
    return { said: ranks.map((rank) => ({ rank, readOnly: false })) };
  }

  const results = (parts: Partial<TopologyEvidence>) =>
    discoverTopology(evidence(parts))?.steps.map(({ step, result, detail }) => `${step} ${result}: ${detail}`);

  it('agrees with itself when all steps say the same', () => {
    const parts = {
      shards: shards([1, 0], [1, 1], [2, 0], [2, 1]),
      workerUrls: urls([1, 2]),
      statusRanks: status(0, 1, 2),
      tomsPerRank: { said: 2 },
      serverVersion: '7.2.3.14',
    };

    expect(discoverTopology(evidence(parts))?.ranks).toEqual([
      { rank: 0, toms: [] },
      { rank: 1, toms: [0, 1] },
      { rank: 2, toms: [0, 1] },
    ]);
    expect(results(parts)).toEqual([
      'shards agrees: ranks 1-2',
      'worker_urls agrees: ranks 1-2',
      'rank_status agrees: ranks 1-2',
      'toms_per_rank agrees: 2 TOMs a rank',
    ]);
  });

  it('includes a rank that was added and owns no shards yet, with the configured TOMs', () => {
    const parts = {
      shards: shards([1, 0]),
      workerUrls: urls([1, 2]),
      statusRanks: status(0, 1, 2),
      tomsPerRank: { said: 1 },
    };

    expect(discoverTopology(evidence(parts))?.ranks).toEqual([
      { rank: 0, toms: [] },
      { rank: 1, toms: [0] },
      { rank: 2, toms: [0] },
    ]);
    expect(results(parts)?.[0]).toBe('shards differs: ranks 1; lacks 2');
  });

  it('keeps gaps and names removed ranks', () => {
    const topology = discoverTopology(evidence({ shards: shards([1, 0], [4, 0]), workerUrls: urls([1, 4], [2, 3]) }));

    expect(topology?.ranks).toEqual([
      { rank: 0, toms: [] },
      { rank: 1, toms: [0] },
      { rank: 2, toms: undefined, removed: true },
      { rank: 3, toms: undefined, removed: true },
      { rank: 4, toms: [0] },
    ]);
  });

  it('does not believe that a rank was removed which still owns shards', () => {
    const parts = { shards: shards([1, 0], [2, 0]), workerUrls: urls([1], [2]) };

    expect(discoverTopology(evidence(parts))?.ranks).toEqual([
      { rank: 0, toms: [] },
      { rank: 1, toms: [0] },
      { rank: 2, toms: [0] },
    ]);
    expect(results(parts)?.[1]).toBe('worker_urls differs: ranks 1; lacks 2');
  });

  it('takes the union of TOMs and shows where the number is another', () => {
    const parts = { shards: shards([1, 0], [1, 3], [2, 0], [2, 1]), tomsPerRank: { said: 2 } };

    expect(discoverTopology(evidence(parts))?.ranks[1]).toEqual({ rank: 1, toms: [0, 1, 3] });
    expect(results(parts)?.[3]).toBe('toms_per_rank differs: 2 TOMs a rank; other TOMs on ranks 1');
  });

  it('works from each ranks step alone and leaves unknown TOMs unknown', () => {
    expect(discoverTopology(evidence({ shards: shards([3, 2]) }))?.ranks).toEqual([
      { rank: 0, toms: [] },
      { rank: 3, toms: [2] },
    ]);
    expect(discoverTopology(evidence({ workerUrls: urls([1]) }))?.ranks[1]).toEqual({ rank: 1, toms: undefined });
    expect(discoverTopology(evidence({ statusRanks: status(0, 1) }))?.ranks[1]).toEqual({ rank: 1, toms: undefined });
    expect(results({ statusRanks: status(0, 1) })?.[0]).toBe('shards unavailable: not asked');
  });

  it('reports shards of the head as a contradiction and keeps its TOM', () => {
    const parts = { shards: shards([0, 0], [1, 0]) };

    expect(discoverTopology(evidence(parts))?.ranks[0]).toEqual({ rank: 0, toms: [0] });
    expect(results(parts)?.[0]).toBe('shards differs: ranks 1, and shards of the head');
  });

  it('knows nothing when no step names a worker', () => {
    expect(discoverTopology(evidence({ tomsPerRank: { said: 2 } }))).toBeUndefined();
    expect(discoverTopology(evidence({ statusRanks: status(0) }))).toBeUndefined();
  });

  it('carries the shard version as digits beyond the range of a number', () => {
    const shardMap = { said: { version: 9223372036854775807n, counts: [{ rank: 1, tom: 0, shards: 1 }] } };

    expect(discoverTopology(evidence({ shards: shardMap }))?.fingerprint).toEqual({
      shardVersion: '9223372036854775807',
      shardCounts: [{ rank: 1, tom: 0, shards: 1 }],
      serverVersion: undefined,
    });
  });
});
