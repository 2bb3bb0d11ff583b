import { describe, expect, it } from 'vitest';
import { estimateRestore } from '../../core/estimate.ts';
import { pollAgain, pollDone } from '../../core/poll.ts';
import { dollarsOf } from '../../core/pricing.ts';
import { NO_TOTALS } from '../../core/records.ts';
import { FIRST_POLL, type Poll } from '../../core/run.ts';

describe('polling', () => {
  const limits = { firstWaitSeconds: 2, maxWaitSeconds: 30, maxPolls: 6 };

  it('waits twice as long each time, up to the limit, and ends at the bound', () => {
    const waits: number[] = [];
    for (
      let poll: Poll | undefined = pollAgain(FIRST_POLL, limits);
      poll !== undefined;
      poll = pollAgain(poll, limits)
    ) {
      expect(poll.ready).toBe(false);
      waits.push(poll.waitSeconds);
    }
    expect(waits).toEqual([2, 4, 8, 16, 30, 30]);
  });

  it('waits whole seconds also after very many polls', () => {
    expect(pollAgain({ count: 5000, ready: false, waitSeconds: 60 }, { ...limits, maxPolls: 9999 })).toMatchObject({
      waitSeconds: 30,
    });
  });

  it('that is done says so', () => {
    expect(pollDone({ count: 4, ready: false, waitSeconds: 16 })).toEqual({ count: 4, ready: true, waitSeconds: 0 });
  });
});

describe('the estimate of a restore', () => {
  it('of nothing is the time that a run takes anyway', () => {
    const { dollars, ...estimate } = estimateRestore(NO_TOTALS, 0);
    expect(estimate).toEqual({ parts: 0, bytes: 0, requests: expect.any(Number), minutes: 2 });
    expect(estimate.requests).toBeLessThan(200);
    expect(dollars).toBeLessThan(0.01);
  });

  it('of a hundred million parts is hours of copies and some hundred dollars of requests', () => {
    const estimate = estimateRestore({ ...NO_TOTALS, parts: 100_000_000, bytes: 5e15 }, 1000);
    // 100,000,000 / 3,500 a second; 0.005 + 2 * 0.0004 dollars a thousand, and the bookkeeping of 105,000 batches.
    expect(estimate.minutes).toBe(2 + Math.ceil(100_000_000 / 3500 / 60));
    expect(estimate.dollars).toBeGreaterThan(580);
    expect(estimate.dollars).toBeLessThan(610);
  });

  it('prices requests by the thousand', () => {
    expect(dollarsOf({ writes: 1000, reads: 1000, stateTransitions: 1000 })).toBeCloseTo(0.005 + 0.0004 + 0.025, 10);
  });
});
