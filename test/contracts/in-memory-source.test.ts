import { InMemorySource } from '../support/in-memory-source.ts';
import { InMemoryTree } from '../support/in-memory-tree.ts';
import { describeSourceRoots } from './source-roots.contract.ts';

describeSourceRoots(
  'the in-memory source',
  (shapes) => {
    const tree = new InMemoryTree(shapes);
    return Promise.resolve({
      source: new InMemorySource(tree),
      put: async (root, path, text) => tree.write(root, path, Buffer.from(text)),
    });
  },
  { objectBesideDirectory: true },
);
