import { join } from 'node:path';
import { FileSourceRoot } from '../../../adapters/file/file-source-root.ts';
import { ClusterSource } from '../../../adapters/roots/cluster-source.ts';
import { describeSourceRoots } from '../../contracts/source-roots.contract.ts';
import { LATER, rootAt, useDirectories, writeTree } from './file-fixture.ts';

const directories = useDirectories();

describeSourceRoots('File roots', async (shapes) => {
  const parent = directories.newDirectory();
  const directoryOf = (name: string) => join(parent, name);
  for (const { name } of shapes) {
    writeTree(directoryOf(name), { './': '' });
  }
  const roots = shapes.map(
    (shape) => new FileSourceRoot({ ...rootAt(directoryOf(shape.name), shape), name: shape.name }, LATER),
  );
  return {
    source: new ClusterSource(roots),
    put: async (root, path, text) => writeTree(directoryOf(root), { [path]: text }),
  };
});
