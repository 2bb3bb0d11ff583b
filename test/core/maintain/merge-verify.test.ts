import { describe, expect, it } from 'vitest';
import { streamOf } from '../../../core/draft-writer.ts';
import { CatalogCorrupt, ChecksumMismatch, RecordMissing, VaultPartMissing } from '../../../core/errors.ts';
import { jsonBytes } from '../../../core/format.ts';
import { sealSchema } from '../../../core/jobs/seal-rank.ts';
import { mergeVerifiedKey } from '../../../core/jobs/verify-merged-rank.ts';
import type { ManifestLine, PartLine } from '../../../core/manifest.ts';
import { isDirectoryLine } from '../../../core/manifest.ts';
import { manifestBytes, readManifest } from '../../../core/manifest-io.ts';
import { readJson } from '../../../core/stored-json.ts';
import { manifestKey, partKey } from '../../../core/vault-layout.ts';
import { collect } from '../../support/byte-streams.ts';
import { always } from '../../support/job-world.ts';
import { MaintainWorld } from '../../support/maintain-world.ts';
import { type Merge, planOfMerge } from '../../support/merge-world.ts';

async function committed() {
  const world = new MaintainWorld();
  world.tree.write('main', 'rank-1/tom-0/b.seg', Buffer.from('b'));
  await world.snapshot({ type: 'full', execution: 'run-0' });
  world.tree.write('main', 'rank-1/tom-0/a.seg', Buffer.from('second'));
  await world.snapshot({ type: 'incremental', execution: 'run-1' });
  world.clock.advanceMinutes(1);
  const merge = await planOfMerge(world, { execution: 'merge-1' });
  await merge.upToCommit();
  const key = partKey('prod', merge.plan.merge.snapshot, 1, 'tom-0/a.seg');
  return { world, merge, key, version: world.vault.currentVersion(key) };
}

/** Writes another manifest of rank 1 and seals it, as a fault of Rankvault might. */
async function reseal(merge: Merge, change: (lines: readonly ManifestLine[]) => readonly ManifestLine[]) {
  const { backup, snapshot } = merge.plan.merge;
  const { vault, work, keys } = merge.deps;
  const place = { backup, snapshot, rank: 1 };
  const lines = change(await collect(readManifest(vault, place)));
  const key = manifestKey(backup, snapshot, 1);
  await vault.hide(key);
  const header = { formatVersion: 1, backup, snapshot, rank: 'rank-1' };
  const { sha256 } = await vault.createStream(key, manifestBytes(header, streamOf(lines)));
  const seal = await readJson(work, keys.seal(1), sealSchema);
  await work.put(keys.seal(1), jsonBytes({ ...seal?.value, sha256 }));
}

function changed(path: string, change: Partial<PartLine>) {
  return (lines: readonly ManifestLine[]) =>
    lines.map((line) => (line.path === path && !isDirectoryLine(line) ? { ...line, ...change } : line));
}

const verified = async (merge: Merge) =>
  Promise.all(
    (await merge.ranks()).map(
      async (rank) => (await merge.deps.work.head(mergeVerifiedKey(merge.deps.keys, rank))) !== undefined,
    ),
  );

