import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manifestKey, partKey, ranksKey } from '../../../core/vault-layout.ts';
import { impatient, MaintainHistory } from '../../support/maintain-history.ts';

const CONF = { path: 'conf', content: 'x' };
const A = { path: 'rank-1/tom-0/a', content: 'aaaa' };

/** A full of four files, an incremental that changed one of them. */
async function chain(backup: 'prod' | 'held' = 'prod') {
  const history = new MaintainHistory(backup, backup === 'held' ? LOCKED : {});
  const { snapshot: full } = await history.take('full', [CONF, A]);
  const { snapshot: incremental } = await history.take('incremental', [{ ...A, content: 'bb' }]);
  return { history, full, incremental };
}

const LOCKED = { objectLock: { mode: 'GOVERNANCE' as const, retainDays: 10, chainDays: 20 } };

describe('what a maintenance says of what may still be undeleted', () => {
  it('is what becomes free when the windows are over, and what stays then, for whom', async () => {
    const { history, full, incremental } = await chain();
    const report = await history.maintain({ action: 'purge', snapshot: full });
    const at = report.hidden[0]?.bytesKeptUntil ?? '';
    expect(report).toMatchObject({ frees: { parts: 0, bytes: 0 }, residue: { parts: 0, for: [] } });
    expect(report.later).toEqual({
      parts: 1,
      bytes: 4,
      residue: { parts: 3, bytes: 13, for: [incremental] },
      locked: { parts: 0, bytes: 0 },
      at,
    });
    expect(report.next).toBe(
      `What is hidden can be undeleted until ${at} at least. The first expire or collect after ${at} deletes 1 parts (4 bytes). ` +
        `3 parts (13 bytes) stay then, because ${incremental} names them.`,
    );
    history.world.advanceDays(4);
    expect(await history.maintain({ action: 'expire' })).toMatchObject({
      frees: { parts: 1, bytes: 4 },
      residue: { parts: 3, bytes: 13, for: [incremental] },
    });
  });

  it('counts residue of what was removed before, when this run hides what names it', async () => {
    const { history, full, incremental } = await chain();
    await history.maintain({ action: 'purge', snapshot: full, immediately: true });
    await history.take('full');
    const report = await history.maintain({ action: 'purge', snapshot: incremental });
    expect(report.later).toMatchObject({ parts: 4, bytes: 15, residue: { parts: 0, for: [] } });
    history.world.advanceDays(4);
    expect(await history.maintain({ action: 'expire' })).toMatchObject({ frees: { parts: 4, bytes: 15 } });
  });

  it('counts residue of what was hidden before and goes no later', async () => {
    const { history, full, incremental } = await chain();
    await history.maintain({ action: 'purge', snapshot: full });
    await history.take('full');
    const report = await history.maintain({ action: 'purge', snapshot: incremental });
    // Of the full its own purge said the part that it alone names.
    expect(report.later).toMatchObject({ parts: 4, bytes: 15 });
    expect(report.hiddenBefore).toMatchObject({ parts: 4, bytes: 17 });
    history.world.advanceDays(4);
    expect(await history.maintain({ action: 'expire' })).toMatchObject({ frees: { parts: 5, bytes: 19 } });
  });

  it('tells what goes now from what goes later', async () => {
    const { history, full, incremental } = await chain();
    await history.maintain({ action: 'purge', snapshot: full });
    history.world.advanceDays(4);
    const report = await history.maintain({ action: 'purge', snapshot: incremental });
    expect(report).toMatchObject({
      frees: { parts: 1, bytes: 4 },
      residue: { parts: 3, bytes: 13, for: [incremental] },
      later: { parts: 4, bytes: 15 },
    });
    history.world.advanceDays(4);
    expect(await history.maintain({ action: 'expire' })).toMatchObject({ frees: { parts: 4, bytes: 15 } });
  });

  it('leaves out nothing of what was rewritten, however often it stops', async () => {
    const history = new MaintainHistory('held');
    const changed = [{ ...A, content: 'changed while copying' }];
    const { snapshot: full } = await history.take('full', [CONF, A], changed);
    const { snapshot: second } = await history.take('incremental');
    const way = { shouldStop: impatient(), invoked: 'twice' as const };
    const report = await history.maintain({ action: 'purge', snapshot: full }, way);
    // The copy of the warm pass is superseded: nothing names it.
    expect(report.later).toMatchObject({ parts: 1, residue: { parts: 4, for: [second] } });
    const both = await history.maintain({ action: 'purge', snapshot: second }, way);
    expect(both.later).toMatchObject({ parts: 4 });
    history.world.advanceDays(4);
    expect(await history.maintain({ action: 'expire' }, way)).toMatchObject({ frees: { parts: 5 } });
  });

  it('says what is locked beyond the window, until when', async () => {
    const { history, full, incremental } = await chain('held');
    const report = await history.maintain({ action: 'purge', snapshot: full });
    const until = report.later?.locked.until ?? '';
    expect(report.later).toMatchObject({
      parts: 0,
      bytes: 0,
      residue: { parts: 3, bytes: 13, for: [incremental] },
      locked: { parts: 1, bytes: 4 },
    });
    expect(until > (report.later?.at ?? '')).toBe(true);
    expect(report.next).toContain(`1 parts (4 bytes) are locked then, and can be deleted after ${until}.`);
    history.world.advanceDays(4);
    expect(await history.maintain({ action: 'expire' })).toMatchObject({ locked: { parts: 1, bytes: 4, until } });
  });

  it.each(['manifest', 'ranks'] as const)('does not fail over %s that cannot be read, and says so', async (what) => {
    const { history, full, incremental } = await chain();
    const { vault } = history.world;
    const key = what === 'ranks' ? ranksKey('prod', incremental) : manifestKey('prod', incremental, 1);
    vault.damage(vault.currentVersion(key), { body: Buffer.from('no gzip') });
    const report = await history.maintain({ action: 'purge', snapshot: full });
    expect(report).toMatchObject({ hiddenCount: 1 });
    expect(report.next).toContain('What goes later is not all known');
    expect(await vault.head(partKey('prod', full, 1, 'tom-0/a'))).toBeDefined();
  });
});

