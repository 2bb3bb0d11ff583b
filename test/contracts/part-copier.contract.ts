import { beforeEach, describe, expect, it } from 'vitest';
import { algorithmOf } from '../../core/checksum.ts';
import type { RankName } from '../../core/ids.ts';
import type { LivePart, Receipt } from '../../core/part.ts';
import type { CopyTask, PartCopier } from '../../core/ports/part-copier.ts';
import { partKey, rewrittenPartKey } from '../../core/vault-layout.ts';
import { variedBytes } from '../support/byte-streams.ts';
import { checksumOfBytes } from '../support/checksum-of-bytes.ts';

/** A copier under test, a root it reads, and the vault it writes. */
export interface PartCopierSubject {
  readonly copier: PartCopier;
  /** Writes a file into the copier's root; a part of the rank, as a listing shows it. */
  put(rank: RankName, path: string, bytes: Uint8Array): Promise<LivePart>;
  remove(rank: RankName, path: string): Promise<void>;
  /** Bytes of one version in the vault. */
  readVault(key: string, versionId: string): Promise<Uint8Array>;
  /** Creates an object that is none of Rankvault's, or says that something is there. */
  putForeign(key: string): Promise<'created' | 'exists'>;
}

export interface PartCopierTraits {
  /** Sizes above which this copier works in ranges; each is copied once. */
  readonly largeSizesBytes: readonly number[];
  /**
   * A part that changed after its listing: `refused` by a copier that reads exactly what was listed; `followed` by one whose receipt
   * has the token of what it read.
   */
  readonly changedPart: 'refused' | 'followed';
}

const BACKUP = 'nightly';
const SNAPSHOT = 'snapshot.2026-11-23.02-00-00';
const never = (): boolean => false;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function taskOf(part: LivePart, rank: RankName = 1): CopyTask {
  return {
    backup: BACKUP,
    snapshot: SNAPSHOT,
    rank,
    part,
    uploadKey: `uploads/${rank}/${part.path}.json`,
    shouldStop: never,
  };
}

