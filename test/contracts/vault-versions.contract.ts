import { beforeEach, describe, expect, it } from 'vitest';
import type { ListedVersion, VaultVersions, VersionName } from '../../core/ports/vault-versions.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';
import { collect } from '../support/byte-streams.ts';

/** Versions under test, in an empty vault, and what others do to that vault. */
export interface VaultVersionsSubject {
  readonly versions: VaultVersions;
  /** A new version of the key. */
  put(key: string, text: string, options?: PutOptions): Promise<VersionName>;
  /** Text of the version, or of the current one; undefined when there is none. */
  read(key: string, versionId?: string): Promise<string | undefined>;
  holdLegally(version: VersionName): Promise<void>;
  beginUpload(key: string): Promise<string>;
}

export interface PutOptions {
  readonly lockedUntilEpochMillis?: number;
  readonly storageClass?: string;
}

/** Beyond the life of these tests. */
const FAR_AWAY = Date.UTC(2099, 0, 1);

/** What every vault promises to those who look at its versions. @param open an empty vault for each test */
export function describeVaultVersions(name: string, open: () => Promise<VaultVersionsSubject>): void {
  describe(`${name} as versions of a vault`, () => {
    let subject: VaultVersionsSubject;
    beforeEach(async () => {
      subject = await open();
    });

    const list = (prefix: string, after?: string): Promise<ListedVersion[]> =>
      collect(subject.versions.listVersions(prefix, after));
    const summary = async (prefix: string, after?: string): Promise<string[]> =>
      (await list(prefix, after)).map(({ key, kind, isLatest }) => `${key} ${kind}${isLatest ? ' current' : ''}`);
    const markerOf = async (key: string): Promise<VersionName> => {
      const marker = (await list(key)).find(({ kind }) => kind === 'deleteMarker');
      return { key, versionId: marker?.versionId ?? '' };
    };

    it('tells everything of a version and of a delete marker', async () => {
      const { versionId } = await subject.put('a/one', 'four');
      await subject.versions.hide('a/one');
      const [marker, version, ...more] = await list('a/');
      expect(more).toEqual([]);
      expect(version).toMatchObject({
        key: 'a/one',
        versionId,
        kind: 'version',
        isLatest: false,
        sizeBytes: 4,
        etag: expect.stringMatching(/^".+"$/),
        storageClass: 'STANDARD',
      });
      expect(marker).toMatchObject({
        key: 'a/one',
        kind: 'deleteMarker',
        isLatest: true,
        sizeBytes: 0,
        etag: '',
        storageClass: '',
      });
      expect(marker?.versionId).not.toBe(versionId);
      expect(version?.modifiedAtEpochMillis).toBeGreaterThan(Date.UTC(2020, 0, 1));
      expect(marker?.modifiedAtEpochMillis).toBeGreaterThanOrEqual(version?.modifiedAtEpochMillis ?? 0);
    });

    it('names the storage class that an object was moved to', async () => {
      await subject.put('a/cold', 'x', { storageClass: 'GLACIER' });
      expect((await list('a/'))[0]).toMatchObject({ storageClass: 'GLACIER', sizeBytes: 1 });
    });

    it('lists keys in the order of their UTF-8 bytes, the current version of each first', async () => {
      const keys = ['v/z', 'v/a b', 'v/a+b', 'v/a%20b', 'v/ä', 'v/\u{ffee}', 'v/\u{1f600}', 'v/q\'"&<>', 'v/A'];
      for (const key of keys) {
        await subject.put(key, 'old');
        await subject.put(key, 'new');
      }
      await subject.versions.hide('v/a+b');
      await subject.versions.hide('v/nothing there');
      await subject.put('v', 'outside');
      await subject.put('v0', 'outside');
      const listed = await list('v/');
      const order = [...keys, 'v/nothing there'].sort(compareUtf8);
      expect([...new Set(listed.map(({ key }) => key))]).toEqual(order);
      expect(listed).toHaveLength(keys.length * 2 + 2);
      for (const key of order) {
        const ofKey = listed.filter((each) => each.key === key);
        expect(ofKey.map(({ isLatest }) => isLatest)).toEqual(ofKey.map((_each, index) => index === 0));
      }
      expect(listed.filter(({ isLatest, kind }) => isLatest && kind === 'deleteMarker')).toHaveLength(2);
    });

    it('yields nothing where nothing was ever written', async () => {
      await subject.put('a/one', 'x');
      expect(await list('b/')).toEqual([]);
      expect(await collect(subject.versions.listDirectories('b/'))).toEqual([]);
      expect(await collect(subject.versions.listUploads('b/'))).toEqual([]);
    });

    it('lists on after a key, which need not be there', async () => {
      for (const key of ['d/1', 'd/2', 'd/2', 'd/3']) {
        await subject.put(key, key);
      }
      expect(await summary('d/', 'd/1')).toEqual(['d/2 version current', 'd/2 version', 'd/3 version current']);
      expect(await summary('d/', 'd/2')).toEqual(['d/3 version current']);
      expect(await summary('d/', 'd/2!')).toEqual(['d/3 version current']);
      expect(await summary('d/', 'c')).toHaveLength(4);
      expect(await summary('d/', 'e')).toEqual([]);
    });

    it('lists more than a page, also when it ends in the middle of a key', async () => {
      const keys = ['p/1', 'p/2', 'p/3'];
      const written: string[] = [];
      for (let version = 0; version < 350; version += 1) {
        const names = await Promise.all(keys.map(async (key) => subject.put(key, '')));
        written.push(...names.map(({ key, versionId }) => `${key} ${versionId}`));
      }
      const listed = await list('p/');
      expect(listed.map(({ key }) => key)).toEqual([...listed.map(({ key }) => key)].sort(compareUtf8));
      expect(new Set(listed.map(({ key, versionId }) => `${key} ${versionId}`))).toEqual(new Set(written));
      expect(listed).toHaveLength(1_050);
      expect(listed.filter(({ isLatest }) => isLatest).map(({ key }) => key)).toEqual(keys);
    });

    it('names the directories that hold any version or delete marker', async () => {
      await subject.put('n/one/rank-1/x', 'x');
      await subject.put('n/one/rank-2/x', 'x');
      await subject.put('n/two/x', 'x');
      await subject.versions.hide('n/two/x');
      await subject.versions.hide('n/.three/only a marker');
      await subject.put('n/a file', 'x');
      await subject.put('nn/other/x', 'x');
      expect(await collect(subject.versions.listDirectories('n/'))).toEqual(['.three', 'one', 'two']);
      expect(await collect(subject.versions.listDirectories('n/one/'))).toEqual(['rank-1', 'rank-2']);
    });

    it('names more directories than a page has', async () => {
      const names = Array.from({ length: 1_003 }, (_, index) => `d${String(index).padStart(4, '0')}`);
      for (let at = 0; at < names.length; at += 59) {
        await Promise.all(names.slice(at, at + 59).map(async (each) => subject.put(`many/${each}/x`, '')));
      }
      expect(await collect(subject.versions.listDirectories('many/'))).toEqual(names);
    });

    it('deletes exactly the versions that are named, and minds no second time', async () => {
      const first = await subject.put('k', 'first');
      const second = await subject.put('k', 'second');
      const other = await subject.put('k"<&>', 'other');
      expect(await subject.versions.deleteVersions([second, other])).toEqual([]);
      expect(await subject.read('k')).toBe('first');
      expect(await list('k')).toMatchObject([{ ...first, isLatest: true }]);
      expect(await subject.versions.deleteVersions([second, first, other])).toEqual([]);
      expect(await list('k')).toEqual([]);
      expect(await subject.versions.deleteVersions([])).toEqual([]);
    });

    it('shows an object again when its delete marker is deleted', async () => {
      await subject.put('k', 'kept');
      await subject.versions.hide('k');
      expect(await subject.read('k')).toBeUndefined();
      expect(await subject.versions.deleteVersions([await markerOf('k')])).toEqual([]);
      expect(await subject.read('k')).toBe('kept');
    });

    it('names the versions that a lock keeps, with its date, and deletes the others', async () => {
      const locked = await subject.put('k', 'locked', { lockedUntilEpochMillis: FAR_AWAY });
      const held = await subject.put('k', 'held');
      await subject.holdLegally(held);
      const both = await subject.put('both', 'both', { lockedUntilEpochMillis: FAR_AWAY });
      await subject.holdLegally(both);
      const free = await subject.put('free', 'free');
      const refused = await subject.versions.deleteVersions([locked, free, held, both]);
      expect(refused).toHaveLength(3);
      expect(refused).toContainEqual({ ...locked, lockedUntilEpochMillis: FAR_AWAY });
      expect(refused).toContainEqual({ ...held, lockedUntilEpochMillis: undefined });
      expect(refused).toContainEqual({ ...both, lockedUntilEpochMillis: undefined });
      expect(await subject.read('k', locked.versionId)).toBe('locked');
      expect(await subject.read('k')).toBe('held');
      expect(await subject.read('free')).toBeUndefined();
    });

    it('hides a locked object, and keeps every version', async () => {
      const { versionId } = await subject.put('k', 'x', { lockedUntilEpochMillis: FAR_AWAY });
      await subject.versions.hide('k');
      expect(await subject.read('k')).toBeUndefined();
      expect(await subject.read('k', versionId)).toBe('x');
      expect(await summary('k')).toEqual(['k deleteMarker current', 'k version']);
    });

    it('deletes a thousand at once, and refuses more', async () => {
      const names: VersionName[] = [];
      for (let at = 0; at < 1_000; at += 50) {
        const some = Array.from({ length: 50 }, async (_, index) => subject.put(`t/${at + index}`, ''));
        names.push(...(await Promise.all(some)));
      }
      const tooMany = async () => subject.versions.deleteVersions([...names, { key: 't/x', versionId: 'v' }]);
      await expect(tooMany()).rejects.toThrow(/1000 at most/);
      expect(await list('t/')).toHaveLength(1_000);
      expect(await subject.versions.deleteVersions(names)).toEqual([]);
      expect(await list('t/')).toEqual([]);
    });

    it('lists the uploads that are under way below a prefix, and aborts them', async () => {
      const first = await subject.beginUpload('u/a');
      const second = await subject.beginUpload('u/a');
      const third = await subject.beginUpload('u/b');
      await subject.beginUpload('uu');
      const listed = await collect(subject.versions.listUploads('u/'));
      expect(listed.map(({ key }) => key)).toEqual(['u/a', 'u/a', 'u/b']);
      expect(new Set(listed.map(({ uploadId }) => uploadId))).toEqual(new Set([first, second, third]));
      expect(listed[0]?.initiatedAtEpochMillis).toBeGreaterThan(Date.UTC(2020, 0, 1));
      await subject.versions.abortUpload({ key: 'u/a', uploadId: first });
      await subject.versions.abortUpload({ key: 'u/a', uploadId: first });
      const left = await collect(subject.versions.listUploads('u/'));
      expect(left.map(({ uploadId }) => uploadId)).toEqual([second, third]);
    });
  });
}
