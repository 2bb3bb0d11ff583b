import { beforeEach, describe, expect, it } from 'vitest';
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm } from '../../core/checksum.ts';
import type { RankName } from '../../core/ids.ts';
import type { Receipt, StoredBytes } from '../../core/part.ts';
import type { CopyTask, PartCopier } from '../../core/ports/part-copier.ts';
import type { VersionName } from '../../core/ports/vault-versions.ts';
import { partKey, rewrittenPartKey } from '../../core/vault-layout.ts';
import { variedBytes } from '../support/byte-streams.ts';
import { checksumOfBytes } from '../support/checksum-of-bytes.ts';

/** A copier under test, the one vault that it reads and writes, and what happens to that vault. */
export interface StoredPartCopierSubject {
  readonly copier: PartCopier;
  /** A new version of the key that has a checksum of this algorithm. */
  store(key: string, bytes: Uint8Array, algorithm: ChecksumAlgorithm): Promise<VersionName & { readonly etag: string }>;
  readVault(key: string, versionId: string): Promise<Uint8Array>;
  hide(key: string): Promise<unknown>;
  lose(version: VersionName): Promise<void>;
  rot(version: VersionName): Promise<void>;
}

export interface StoredPartCopierTraits {
  /** Sizes above which this copier works in ranges; each is copied once with each algorithm. */
  readonly largeSizesBytes: readonly number[];
}

const BACKUP = 'nightly';
const SOURCE = 'snapshot.2026-11-23.02-00-00';
const MERGED = 'snapshot.2026-11-30.02-00-00';
const TOKEN = 'etag:"listed"';
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** What every copier promises of parts that the vault has already. @param open an empty vault for each test */
export function describeStoredPartCopier(
  name: string,
  open: () => Promise<StoredPartCopierSubject>,
  { largeSizesBytes }: StoredPartCopierTraits,
): void {
  describe(`${name} as a copier of stored parts`, () => {
    let subject: StoredPartCopierSubject;
    beforeEach(async () => {
      subject = await open();
    });

    interface Stored {
      readonly rank?: RankName;
      readonly algorithm?: ChecksumAlgorithm;
      /** @default - the natural one */
      readonly key?: string;
    }

    async function stored(path: string, bytes: Uint8Array, options: Stored = {}): Promise<CopyTask> {
      const { rank = 1, algorithm = 'CRC64NVME', key } = options;
      const made = await subject.store(key ?? partKey(BACKUP, SOURCE, rank, path), bytes, algorithm);
      const sizeBytes = bytes.byteLength;
      return {
        backup: BACKUP,
        snapshot: MERGED,
        rank,
        part: { kind: 'part', path, root: 'main', sizeBytes, token: TOKEN, racy: false },
        stored: {
          sizeBytes,
          checksum: await checksumOfBytes(algorithm, bytes),
          in: SOURCE,
          etag: made.etag,
          versionId: made.versionId,
          ...(key === undefined ? {} : { key }),
        },
        uploadKey: `uploads/${path}.json`,
        shouldStop: () => false,
      };
    }

    async function copy(task: CopyTask): Promise<Receipt> {
      const receipt = await subject.copier.copy(task);
      if (receipt === undefined) {
        throw new Error('The copier stopped although nobody asked it to.');
      }
      return receipt;
    }

    async function expectCopy(task: CopyTask, bytes: Uint8Array): Promise<Receipt> {
      const receipt = await copy(task);
      const key = partKey(BACKUP, MERGED, task.rank, task.part.path);
      expect(receipt).toMatchObject({
        path: task.part.path,
        token: TOKEN,
        in: MERGED,
        sizeBytes: bytes.byteLength,
        checksum: task.stored?.checksum,
      });
      expect(receipt.key).toBeUndefined();
      expect(receipt.versionId).not.toBe(task.stored?.versionId);
      expect(receipt.etag).not.toBe('');
      expect(Buffer.compare(await subject.readVault(key, receipt.versionId), bytes)).toBe(0);
      return receipt;
    }

    function storedOf(task: CopyTask): StoredBytes {
      if (task.stored === undefined) {
        throw new Error('The task has stored bytes.');
      }
      return task.stored;
    }

    const sourceOf = (task: CopyTask): VersionName => ({
      key: partKey(BACKUP, SOURCE, task.rank, task.part.path),
      versionId: storedOf(task).versionId,
    });

    for (const algorithm of CHECKSUM_ALGORITHMS) {
      it(`copies parts of any size with the ${algorithm} that is recorded`, async () => {
        const sizes = [0, 1, 100_001, ...largeSizesBytes];
        for (const [index, sizeBytes] of sizes.entries()) {
          const bytes = variedBytes(sizeBytes, index + 1);
          await expectCopy(await stored(`tom-0/${index}.seg`, bytes, { algorithm }), bytes);
        }
      });
    }

    it('copies parts of any name, and files of no rank', async () => {
      for (const each of ['a b+c%20d.seg', 'ünï/\u{1f600}.seg', '#?&=;:@$,.seg', 'it\'s <x> "y"', '100%']) {
        await expectCopy(await stored(each, text(each)), text(each));
      }
      await expectCopy(await stored('gpudb.conf', text('c'), { rank: 'cluster' }), text('c'));
    });

    it('reads exactly the recorded version, also under later ones and a delete marker', async () => {
      const task = await stored('x', text('recorded'));
      await subject.store(sourceOf(task).key, text('later on'), 'CRC64NVME');
      await subject.hide(sourceOf(task).key);
      await expectCopy(task, text('recorded'));
    });

    it('copies rewritten parts to their natural key', async () => {
      const place = { backup: BACKUP, snapshot: SOURCE, rank: 1, path: 'x' } as const;
      await expectCopy(await stored('x', text('quiesced'), { key: rewrittenPartKey(place, TOKEN) }), text('quiesced'));
    });

    it('gives the same receipt when the same task is done again, and to ghosts', async () => {
      const task = await stored('x', text('once'));
      const receipt = await copy(task);
      expect(await copy(task)).toEqual(receipt);
      const other = await stored('y', text('once'));
      const [first, ...more] = await Promise.all([copy(other), copy(other), copy(other)]);
      expect(more.map(({ versionId }) => versionId)).toEqual(more.map(() => first?.versionId));
    });

    it('refuses bytes that are not those recorded, also when it is asked again', async () => {
      for (const sizeBytes of [3, ...largeSizesBytes.slice(0, 1)]) {
        const task = await stored(`rotten-${sizeBytes}`, variedBytes(sizeBytes));
        await subject.rot(sourceOf(task));
        await expect(copy(task)).rejects.toMatchObject({ name: 'ChecksumMismatch' });
        await expect(copy(task)).rejects.toMatchObject({ name: 'ChecksumMismatch' });
      }
    });

    it('names stored bytes that are gone', async () => {
      for (const sizeBytes of [3, ...largeSizesBytes.slice(0, 1)]) {
        const task = await stored(`lost-${sizeBytes}`, variedBytes(sizeBytes));
        await subject.lose(sourceOf(task));
        await expect(copy(task)).rejects.toMatchObject({ name: 'VaultPartMissing' });
      }
    });

    it('does nothing when it is told to stop before it begins', async () => {
      const task = await stored('x', text('x'));
      expect(await subject.copier.copy({ ...task, shouldStop: () => true })).toBeUndefined();
      await expect(subject.readVault(partKey(BACKUP, MERGED, 1, 'x'), 'any')).rejects.toThrow();
    });
  });
}
