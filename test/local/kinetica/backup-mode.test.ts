import { describe, expect, it } from 'vitest';
import { BackupModeGate, LocalKineticaGone } from '../../../local/kinetica/backup-mode.ts';
import { defaultSwitches, type LocalKineticaSwitches } from '../../../local/kinetica/switches.ts';

function open(switches: Partial<LocalKineticaSwitches> = {}): BackupModeGate {
  return new BackupModeGate({ ...defaultSwitches(), ...switches }, () => 42);
}

const now = Promise.resolve();

/** Everything that can go on has gone on. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Notes the order in which things end. */
function journal() {
  const entries: string[] = [];
  const note = async (entry: string, event: Promise<unknown>) => {
    await event.then(
      () => entries.push(entry),
      () => entries.push(`${entry} failed`),
    );
  };
  return { entries, note };
}

describe('BackupModeGate', () => {
  it('lets running writes finish before it is in backup mode, and holds back later ones until the end', async () => {
    const gate = open();
    const { entries, note } = journal();
    const running = Promise.withResolvers<void>();
    const first = note(
      'first write',
      gate.write(() => running.promise),
    );
    await gate.pass();
    await now;

    const begun = note('begin', gate.begin(now));
    const second = note(
      'second write',
      gate.write(async () => undefined),
    );
    await nextTurn();
    expect(gate.mode).toBe('entering');
    running.resolve();
    await Promise.all([first, begun]);
    expect(gate.mode).toBe('backing_up');
    expect(gate.sinceEpochMillis).toBe(42);

    await note('end', gate.end());
    await second;
    expect(entries).toEqual(['first write', 'begin', 'end', 'second write']);
    expect(gate.sinceEpochMillis).toBeUndefined();
  });

  it.each([
    ['idempotent', 'normal'],
    ['counted', 'backing_up'],
  ] as const)('with nesting %s is in mode %s after two begins and one end', async (nesting, mode) => {
    const gate = open({ nesting });
    await gate.begin(now);
    await gate.begin(now);
    await gate.end();

    expect(gate.mode).toBe(mode);
    await gate.end();
    expect(gate.mode).toBe('normal');
  });

  it('refuses a second begin and a stray end where it is told to', async () => {
    const gate = open({ nesting: 'refused', strayEnd: 'refused' });

    expect(await gate.end()).toBe('refused');
    expect(await gate.begin(now)).toBe('begun');
    expect(await gate.begin(now)).toBe('refused');
    expect(await gate.end()).toBe('ended');
  });

  it('lets an end overtake a hanging begin, or queues it', async () => {
    const overtaken = open();
    const held = Promise.withResolvers<void>();
    const begun = overtaken.begin(held.promise);
    expect(await overtaken.end()).toBe('ended');
    held.resolve();
    await begun;
    expect(overtaken.mode).toBe('backing_up');

    const queued = open({ endDuringBegin: 'waits' });
    const heldToo = Promise.withResolvers<void>();
    const both = Promise.all([queued.begin(heldToo.promise), queued.end()]);
    heldToo.resolve();
    expect(await both).toEqual(['begun', 'ended']);
    expect(queued.mode).toBe('normal');
  });

  it('breaks everything that waits when it is reset', async () => {
    const gate = open();
    await gate.begin(now);
    const write = gate.write(async () => 'written');
    gate.reset(false);

    await expect(write).rejects.toBeInstanceOf(LocalKineticaGone);
    expect(gate.mode).toBe('normal');
    expect(await gate.write(async () => 'written')).toBe('written');
  });

  it('counts a write that fails as finished', async () => {
    const gate = open();
    await expect(gate.write(() => Promise.reject(new Error('disk full')))).rejects.toThrow('disk full');

    expect(await gate.begin(now)).toBe('begun');
  });
});
