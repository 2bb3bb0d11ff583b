import { describe, expect, test } from 'vitest';
import { idling, working } from '../../../local/clock/local-clock.ts';
import { SimulatedClock } from '../../../local/clock/simulated-clock.ts';
import { SystemClock } from '../../../local/clock/system-clock.ts';

/** Sleeps and notes when it woke. */
async function note(clock: SimulatedClock, durationMillis: number, seen: number[]): Promise<void> {
  await clock.sleep(durationMillis);
  seen.push(clock.nowEpochMillis());
}

describe('a clock that is told to advance', () => {
  test('wakes sleepers in the order of their times, each at its own', async () => {
    const clock = new SimulatedClock({ startEpochMillis: 0 });
    const seen: number[] = [];
    void note(clock, 30, seen);
    void note(clock, 10, seen);
    void note(clock, 99, seen);

    await clock.advance(50);

    expect(seen).toEqual([10, 30]);
    expect(clock.nowEpochMillis()).toBe(50);
  });

  test('honors a sleep that begins on the way', async () => {
    const clock = new SimulatedClock({ startEpochMillis: 0 });
    const seen: number[] = [];
    void note(clock, 10, seen).then(() => note(clock, 10, seen));

    await clock.advance(100);

    expect(seen).toEqual([10, 20]);
  });

  test('waits for bracketed work before it moves on', async () => {
    const clock = new SimulatedClock({ startEpochMillis: 0 });
    const gate = Promise.withResolvers<void>();
    const seen: number[] = [];
    const work = working(clock, async () => {
      await gate.promise;
      seen.push(clock.nowEpochMillis());
    });

    const advanced = clock.advance(100);
    gate.resolve();
    await Promise.all([work, advanced]);

    expect(seen).toEqual([0]);
  });

  test('jumps at once when asked to, whatever works', async () => {
    const clock = new SimulatedClock({ startEpochMillis: 0 });
    clock.enter();
    const slept = clock.sleep(10);

    clock.jump(10);

    expect(await slept).toBe('elapsed');
  });

  test('forgets a sleeper whose signal aborts', async () => {
    const clock = new SimulatedClock({ startEpochMillis: 0 });
    const controller = new AbortController();
    const slept = clock.sleep(10, { signal: controller.signal });

    controller.abort();

    expect(await slept).toBe('cancelled');
    expect(await clock.sleep(10, { signal: controller.signal })).toBe('cancelled');
  });

  test('complains about a bracket that closes twice', () => {
    expect(() => new SimulatedClock({ startEpochMillis: 0 }).leave()).toThrow(/without clock.enter/);
  });
});

describe('a clock that advances by itself', () => {
  test('goes to the next sleeper when nothing works', async () => {
    const clock = new SimulatedClock({ startEpochMillis: 0, autoAdvance: true });

    await clock.sleep(3_600_000);

    expect(clock.nowEpochMillis()).toBe(3_600_000);
  });

  test('stands still while something works, and lets work wait on it', async () => {
    const clock = new SimulatedClock({ startEpochMillis: 0, autoAdvance: true });
    const seen: number[] = [];
    const slept = note(clock, 10, seen);

    await working(clock, async () => {
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      seen.push(clock.nowEpochMillis());
      await idling(clock, () => clock.sleep(20));
      seen.push(clock.nowEpochMillis());
    });
    await slept;

    expect(seen).toEqual([0, 10, 20]);
  });

  test('does not run ahead for background sleepers, but wakes those it passes', async () => {
    const clock = new SimulatedClock({ startEpochMillis: 0, autoAdvance: true });
    const woken: string[] = [];
    void clock.sleep(5, { background: true }).then(() => woken.push('passed'));
    void clock.sleep(500, { background: true }).then(() => woken.push('later'));

    await clock.sleep(10);
    await clock.settle();

    expect(woken).toEqual(['passed']);
    expect(clock.nowEpochMillis()).toBe(10);
  });
});

test('the system clock sleeps until its signal aborts', async () => {
  const controller = new AbortController();
  const slept = new SystemClock().sleep(2 ** 40, { signal: controller.signal });

  controller.abort();

  expect(await slept).toBe('cancelled');
});
