import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Judged,
  judgeBesideLive,
  judgeForRemoval,
  judgeForRepair,
  type NamedKey,
  NamedStream,
} from '../../../core/maintain/removal-join.ts';
import type { ListedVersion } from '../../../core/ports/vault-versions.ts';
import { compareUtf8 } from '../../../core/utf8-order.ts';
import { collect } from '../../support/byte-streams.ts';

interface Key {
  readonly key: string;
  readonly versions: readonly { readonly marker: boolean; readonly named: boolean }[];
  readonly lost: boolean;
}

const keys = fc
  .uniqueArray(
    fc.record({
      key: fc.string({ unit: fc.constantFrom('a', '/', '\u{ffe0}', '😀'), minLength: 1, maxLength: 3 }),
      versions: fc.array(fc.record({ marker: fc.boolean(), named: fc.boolean() }), { maxLength: 4 }),
      /** A manifest names a version of the key that is not there. */
      lost: fc.boolean(),
    }),
    { selector: ({ key }) => key },
  )
  .map((found) => found.toSorted((left, right) => compareUtf8(left.key, right.key)));

/** A key without versions is named and not there. */
function listingOf(all: readonly Key[]): ListedVersion[] {
  return all.flatMap(({ key, versions }) =>
    versions.map(({ marker }, index) => ({
      key,
      versionId: `${index}`,
      kind: marker ? ('deleteMarker' as const) : ('version' as const),
      isLatest: index === 0,
      sizeBytes: marker ? 0 : 1,
      etag: '',
      storageClass: '',
      modifiedAtEpochMillis: 0,
    })),
  );
}

function namedOf(all: readonly Key[]): NamedKey[] {
  return all.flatMap(({ key, versions, lost }) => {
    const versionIds = versions.flatMap(({ named, marker }, index) => (named && !marker ? [`${index}`] : []));
    return versionIds.length > 0 || versions.length === 0 || lost ? [{ key, versionIds: [...versionIds, 'lost'] }] : [];
  });
}

async function* streamed<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

function fatesOf(judged: readonly Judged[]): Record<string, string> {
  return Object.fromEntries(judged.map(({ version, fate }) => [`${version.key} ${version.versionId}`, fate]));
}

describe('joining a listing with what is named', () => {
  it('beside a live snapshot frees nothing under a named key unless its current version is a named one', async () => {
    await fc.assert(
      fc.asyncProperty(keys, async (all) => {
        const named = new NamedStream(streamed(namedOf(all)));
        const judged = await collect(judgeBesideLive(streamed(listingOf(all)), named));
        expect(judged.map(({ version }) => version)).toEqual(listingOf(all));
        const expected = all.flatMap(({ key, versions }) => {
          const [top] = versions;
          const isNamed = namedOf(all).some((each) => each.key === key);
          const others = isNamed && (top === undefined || top.marker || !top.named) ? 'doubtful' : 'free';
          return versions.map((each, index) => [`${key} ${index}`, each.named && !each.marker ? 'named' : others]);
        });
        expect(fatesOf(judged)).toEqual(Object.fromEntries(expected));
      }),
    );
  });

  it('frees every version and delete marker but those that are named', async () => {
    await fc.assert(
      fc.asyncProperty(keys, async (all) => {
        const named = new NamedStream(streamed(namedOf(all)));
        const judged = await collect(judgeForRemoval(streamed(listingOf(all)), named));
        expect(judged.map(({ version }) => version)).toEqual(listingOf(all));
        const expected = all.flatMap(({ key, versions }) =>
          versions.map((each, index) => [`${key} ${index}`, each.named && !each.marker ? 'named' : 'free']),
        );
        expect(fatesOf(judged)).toEqual(Object.fromEntries(expected));
      }),
    );
  });

  it('finds for a repair the markers that lie over a named version, with no stranger in between', async () => {
    await fc.assert(
      fc.asyncProperty(keys, async (all) => {
        const named = new NamedStream(streamed(namedOf(all)));
        const judged = await collect(judgeForRepair(streamed(listingOf(all)), named));
        expect(judged).toHaveLength(listingOf(all).length);
        const fates = fatesOf(judged);
        for (const { key, versions } of all) {
          const top = versions.findIndex(({ marker }) => !marker);
          const healed = top >= 0 && versions[top]?.named === true;
          for (const [index, { marker }] of versions.entries()) {
            expect(fates[`${key} ${index}`] === 'marker', `${key} ${index}`).toBe(healed && marker && index < top);
          }
          const covered = !healed && versions.some((each) => each.named && !each.marker);
          expect(versions.some((_, index) => fates[`${key} ${index}`] === 'overlaid')).toBe(covered);
        }
      }),
    );
  });

  it('closes the manifests when the listing ends first', async () => {
    let closed = false;
    async function* endless(): AsyncGenerator<NamedKey> {
      try {
        for (let number = 0; ; number += 1) {
          yield { key: `k${String(number).padStart(6, '0')}`, versionIds: ['v'] };
        }
      } finally {
        closed = true;
      }
    }
    const named = new NamedStream(endless());
    expect(await named.has({ key: 'k000003', versionId: 'v' })).toBe(true);
    await named.close();
    expect(closed).toBe(true);
  });
});
