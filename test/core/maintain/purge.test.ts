import { describe, expect, it } from 'vitest';
import { readSnapshots } from '../../../core/catalog.ts';
import { MaintainWorld } from '../../support/maintain-world.ts';

describe('a purge', () => {
  it('smoke', async () => {
    const world = new MaintainWorld();
    const full = await world.snapshot({ type: 'full', execution: 'run-1' });
    world.tree.write('main', 'rank-1/tom-0/a.seg', Buffer.from('second a'));
    await world.snapshot({ type: 'incremental', execution: 'run-2' });
    const dry = await world.maintain({ action: 'purge', snapshot: full.snapshot, immediately: true, dryRun: true });
    const report = await world.maintain({ action: 'purge', snapshot: full.snapshot, immediately: true });
    console.log(JSON.stringify(dry, null, 1), JSON.stringify(report, null, 1));
    console.log((await world.everything()).map((e) => e.key));
    expect(await readSnapshots(world.vault, 'prod')).toHaveLength(1);
  });
});
