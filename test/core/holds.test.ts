import { describe, expect, it } from 'vitest';
import { SnapshotNotFound } from '../../core/errors.ts';
import { holdSnapshot, releaseHold } from '../../core/holds.ts';
import { tombstoneKey } from '../../core/vault-layout.ts';
import { holdKey } from '../../core/work-layout.ts';
import { MeddledStore } from '../support/meddled-store.ts';
import { FIRST_SNAPSHOT } from '../support/sample-lines.ts';

const request = {
  backup: 'prod',
  snapshot: FIRST_SNAPSHOT,
  execution: 'r',
  executionArn: 'arn:r',
  since: '2026-01-31T22:00:00.000Z',
};
const HOLD = holdKey('prod', FIRST_SNAPSHOT, 'arn:r');

describe('a reader’s hold', () => {
  it('is there before the tombstone is looked for, so that a remover that comes now sees it', async () => {
    const [work, vault] = [new MeddledStore(), new MeddledStore()];
    await holdSnapshot(work, vault, request);
    await vault.create(tombstoneKey('prod', FIRST_SNAPSHOT), Buffer.from('{}'));
    expect((await work.head(HOLD)) !== undefined).toBe(true);
  });

  it('is refused when the tombstone was there first, and stays, because the key may be that of a running restore', async () => {
    const [work, vault] = [new MeddledStore(), new MeddledStore()];
    await vault.create(tombstoneKey('prod', FIRST_SNAPSHOT), Buffer.from('{}'));
    await expect(holdSnapshot(work, vault, request)).rejects.toThrow(SnapshotNotFound);
    expect(work.keys()).toEqual([HOLD]);
  });

  it('may be taken twice, and is released once for all', async () => {
    const [work, vault] = [new MeddledStore(), new MeddledStore()];
    await holdSnapshot(work, vault, request);
    await holdSnapshot(work, vault, request);
    await releaseHold(work, request);
    await releaseHold(work, request);
    expect(work.keys()).toEqual([]);
  });

  it('of another reader stays', async () => {
    const [work, vault] = [new MeddledStore(), new MeddledStore()];
    await holdSnapshot(work, vault, request);
    await holdSnapshot(work, vault, { ...request, executionArn: 'arn:other' });
    await releaseHold(work, request);
    expect(work.keys()).toEqual([holdKey('prod', FIRST_SNAPSHOT, 'arn:other')]);
  });
});