describe('verifying a merged rank', () => {
  it('leaves a record of each rank that is right', async () => {
    const { merge } = await committed();
    await merge.verify();
    expect(await verified(merge)).toEqual([true, true, true, true]);
  });

  it('goes on where it stopped, listing no key twice', async () => {
    const { world, merge } = await committed();
    const afters: (string | undefined)[] = [];
    const versions = {
      listVersions: (prefix: string, after?: string) => {
        afters.push(after?.slice(prefix.length));
        return world.vault.listVersions(prefix, after);
      },
    };
    expect(await merge.verifyRank(1, { versions, shouldStop: always })).toBe(3);
    expect(afters).toEqual([undefined, 'tom-0/a.seg', 'tom-0/b.seg']);
  });

  it('may be done before the commit as well: it looks at what was sealed', async () => {
    const { world, merge } = await committed();
    await world.vault.hide(`.rankvault/catalog/prod/snapshots/${merge.plan.merge.snapshot}.json`);
    await merge.verify();
    expect(await verified(merge)).toEqual([true, true, true, true]);
  });

  it('finds the version also under a delete marker or a later version: restores read by version', async () => {
    const { world, merge, key } = await committed();
    await world.vault.put(key, Buffer.from('somebody else'));
    await world.vault.hide(key);
    await merge.verify();
    expect(await verified(merge)).toEqual([true, true, true, true]);
  });

  it('finds a version at a key beside the rank', async () => {
    const { world, merge, version } = await committed();
    const key = `prod/${merge.plan.merge.snapshot}/.rewritten/0123456789ab/rank-1/tom-0/a.seg`;
    await world.vault.create(key, Buffer.from('second'));
    const { etag, versionId } = (await world.vault.head(key)) ?? {};
    const elsewhere = { key, etag: etag ?? '', versionId: versionId ?? '' };
    await reseal(merge, changed('tom-0/a.seg', elsewhere));
    world.vault.lose(version);
    await merge.verify();
    world.vault.lose(world.vault.currentVersion(key));
    await world.work.delete(mergeVerifiedKey(merge.deps.keys, 1));
    await expect(merge.verify()).rejects.toThrow(VaultPartMissing);
  });

  type Scene = Awaited<ReturnType<typeof committed>>;
  it.each<[string, (scene: Scene) => unknown, new (...args: never[]) => Error]>([
    ['a version is gone', ({ world, version }) => world.vault.lose(version), VaultPartMissing],
    [
      'a version is shorter',
      ({ world, version }) => world.vault.damage(version, { body: Buffer.from('s') }),
      ChecksumMismatch,
    ],
    [
      'a version is another',
      ({ world, version }) => world.vault.damage(version, { etag: '"other"' }),
      ChecksumMismatch,
    ],
    [
      'a version is a delete marker',
      async ({ world, merge, key }) => {
        await world.vault.hide(key);
        const marker = (await collect(world.vault.listVersions(key)))[0];
        await reseal(merge, changed('tom-0/a.seg', { versionId: marker?.versionId ?? '' }));
      },
      VaultPartMissing,
    ],
    [
      'its manifest is another',
      ({ world, merge }) => world.vault.put(manifestKey('prod', merge.plan.merge.snapshot, 1), Buffer.from('x')),
      CatalogCorrupt,
    ],
    [
      'the source’s manifest is gone',
      ({ world, merge }) => world.vault.hide(manifestKey('prod', merge.plan.merge.source, 1)),
      CatalogCorrupt,
    ],
    ['a part is not listed', ({ merge }) => reseal(merge, (lines) => lines.slice(1)), CatalogCorrupt],
    [
      'a part is listed that the source has not',
      ({ merge }) => reseal(merge, (lines) => lines.flatMap((line) => [line, { ...line, path: `${line.path}2` }])),
      CatalogCorrupt,
    ],
    [
      'a checksum is another',
      ({ merge }) => reseal(merge, changed('tom-0/a.seg', { checksum: 'CRC64NVME:AAAAAAAAAAA=' })),
      ChecksumMismatch,
    ],
    ['a token is another', ({ merge }) => reseal(merge, changed('tom-0/a.seg', { token: 's3:other' })), CatalogCorrupt],
    [
      'a doubt has vanished or come',
      ({ merge }) => reseal(merge, changed('tom-0/a.seg', { racy: true })),
      CatalogCorrupt,
    ],
    [
      'it names bytes of its source',
      ({ merge }) => reseal(merge, changed('tom-0/a.seg', { in: merge.plan.merge.source })),
      CatalogCorrupt,
    ],
    ['a rank was not sealed', ({ merge }) => merge.deps.work.delete(merge.deps.keys.seal(1)), RecordMissing],
  ])('fails when %s', async (_what, damage, error) => {
    const scene = await committed();
    await damage(scene);
    await expect(scene.merge.verify()).rejects.toThrow(error);
    expect((await verified(scene.merge))[1]).toBe(false);
  });
});

describe('copying a batch of a merge', () => {
  it.each([{ checksum: 'CRC64NVME:AAAAAAAAAAA=' as const }, { sizeBytes: 1 }])(
    'refuses a copy that is not like its original: %o',
    async (change) => {
      const world = new MaintainWorld();
      await world.snapshot({ type: 'full', execution: 'run-0' });
      await world.snapshot({ type: 'incremental', execution: 'run-1' });
      world.clock.advanceMinutes(1);
      const merge = await planOfMerge(world, { execution: 'merge-1' });
      await merge.list();
      const honest = world.copier;
      world.copier = {
        copy: async (task) => {
          const receipt = await honest.copy(task);
          return receipt === undefined ? undefined : { ...receipt, ...change };
        },
      };
      await expect(merge.copy()).rejects.toThrow(ChecksumMismatch);
    },
  );
});