const edits = fc.array(
  fc.record({ path: fc.constantFrom(A.path, CONF.path, 'rank-0/tom-0/b'), content: fc.string({ maxLength: 5 }) }),
  { maxLength: 3 },
);
const taken = fc.record({
  type: fc.constantFrom(...(['full', 'incremental', 'incremental', 'differential'] as const)),
  edits,
  meanwhile: edits,
  removed: fc.constantFrom(...(['no', 'no', 'now', 'later'] as const)),
});

describe('what is foreseen', () => {
  it('is what goes when the windows are over, and what stays', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('prod' as const, 'held' as const),
        fc.array(taken, { minLength: 2, maxLength: 6 }),
        fc.nat(),
        async (backup, steps, which) => {
          const history = new MaintainHistory(backup);
          const { world } = history;
          for (const { type, edits: before, meanwhile, removed } of steps) {
            const { snapshot } = await history.take(type, before, meanwhile);
            if (removed !== 'no') {
              await world.maintain({ action: 'purge', backup, snapshot, immediately: removed === 'now' });
            }
          }
          world.advanceDays(4);
          await world.maintain({ action: 'expire', backup });
          const visible = await history.visible();
          const { snapshot } = visible[which % visible.length] ?? {};
          if (snapshot === undefined) {
            return;
          }
          world.advanceDays(4);
          // Nothing is left to go but what the next purge hides.
          await world.maintain({ action: 'collect', backup });
          const { later } = await history.maintain({ action: 'purge', snapshot });
          world.advanceDays(4);
          const gone = await world.maintain({ action: 'collect', backup });
          expect(gone.frees).toEqual({ parts: later?.parts, bytes: later?.bytes });
          expect(later?.residue.parts).toBeLessThanOrEqual(gone.residue.parts);
        },
      ),
      { numRuns: 8 },
    );
  }, 120_000);
});
