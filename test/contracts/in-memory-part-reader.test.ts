import { collect } from '../support/byte-streams.ts';
import { InMemoryObjectStore } from '../support/in-memory-object-store.ts';
import { InMemoryPartReader } from '../support/in-memory-part-reader.ts';
import { putVersion } from '../support/in-memory-vault.ts';
import { describePartReader } from './part-reader.contract.ts';

describePartReader('the in-memory reader', () => {
  const store = new InMemoryObjectStore({ versioned: true });
  return Promise.resolve({
    reader: new InMemoryPartReader(store),
    put: async (key, bytes, options) => putVersion(store, key, bytes, options),
    hide: async (key) => {
      await store.hide(key);
      const [marker] = await collect(store.listVersions(key));
      return { key, versionId: marker?.versionId ?? '' };
    },
    rot: async (version) => store.rot(version),
  });
});
