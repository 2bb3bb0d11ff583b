import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { CatalogCorrupt, FormatTooNew } from '../../core/errors.ts';
import { formatVersionSchema, jsonBytes, parseJson, parseVersioned } from '../../core/format.ts';
import { gzipJsonLines } from '../../core/jsonl.ts';
import { readManifest } from '../../core/manifest-io.ts';
import { readJson } from '../../core/stored-json.ts';
import { manifestKey } from '../../core/vault-layout.ts';
import { collect } from '../support/byte-streams.ts';
import { InMemoryObjectStore } from '../support/in-memory-object-store.ts';
import { FIRST_SNAPSHOT, partLine } from '../support/sample-lines.ts';

const schema = z.object({ formatVersion: formatVersionSchema, name: z.string(), count: z.int() });

describe('objects with a format version', () => {
  it('of this version are parsed', () => {
    expect(parseVersioned(schema, { formatVersion: 1, name: 'n', count: 2, more: 3 }, 'x.json')).toMatchObject({
      count: 2,
    });
  });

  it('of a newer version are FormatTooNew, also when they parse otherwise', () => {
    const read = () => parseVersioned(schema, { formatVersion: 2, name: 'n', count: 2 }, 'x.json');
    expect(read).toThrow(FormatTooNew);
    expect(read).toThrow(
      'x.json has format version 2; this Rankvault knows up to 1. Use the Rankvault version that wrote it',
    );
  });

  it.each([
    [{ formatVersion: 1, name: 'n' }, 'count is missing'],
    [{ formatVersion: '2', name: 'n', count: 2 }, 'formatVersion '],
    [{ name: 'n', count: 2 }, 'formatVersion '],
    [null, 'it is '],
    ['text', 'it is '],
  ])('that are something else are CatalogCorrupt: %j', (value, finding) => {
    expect(() => parseVersioned(schema, value, 'x.json')).toThrow(CatalogCorrupt);
    expect(() => parseVersioned(schema, value, 'x.json')).toThrow(`x.json is not what it should be: ${finding}`);
  });

  it('that are not JSON are CatalogCorrupt', () => {
    expect(() => parseJson('{', 'x.json')).toThrow('x.json is not JSON.');
  });

  it('are written with a final newline and come back', async () => {
    const store = new InMemoryObjectStore();
    await store.put('k', jsonBytes({ formatVersion: 1, name: 'ü', count: 1 }));
    expect(Buffer.from(jsonBytes({ a: 1 })).toString()).toBe('{\n  "a": 1\n}\n');
    expect((await readJson(store, 'k', schema))?.value).toEqual({ formatVersion: 1, name: 'ü', count: 1 });
    expect(await readJson(store, 'absent', schema)).toBeUndefined();
  });
});

describe('manifests', () => {
  const place = { backup: 'prod', snapshot: FIRST_SNAPSHOT, rank: 1 };
  const header = { formatVersion: 1, backup: 'prod', snapshot: FIRST_SNAPSHOT, rank: 'rank-1' };

  async function manifestOf(...values: readonly unknown[]) {
    const vault = new InMemoryObjectStore();
    const lines = async function* () {
      yield* values;
    };
    await vault.putStream(manifestKey('prod', FIRST_SNAPSHOT, 1), gzipJsonLines(lines()));
    return collect(readManifest(vault, place));
  }

  it('are read line by line', async () => {
    expect(await manifestOf(header, partLine('a'))).toEqual([partLine('a')]);
  });

  it('of a newer format are refused before the first line', async () => {
    await expect(manifestOf({ ...header, formatVersion: 2 }, { strange: true })).rejects.toThrow(FormatTooNew);
  });

  it('without anything, not even a header, are CatalogCorrupt and no empty rank', async () => {
    await expect(manifestOf()).rejects.toThrow('is empty: it has no header');
  });

  it('with a line that is none are CatalogCorrupt', async () => {
    await expect(manifestOf(header, { ...partLine('a'), in: 'yesterday' })).rejects.toThrow(CatalogCorrupt);
    await expect(manifestOf(header, { ...partLine('a'), checksum: 'MD5:x' })).rejects.toThrow(CatalogCorrupt);
  });

  it('that are missing are CatalogCorrupt', async () => {
    await expect(collect(readManifest(new InMemoryObjectStore(), place))).rejects.toThrow('rank-1.jsonl.gz is missing');
  });
});
