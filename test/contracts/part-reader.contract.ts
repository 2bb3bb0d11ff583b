import { beforeEach, describe, expect, it } from 'vitest';
import { CHECKSUM_ALGORITHMS } from '../../core/checksum.ts';
import type { PartReader } from '../../core/ports/part-reader.ts';
import type { VersionName } from '../../core/ports/vault-versions.ts';
import { variedBytes } from '../support/byte-streams.ts';
import { checksumOfBytes } from '../support/checksum-of-bytes.ts';
import type { PutOptions } from './vault-versions.contract.ts';

/** A reader under test, an empty vault, and what happens to that vault. */
export interface PartReaderSubject {
  readonly reader: PartReader;
  /** A new version of the key. */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<VersionName>;
  /** @returns the delete marker */
  hide(key: string): Promise<VersionName>;
  /** Changes a bit in the middle of the version. */
  rot(version: VersionName): Promise<void>;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** What every reader of parts promises. @param open an empty vault for each test */
export function describePartReader(name: string, open: () => Promise<PartReaderSubject>): void {
  describe(`${name} as a part reader`, () => {
    let subject: PartReaderSubject;
    beforeEach(async () => {
      subject = await open();
    });

    it.each(CHECKSUM_ALGORITHMS)('gives size and %s of what it read', async (algorithm) => {
      for (const bytes of [new Uint8Array(), text('x'), variedBytes(700_001, 3)]) {
        const version = await subject.put('a/part', bytes);
        expect(await subject.reader.read(version, algorithm)).toEqual({
          sizeBytes: bytes.byteLength,
          checksum: await checksumOfBytes(algorithm, bytes),
          lockedUntilEpochMillis: undefined,
        });
      }
    });

    it('reads exactly the version that is named, also under later ones and a delete marker', async () => {
      const odd = 'a b+c%20d/ü\u{1f600}/#?&=.seg';
      const first = await subject.put(odd, text('first'));
      await subject.put(odd, text('second, longer'));
      await subject.hide(odd);
      expect(await subject.reader.read(first, 'CRC32')).toMatchObject({
        sizeBytes: 5,
        checksum: await checksumOfBytes('CRC32', text('first')),
      });
    });

    it('has no value for a version or a key that is not there, and for a delete marker', async () => {
      const other = await subject.put('other', text('x'));
      const { versionId } = await subject.put('k', text('x'));
      const marker = await subject.hide('k');
      expect(await subject.reader.read({ key: 'nothing', versionId }, 'CRC32')).toBeUndefined();
      expect(await subject.reader.read({ key: 'k', versionId: other.versionId }, 'CRC32')).toBeUndefined();
      expect(await subject.reader.read(marker, 'CRC32')).toBeUndefined();
    });

    it.each(CHECKSUM_ALGORITHMS)('tells the %s of bytes that are not those that were written', async (algorithm) => {
      for (const sizeBytes of [3, 200_000]) {
        const bytes = variedBytes(sizeBytes);
        const version = await subject.put('rotten', bytes);
        await subject.rot(version);
        const read = await subject.reader.read(version, algorithm);
        expect(read?.sizeBytes).toBe(sizeBytes);
        expect(read?.checksum).not.toBe(await checksumOfBytes(algorithm, bytes));
        const middle = Math.floor(sizeBytes / 2);
        bytes[middle] = (bytes[middle] ?? 0) ^ 1;
        expect(read?.checksum).toBe(await checksumOfBytes(algorithm, bytes));
      }
    });

    it('tells until when the version is locked', async () => {
      const lockedUntilEpochMillis = Date.UTC(2099, 0, 1);
      const version = await subject.put('k', text('x'), { lockedUntilEpochMillis });
      expect(await subject.reader.read(version, 'CRC32')).toMatchObject({ lockedUntilEpochMillis });
    });

    it('refuses an archived version by name', async () => {
      const version = await subject.put('k', text('x'), { storageClass: 'GLACIER' });
      await expect(subject.reader.read(version, 'CRC32')).rejects.toMatchObject({ name: 'SourceUnreadable' });
    });
  });
}
