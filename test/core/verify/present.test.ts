import { describe, expect, it } from 'vitest';
import { VerifyWorld } from '../../support/verify-world.ts';

describe('a present verification', () => {
  it('finds a sound backup sound', async () => {
    const world = new VerifyWorld();
    const full = await world.snapshot({ type: 'full', execution: 's1' });
    world.write('rank-1/tom-0/a.seg', 'second');
    const next = await world.snapshot({ type: 'incremental', execution: 's2' });
    const { answer, record, findings, slices } = await world.verify({ execution: 'v1', input: { level: 'present' } });
    expect(answer.failure).toBeUndefined();
    console.log(JSON.stringify(answer, null, 1), JSON.stringify(record, null, 1), findings, slices);
    expect(record.snapshots).toEqual([full.snapshot, next.snapshot]);
    const r = await world.verify({ execution: 'v2', input: { level: 'read', budget: {parts: 3} } });
    console.log(JSON.stringify(r, null, 1));
  });
});
