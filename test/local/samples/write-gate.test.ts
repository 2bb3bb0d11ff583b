import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createHoldableGate } from '../../../local/samples/write-gate.ts';

describe('a holdable gate', () => {
  it('waits for the mutations under way and lets none begin until the release', async () => {
    const { gate, hold, release } = createHoldableGate();
    const events: string[] = [];
    const first = Promise.withResolvers<void>();
    const running = gate(async () => {
      await first.promise;
      events.push('first done');
    });
    const held = hold().then(() => events.push('held'));
    const waiting = gate(async () => {
      events.push('second done');
    });
    await setImmediate();
    expect(events).toEqual([]);
    first.resolve();
    await Promise.all([running, held]);
    await setImmediate();
    expect(events).toEqual(['first done', 'held']);
    release();
    await waiting;
    expect(events).toEqual(['first done', 'held', 'second done']);
  });

  it('passes on what goes wrong in a mutation, and can still be held', async () => {
    const { gate, hold } = createHoldableGate();
    const failing = gate(() => Promise.reject(new Error('disk full')));
    const held = hold();
    await expect(failing).rejects.toThrow('disk full');
    await held;
  });
});
