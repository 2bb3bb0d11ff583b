import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { FileRestoreTarget } from '../../../adapters/file/file-restore-target.ts';
import { ClusterTarget } from '../../../adapters/roots/cluster-target.ts';
import { describeRestoreTarget } from '../../contracts/restore-target.contract.ts';
import { useLocalS3 } from '../../support/s3-fixture.ts';
import { LATER, rootAt, useDirectories, writeTree } from './file-fixture.ts';

const directories = useDirectories();
const fixture = useLocalS3();

describeRestoreTarget(
  'File roots',
  async (shapes) => {
    const parent = directories.newDirectory();
    const directoryOf = (name: string) => join(parent, name);
    const bucket = await fixture.newBucket({ versioned: true });
    const targets = shapes.map((shape) => {
      writeTree(directoryOf(shape.name), { './': '' });
      const root = { ...rootAt(directoryOf(shape.name), shape), name: shape.name };
      return new FileRestoreTarget({ root, clock: LATER, vault: { client: fixture.client } });
    });
    return {
      target: new ClusterTarget(targets),
      read: async (root, path) => {
        const file = join(directoryOf(root), path);
        return existsSync(file) ? readFileSync(file) : undefined;
      },
      put: async (root, path, bytes) => writeTree(directoryOf(root), { [path]: bytes }),
      store: async (key, bytes, algorithm) => {
        const answer = await fixture.client.send(
          new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes, ChecksumAlgorithm: algorithm }),
        );
        return { bucket, key, versionId: answer.VersionId ?? '' };
      },
    };
  },
  { largeSizesBytes: [3 * 1024 * 1024 + 1], keepsOldOnMismatch: true, isFileSystem: true },
);
