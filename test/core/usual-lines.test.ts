import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type * as z from 'zod/mini';
import { draftLineSchema } from '../../core/draft.ts';
import { manifestLineSchema } from '../../core/manifest.ts';
import { usualDraftLine, usualManifestLine } from '../../core/usual-lines.ts';

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', 'tom-1/t42/000017.seg', 'tom-1/', '__proto__'),
);
const whole = fc.oneof(fc.integer(), fc.maxSafeInteger());
const count = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constant(-0));
const attributes = fc.record({
  mode: whole,
  uid: whole,
  gid: whole,
  mtimeNs: fc.bigInt().map(String),
});
const checksum = fc
  .tuple(fc.constantFrom('CRC32', 'CRC64NVME'), fc.string({ minLength: 8 }))
  .map(([algorithm, value]) => `${algorithm}:${value}`);
const directory = fc.constantFrom('snapshot.2026-01-30.22-00-00', 'snapshot.2026-01-31.22-00-00');
const racy = fc.constant(true);

const part = fc.record(
  {
    path: text,
    root: text,
    sizeBytes: count,
    token: text,
    racy,
    checksum,
    in: directory,
    etag: text,
    versionId: text,
    key: text,
    attributes,
  },
  { requiredKeys: ['path', 'root', 'sizeBytes', 'token', 'checksum', 'in', 'etag', 'versionId'] },
);
const folder = fc.record(
  { path: text.map((path) => `${path}/`), root: text, directory: fc.constant(true), rank: count, attributes },
  { requiredKeys: ['path', 'root', 'directory', 'attributes'] },
);
const copy = fc.record(
  { copy: fc.constant(true), path: text, root: text, sizeBytes: count, token: text, racy, attributes },
  { requiredKeys: ['copy', 'path', 'root', 'sizeBytes', 'token'] },
);
/** Of a merge; rare enough to be left to zod. */
const stored = fc.record({ sizeBytes: count, checksum, in: directory, etag: text, versionId: text });

/** Values that stand at the borders of what the schemas take. */
const strange = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(undefined, null, true, false, '', 'CRC32:AAAAAAA', 'CRC32:AAAAAA==', 'MD5:AAAAAAAAAA', '1x'),
  fc.constantFrom<unknown>(-1, 0.5, 2 ** 53, -(2 ** 53), 1e300, Number.NaN, Number.POSITIVE_INFINITY, 'snapshot.2026'),
  fc.constantFrom<unknown>('snapshot.2026-01-30.22-00-00\n', 'a/', 'a', [], {}, Object.create(null), 12n),
  attributes,
);
const field = fc.constantFrom(
  ...['path', 'root', 'sizeBytes', 'token', 'racy', 'checksum', 'in', 'etag', 'versionId', 'key', 'attributes'],
  ...['directory', 'rank', 'copy', 'stored', 'more', '__proto__', 'toString'],
);

type Entries = readonly (readonly [string, unknown])[];
/** Own keys all of them, `__proto__` too, as JSON.parse makes them. */
const objectOf = (entries: Entries): object =>
  entries.reduce<object>((object, [key, value]) => {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
    return object;
  }, {});

/** One field wrong is more telling than five. */
const RARELY = { freq: 1 };

/** Fields taken away, put in another order, replaced by something else or added; in the attributes too. */
function mutated(lines: fc.Arbitrary<object>): fc.Arbitrary<object> {
  const change = fc.record({
    drop: fc.option(field, RARELY),
    set: fc.array(fc.tuple(field, strange), { maxLength: 2 }),
  });
  return fc
    .tuple(lines, change, fc.option(fc.tuple(fc.constantFrom('mode', 'uid', 'mtimeNs', 'more'), strange), RARELY))
    .chain(([line, { drop, set }, inner]) => {
      const changed = { ...Object.fromEntries(Object.entries(line)), ...Object.fromEntries(set) };
      const entries = Object.entries(changed).filter(([key]) => key !== drop);
      const nested = entries.map(([key, value]): readonly [string, unknown] =>
        key === 'attributes' && inner !== null ? [key, { ...Object(value), [inner[0]]: inner[1] }] : [key, value],
      );
      const own = set.filter(([key]) => key === '__proto__');
      return fc.shuffledSubarray([...nested, ...own], { minLength: nested.length + own.length }).map(objectOf);
    });
}

/** What is recognized must be what zod gives, to the order of keys. */
function expectAsZod(schema: z.ZodMiniType, value: unknown, usual: unknown): void {
  if (usual !== undefined) {
    const parsed = schema.safeParse(value);
    expect(parsed.success).toBe(true);
    expect(usual).toStrictEqual(parsed.data);
    expect(JSON.stringify(usual)).toBe(JSON.stringify(parsed.data));
  }
}

describe('lines of the usual shapes', () => {
  const shuffled = (lines: fc.Arbitrary<object>) =>
    lines.chain((line) =>
      fc.shuffledSubarray(Object.entries(line), { minLength: Object.keys(line).length }).map(objectOf),
    );

  it('are recognized, whatever the order of their keys, and are what zod makes of them', () => {
    fc.assert(
      fc.property(shuffled(fc.oneof(part, folder)), (line) => {
        expect(usualManifestLine(line)).toBeDefined();
        expectAsZod(manifestLineSchema, line, usualManifestLine(line));
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(shuffled(fc.oneof(part, folder, copy)), (line) => {
        expect(usualDraftLine(line)).toBeDefined();
        expectAsZod(draftLineSchema, line, usualDraftLine(line));
      }),
      { numRuns: 1000 },
    );
  });

  it('are never recognized where zod would refuse them or give something else', () => {
    const withStored = fc.tuple(copy, stored).map(([line, bytes]) => ({ ...line, stored: bytes }));
    const mixed = fc.tuple(part, folder, copy).map((lines) => Object.assign({}, ...lines));
    const any = fc.oneof(mutated(part), mutated(folder), mutated(copy), mutated(withStored), mutated(mixed), strange);
    fc.assert(
      fc.property(any, (value) => {
        expectAsZod(manifestLineSchema, value, usualManifestLine(value));
        expectAsZod(draftLineSchema, value, usualDraftLine(value));
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['more in them', { more: 1 }],
    ['another type of a field', { etag: 1 }],
    ['a negative size', { sizeBytes: -1 }],
    ['a size beyond what a number holds', { sizeBytes: 2 ** 53 }],
    ['a checksum of an unknown kind', { checksum: 'MD5:AAAAAAAAAA' }],
    ['a checksum that is cut', { checksum: 'CRC32:AAAAAAA' }],
    ['a snapshot that is none', { in: 'yesterday' }],
    ['racy said as false', { racy: false }],
    ['attributes that are none', { attributes: { mode: 1 } }],
    ['more in the attributes', { attributes: { mode: 1, uid: 1, gid: 1, mtimeNs: '1', more: 1 } }],
    ['a time that is no number', { attributes: { mode: 1, uid: 1, gid: 1, mtimeNs: 'now' } }],
    ['a field that is there and undefined', { key: undefined }],
  ])('are not those with %s', (_what, change) => {
    const line = { path: 'a', root: 'main', sizeBytes: 1, token: 's3:e', checksum: 'CRC32:AAAAAA==' };
    const whole = { ...line, in: 'snapshot.2026-01-30.22-00-00', etag: '"e"', versionId: 'v' };
    expect(usualManifestLine(whole)).toEqual(whole);
    expect(usualManifestLine({ ...whole, ...change })).toBeUndefined();
  });
});
