import { describe, expect, it } from 'vitest';
import { FormatTooNew } from '../../../core/errors.ts';
import { manifestBytes } from '../../../core/manifest-io.ts';
import { manifestKey } from '../../../core/vault-layout.ts';
import { brokenDigest, readableManifest } from '../../../core/verify/committed-manifest.ts';
import { bytesOf, collect } from '../../support/byte-streams.ts';
import { MeddledStore } from '../../support/meddled-store.ts';
import { FIRST_SNAPSHOT, partLine } from '../../support/sample-lines.ts';

const place = { backup: 'prod', snapshot: FIRST_SNAPSHOT, rank: 1 };
const KEY = manifestKey('prod', FIRST_SNAPSHOT, 1);

async function* lines() {
  yield partLine('a');
  yield partLine('b');
}

async function manifest(formatVersion = 1): Promise<Uint8Array> {
  return bytesOf(manifestBytes({ formatVersion, backup: 'prod', snapshot: FIRST_SNAPSHOT, rank: 'rank-1' }, lines()));
}

describe('a manifest as far as it can be read', () => {
  it('is read whole when nothing is wrong with it', async () => {
    const vault = new MeddledStore({ versioned: true });
    await vault.create(KEY, await manifest());
    const told: string[] = [];
    const read = await collect(readableManifest(vault, place, (detail) => told.push(detail)));
    expect(read.map(({ path }) => path)).toEqual(['a', 'b']);
    expect(told).toEqual([]);
  });

  it('gives what comes before the first line that is none', async () => {
    const vault = new MeddledStore({ versioned: true });
    const header = { formatVersion: 1, backup: 'prod', snapshot: FIRST_SNAPSHOT, rank: 'rank-1' };
    const bad = async function* () {
      yield partLine('a');
      yield { ...partLine('b'), sizeBytes: -1 };
    };
    await vault.create(KEY, await bytesOf(manifestBytes(header, bad())));
    const told: string[] = [];
    const read = await collect(readableManifest(vault, place, (detail) => told.push(detail)));
    expect(read.map(({ path }) => path)).toEqual(['a']);
    expect(told).toEqual([expect.stringContaining(`${KEY} is not what it should be`)]);
  });

  it('is not read when a newer version has written it: that is an error', async () => {
    const vault = new MeddledStore({ versioned: true });
    await vault.create(KEY, await manifest(2));
    await expect(collect(readableManifest(vault, place, () => undefined))).rejects.toThrow(FormatTooNew);
  });

  it('that is missing is lost; nobody has to know why', async () => {
    const vault = new MeddledStore({ versioned: true });
    expect(await brokenDigest({ vault }, KEY, 'x')).toEqual({ detail: `${KEY} is missing.`, lost: true });
  });
});
