import { describe, expect, it } from 'vitest';
import { compareTopologies, describeTopology, rankNumbers, type Topology } from '../../core/topology.ts';

const topology = (...ranks: Topology['ranks']): Topology => ({ from: 'config', ranks });

describe('comparing topologies', () => {
  it('finds no difference in the order of ranks and TOMs, nor where TOMs are not known', () => {
    const snapshot = topology({ rank: 0 }, { rank: 1, toms: [0, 1] }, { rank: 2, toms: [0] });
    expect(
      compareTopologies(snapshot, topology({ rank: 2 }, { rank: 1, toms: [1, 0] }, { rank: 0, toms: [] })),
    ).toBeUndefined();
  });

  it('names ranks that are missing, extra, and of other TOMs', () => {
    const snapshot = topology({ rank: 0 }, { rank: 1, toms: [0, 1] }, { rank: 2, toms: [0] });
    const target = topology({ rank: 0 }, { rank: 1, toms: [0] }, { rank: 10 }, { rank: 9 });
    expect(compareTopologies(snapshot, target)).toEqual({ missing: [2], extra: [9, 10], otherToms: [1] });
  });

  it('has rank numbers in order and words for messages', () => {
    const both = topology({ rank: 10, toms: [0, 1] }, { rank: 2, toms: [] });
    expect(rankNumbers(both)).toEqual([2, 10]);
    expect(describeTopology(both)).toBe('ranks 10 (TOMs 0, 1), 2');
    expect(describeTopology(topology())).toBe('no ranks');
  });
});
