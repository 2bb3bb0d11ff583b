import { collect } from '../support/byte-streams.ts';
import { InMemoryObjectStore } from '../support/in-memory-object-store.ts';
import { InMemoryPartCopier } from '../support/in-memory-part-copier.ts';
import { InMemorySource } from '../support/in-memory-source.ts';
import { InMemoryTree, pathInMemoryRoot } from '../support/in-memory-tree.ts';
import { storeBytes } from '../support/store-bytes.ts';
import { describePartCopier } from './part-copier.contract.ts';

describePartCopier(
  'the in-memory copier',
  () => {
    const tree = new InMemoryTree([{ name: 'main', pattern: 'r{rank}/t{tom:2}', exclude: [] }]);
    const vault = new InMemoryObjectStore();
    const source = new InMemorySource(tree);
    return Promise.resolve({
      copier: new InMemoryPartCopier(tree, vault),
      put: async (rank, path, bytes) => {
        tree.write('main', pathInMemoryRoot(tree.root('main'), rank, path), bytes);
        const part = (await collect(source.listRank(rank, undefined))).find((entry) => entry.path === path);
        if (part?.kind !== 'part') {
          throw new Error(`${path} was written and is not listed.`);
        }
        return part;
      },
      remove: async (rank, path) => tree.remove('main', pathInMemoryRoot(tree.root('main'), rank, path)),
      readVault: async (key) => storeBytes(vault, key),
      putForeign: async (key) => vault.create(key, Buffer.from('foreign')),
    });
  },
  { largeSizesBytes: [], changedPart: 'refused' },
);
