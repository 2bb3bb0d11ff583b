import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';
import { bytesOf, collect, streamOf, variedBytes } from '../support/byte-streams.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function read(store: ObjectStore, key: string): Promise<string | undefined> {
  const stored = await store.get(key);
  return stored === undefined ? undefined : Buffer.from(await bytesOf(stored.body)).toString('utf8');
}

async function etagOf(store: ObjectStore, key: string): Promise<string> {
  const head = await store.head(key);
  return head?.etag ?? 'none';
}

/** What every object store promises. @param openStore an empty store for each test */
export function describeObjectStore(name: string, openStore: () => Promise<ObjectStore>): void {
  describe(`${name} as an object store`, () => {
    let store: ObjectStore;
    beforeEach(async () => {
      store = await openStore();
    });

    it('has no value for a key that was never written', async () => {
      expect(await store.get('a/missing')).toBeUndefined();
      expect(await store.head('a/missing')).toBeUndefined();
    });

    it('gives back what was created, with its size and ETag', async () => {
      expect(await store.create('a/one.json', text('{"n":1}'))).toBe('created');
      const stored = await store.get('a/one.json');
      expect(stored?.sizeBytes).toBe(7);
      expect(stored?.etag).toBe(await etagOf(store, 'a/one.json'));
      expect(await read(store, 'a/one.json')).toBe('{"n":1}');
    });

    it('creates a key once and keeps the first bytes', async () => {
      await store.create('k', text('first'));
      expect(await store.create('k', text('second'))).toBe('exists');
      expect(await read(store, 'k')).toBe('first');
    });

    it('lets exactly one of many simultaneous creators win', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, async (_, index) => store.create('race', text(`writer ${index}`))),
      );
      expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
      expect(await read(store, 'race')).toBe(`writer ${outcomes.indexOf('created')}`);
    });

    it('stores zero bytes', async () => {
      await store.create('empty', new Uint8Array());
      await store.createStream('empty-stream', streamOf(''));
      expect(await read(store, 'empty')).toBe('');
      expect(await read(store, 'empty-stream')).toBe('');
    });

    it('writes over what was there with put', async () => {
      await store.put('k', text('old'));
      const old = await etagOf(store, 'k');
      await store.put('k', text('new'));
      expect(await read(store, 'k')).toBe('new');
      expect(await etagOf(store, 'k')).not.toBe(old);
    });

    it('creates from a stream and digests it', async () => {
      const bytes = variedBytes(100_000);
      const made = await store.createStream('s', streamOf(bytes, 9_999));
      expect(made).toEqual({ outcome: 'created', sha256: sha256(bytes), sizeBytes: 100_000 });
      const stored = await store.get('s');
      expect(stored === undefined ? undefined : sha256(await bytesOf(stored.body))).toBe(sha256(bytes));
    });

    it('digests a stream also when its key exists, and keeps the first bytes', async () => {
      await store.create('s', text('first'));
      const made = await store.createStream('s', streamOf('second'));
      expect(made).toEqual({ outcome: 'exists', sha256: sha256(text('second')), sizeBytes: 6 });
      expect(await read(store, 's')).toBe('first');
    });

    it('streams more than fits into one request, creating once', async () => {
      const bytes = variedBytes(20 * 1024 * 1024 + 11);
      const made = await store.createStream('big', streamOf(bytes, 1_000_003));
      expect(made).toEqual({ outcome: 'created', sha256: sha256(bytes), sizeBytes: bytes.byteLength });
      const again = await store.createStream('big', streamOf(bytes.subarray(1), 1_000_003));
      expect(again.outcome).toBe('exists');
      const stored = await store.get('big');
      expect(stored?.sizeBytes).toBe(bytes.byteLength);
      expect(stored === undefined ? undefined : sha256(await bytesOf(stored.body))).toBe(sha256(bytes));
    });

    it('writes a stream over what was there with putStream', async () => {
      await store.put('k', text('old'));
      await store.putStream('k', streamOf('a longer new text'));
      expect(await read(store, 'k')).toBe('a longer new text');
      const big = variedBytes(9 * 1024 * 1024, 5);
      await store.putStream('k', streamOf(big, 700_001));
      const stored = await store.get('k');
      expect(stored === undefined ? undefined : sha256(await bytesOf(stored.body))).toBe(sha256(big));
    });

    it('leaves nothing behind when the stream to be stored fails', async () => {
      async function* failing(): AsyncIterable<Uint8Array> {
        yield variedBytes(17 * 1024 * 1024);
        throw new Error('the source broke');
      }
      await expect(store.createStream('broken', failing())).rejects.toThrow('the source broke');
      expect(await store.head('broken')).toBeUndefined();
    });

    it('replaces only the version whose ETag is given', async () => {
      await store.create('lock', text('mine'));
      const etag = await etagOf(store, 'lock');
      expect(await store.replace('lock', text('stolen'), etag)).toBe('replaced');
      expect(await store.replace('lock', text('late'), etag)).toBe('lost');
      expect(await read(store, 'lock')).toBe('stolen');
      expect(await store.replace('absent', text('x'), etag)).toBe('lost');
      expect(await store.head('absent')).toBeUndefined();
    });

    it('deletes only the version whose ETag is given', async () => {
      await store.create('lock', text('mine'));
      const etag = await etagOf(store, 'lock');
      await store.put('lock', text('other'));
      expect(await store.deleteIfMatch('lock', etag)).toBe('lost');
      expect(await read(store, 'lock')).toBe('other');
      expect(await store.deleteIfMatch('lock', await etagOf(store, 'lock'))).toBe('deleted');
      expect(await store.head('lock')).toBeUndefined();
      expect(await store.deleteIfMatch('lock', etag)).toBe('lost');
    });

    it('deletes, and does not mind when there is nothing', async () => {
      await store.put('k', text('x'));
      await store.delete('k');
      await store.delete('k');
      expect(await store.head('k')).toBeUndefined();
    });

    it('lists exactly the keys of a prefix, in the order of their UTF-8 bytes', async () => {
      const names = ['a b', 'a+b', 'a%20b', 'ä', 'z', '\u{ffee}', '\u{1f600}', 'A', '10', '9', 'q\'"&<>'];
      for (const each of names) {
        await store.put(`list/${each}`, text(each));
      }
      await store.put('list', text('x'));
      await store.put('list0', text('x'));
      const listed = await collect(store.list('list/'));
      expect(listed.map((entry) => entry.key)).toEqual(names.map((each) => `list/${each}`).sort(compareUtf8));
      const smile = listed.find((entry) => entry.key === 'list/\u{1f600}');
      expect(smile).toEqual({ key: 'list/\u{1f600}', sizeBytes: 4, etag: await etagOf(store, 'list/\u{1f600}') });
    });

    it('lists on after a key, over more than one page', async () => {
      const keys = Array.from({ length: 1_050 }, (_, index) => `page/${String(index).padStart(5, '0')}`);
      for (let at = 0; at < keys.length; at += 50) {
        await Promise.all(keys.slice(at, at + 50).map(async (key) => store.put(key, new Uint8Array())));
      }
      expect((await collect(store.list('page/'))).map((entry) => entry.key)).toEqual(keys);
      const after = await collect(store.list('page/', { startAfter: 'page/00007' }));
      expect(after.map((entry) => entry.key)).toEqual(keys.slice(8));
    });

    it('keeps keys of 1,000 bytes and odd characters apart', async () => {
      const long = `long/${'ü'.repeat(497)}`;
      await store.put(long, text('long'));
      await store.put(`odd/a+b c%2F?#&=\u{1f4be}`, text('odd'));
      expect(await read(store, long)).toBe('long');
      expect(await read(store, `odd/a+b c%2F?#&=\u{1f4be}`)).toBe('odd');
      expect(await read(store, 'odd/a b c%2F?#&=\u{1f4be}')).toBeUndefined();
    });
  });
}
