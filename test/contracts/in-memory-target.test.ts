import { InMemoryObjectStore } from '../support/in-memory-object-store.ts';
import { InMemoryTarget } from '../support/in-memory-target.ts';
import { InMemoryTree } from '../support/in-memory-tree.ts';
import { describeRestoreTarget } from './restore-target.contract.ts';

describeRestoreTarget(
  'the in-memory target',
  (shapes) => {
    const tree = new InMemoryTree(shapes);
    const vault = new InMemoryObjectStore();
    return Promise.resolve({
      target: new InMemoryTarget(tree, vault),
      read: async (root, path) => tree.read(root, path)?.bytes,
      put: async (root, path, bytes) => tree.write(root, path, bytes),
      store: async (key, bytes) => {
        await vault.put(key, bytes);
        return { bucket: 'vault', key, versionId: (await vault.head(key))?.versionId ?? '' };
      },
    });
  },
  { largeSizesBytes: [1], keepsOldOnMismatch: true, isFileSystem: false },
);
