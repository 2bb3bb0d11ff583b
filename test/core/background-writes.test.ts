import { describe, expect, it } from 'vitest';
import { BackgroundWrites } from '../../core/background-writes.ts';

/** A write that ends when the test says so. */
function pending() {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return { write: () => promise, end: resolve, fail: reject };
}

describe('writes in the background', () => {
  it('are started without waiting for their end, up to the limit', async () => {
    const writes = new BackgroundWrites(2);
    const [first, second, third] = [pending(), pending(), pending()];
    await writes.start(first.write);
    await writes.start(second.write);
    let hasRoom = false;
    const started = writes.start(third.write).then(() => {
      hasRoom = true;
    });
    await Promise.resolve();
    expect(hasRoom).toBe(false);
    second.end();
    await started;
    first.end();
    third.end();
    await writes.finish();
  });

  it('are finished when the last one is', async () => {
    const writes = new BackgroundWrites(2);
    const write = pending();
    await writes.start(write.write);
    let isFinished = false;
    const finished = writes.finish().then(() => {
      isFinished = true;
    });
    await Promise.resolve();
    expect(isFinished).toBe(false);
    write.end();
    await finished;
  });

  it('that fail make the next start fail, and nothing more is started', async () => {
    const writes = new BackgroundWrites(1);
    const write = pending();
    await writes.start(write.write);
    write.fail(new RangeError('the bucket is gone'));
    let started = false;
    const next = writes.start(() => {
      started = true;
      return Promise.resolve();
    });
    await expect(next).rejects.toThrow('the bucket is gone');
    expect(started).toBe(false);
  });

  it('that fail make the end fail, with the first of the failures', async () => {
    const writes = new BackgroundWrites(2);
    await writes.start(() => Promise.reject(new RangeError('first')));
    await writes.start(() => Promise.reject(new RangeError('second'))).catch(() => undefined);
    await expect(writes.finish()).rejects.toThrow('first');
  });

  it('are waited for, and their failures dropped, when the caller has failed already', async () => {
    const writes = new BackgroundWrites(1);
    const write = pending();
    await writes.start(write.write);
    const abandoned = writes.abandon();
    write.fail(new RangeError('too'));
    await expect(abandoned).resolves.toBeUndefined();
  });
});
