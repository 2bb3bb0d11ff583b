import { InMemoryObjectStore } from '../support/in-memory-object-store.ts';
import { InMemoryPartCopier } from '../support/in-memory-part-copier.ts';
import { InMemoryTree } from '../support/in-memory-tree.ts';
import { describeStoredPartCopier } from './stored-part-copier.contract.ts';

describeStoredPartCopier(
  'the in-memory copier',
  () => {
    const vault = new InMemoryObjectStore({ versioned: true });
    return Promise.resolve({
      copier: new InMemoryPartCopier(new InMemoryTree([]), vault),
      store: async (key, bytes) => {
        await vault.put(key, bytes);
        const version = vault.currentVersion(key);
        return { ...version, etag: vault.version(version)?.etag ?? '' };
      },
      readVault: async (key, versionId) => {
        const version = vault.version({ key, versionId });
        if (version === undefined) {
          throw new Error(`${key} version ${versionId} is not in the vault.`);
        }
        return version.body;
      },
      hide: async (key) => vault.hide(key),
      lose: async (version) => vault.lose(version),
      rot: async (version) => vault.rot(version),
    });
  },
  { largeSizesBytes: [] },
);