/** What every copier promises. @param open an empty root and an empty vault for each test */
export function describePartCopier(
  name: string,
  open: () => Promise<PartCopierSubject>,
  traits: PartCopierTraits,
): void {
  describe(`${name} as a part copier`, () => {
    let subject: PartCopierSubject;
    beforeEach(async () => {
      subject = await open();
    });

    async function copy(part: LivePart, rank: RankName = 1): Promise<Receipt> {
      const receipt = await subject.copier.copy(taskOf(part, rank));
      if (receipt === undefined) {
        throw new Error('The copier stopped although nobody asked it to.');
      }
      return receipt;
    }

    async function expectInVault(receipt: Receipt, bytes: Uint8Array, rank: RankName = 1): Promise<void> {
      const key = receipt.key ?? partKey(BACKUP, SNAPSHOT, rank, receipt.path);
      const stored = await subject.readVault(key, receipt.versionId);
      expect(Buffer.compare(stored, bytes)).toBe(0);
      expect(receipt.sizeBytes).toBe(bytes.byteLength);
      expect(receipt.checksum).toBe(await checksumOfBytes(algorithmOf(receipt.checksum), bytes));
    }

    it('copies a part to its natural key and gives a full receipt', async () => {
      const bytes = variedBytes(100_001);
      const part = await subject.put(1, 'tom-0/t42/000017.seg', bytes);
      const receipt = await copy(part);
      expect(receipt).toMatchObject({ path: part.path, token: part.token, in: SNAPSHOT });
      expect(receipt.key).toBeUndefined();
      expect(receipt.versionId).not.toBe('');
      expect(receipt.etag).not.toBe('');
      await expectInVault(receipt, bytes);
    });

    it('copies empty parts', async () => {
      const receipt = await copy(await subject.put(1, 'empty', new Uint8Array()));
      await expectInVault(receipt, new Uint8Array());
    });

    it.each(traits.largeSizesBytes)('copies a part of %i bytes in ranges', async (sizeBytes) => {
      const bytes = variedBytes(sizeBytes, 9);
      await expectInVault(await copy(await subject.put(1, 'tom-0/large.seg', bytes)), bytes);
    });

    it('copies parts of any name, and files of no rank', async () => {
      const long = `${Array.from({ length: 4 }, () => 'ü'.repeat(99)).join('/')}/${'x'.repeat(54)}`;
      expect(Buffer.byteLength(long)).toBe(850);
      const names = ['a b+c%20d.seg', 'ünï/\u{1f600}.seg', '#?&=;:@$,.seg', 'it\'s <x> "y"', '100%', long];
      for (const each of names) {
        await expectInVault(await copy(await subject.put(1, each, text(each))), text(each));
      }
      await expectInVault(
        await copy(await subject.put('cluster', 'gpudb.conf', text('c')), 'cluster'),
        text('c'),
        'cluster',
      );
    });

    it('gives the same receipt when the same task is done again', async () => {
      const part = await subject.put(1, 'x', text('once'));
      expect(await copy(part)).toEqual(await copy(part));
    });

    it('gives ghosts that copy the same part at the same time the same receipt', async () => {
      const bytes = variedBytes(5_000);
      const part = await subject.put(1, 'x', bytes);
      const receipts = await Promise.all([copy(part), copy(part), copy(part), copy(part)]);
      expect(receipts.map((receipt) => receipt.versionId)).toEqual(receipts.map(() => receipts[0]?.versionId));
      for (const receipt of receipts) {
        await expectInVault(receipt, bytes);
      }
    });

    it('takes a later version of a part to a rewritten key and keeps the first', async () => {
      const first = await copy(await subject.put(1, 'tom-0/x', text('before the quiesce')));
      const changed = await subject.put(1, 'tom-0/x', text('quiesced'));
      const second = await copy(changed);
      expect(second.key).toBe(
        rewrittenPartKey({ backup: BACKUP, snapshot: SNAPSHOT, rank: 1, path: 'tom-0/x' }, changed.token),
      );
      await expectInVault(first, text('before the quiesce'));
      await expectInVault(second, text('quiesced'));
      expect(await copy(changed)).toEqual(second);
    });

    it('refuses keys that something else has taken', async () => {
      const part = await subject.put(1, 'x', text('ours'));
      await subject.putForeign(partKey(BACKUP, SNAPSHOT, 1, 'x'));
      const receipt = await copy(part);
      expect(receipt.key).toBeDefined();
      await expectInVault(receipt, text('ours'));
      const other = await subject.put(1, 'y', text('ours'));
      await subject.putForeign(partKey(BACKUP, SNAPSHOT, 1, 'y'));
      await subject.putForeign(
        rewrittenPartKey({ backup: BACKUP, snapshot: SNAPSHOT, rank: 1, path: 'y' }, other.token),
      );
      await expect(copy(other)).rejects.toMatchObject({ name: 'VaultKeyTaken' });
    });

    it.runIf(traits.changedPart === 'refused')('refuses a part that changed after it was listed', async () => {
      const part = await subject.put(1, 'x', text('listed'));
      await subject.put(1, 'x', text('change'));
      await expect(copy(part)).rejects.toMatchObject({ name: 'PartChanged' });
    });

    it.runIf(traits.changedPart === 'followed')(
      'copies what is there now, and says which version it read',
      async () => {
        const part = await subject.put(1, 'x', text('listed'));
        const now = await subject.put(1, 'x', text('changed since'));
        const receipt = await copy(part);
        expect(receipt.token).toBe(now.token);
        await expectInVault(receipt, text('changed since'));
      },
    );

    it('refuses a part that is gone', async () => {
      const part = await subject.put(1, 'x', text('listed'));
      await subject.remove(1, 'x');
      await expect(copy(part)).rejects.toMatchObject({ name: 'PartMissing' });
    });

    it('does nothing when it is told to stop before it begins', async () => {
      const part = await subject.put(1, 'x', text('x'));
      expect(await subject.copier.copy({ ...taskOf(part), shouldStop: () => true })).toBeUndefined();
      expect(await subject.putForeign(partKey(BACKUP, SNAPSHOT, 1, 'x'))).toBe('created');
    });
  });
}
