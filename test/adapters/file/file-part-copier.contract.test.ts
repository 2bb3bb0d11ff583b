import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { createBufferPool, FilePartCopier } from '../../../adapters/file/file-part-copier.ts';
import { pathInRoot } from '../../../adapters/file/file-root.ts';
import { FileSourceRoot } from '../../../adapters/file/file-source-root.ts';
import { RANGE_SIZE_BYTES } from '../../../adapters/file/part-ranges.ts';
import { S3ObjectStore } from '../../../adapters/s3/s3-object-store.ts';
import { describePartCopier } from '../../contracts/part-copier.contract.ts';
import { useLocalS3 } from '../../support/s3-fixture.ts';
import { LATER, partAt, rootAt, useDirectories, writeTree } from './file-fixture.ts';

const directories = useDirectories();
const fixture = useLocalS3();

describePartCopier(
  'The file copier',
  async () => {
    const directory = directories.newDirectory();
    const root = rootAt(directory, { pattern: 'r{rank}/t{tom:2}' });
    const vault = { client: fixture.client, bucket: await fixture.newBucket({ versioned: true }) };
    const work = new S3ObjectStore({ client: fixture.client, bucket: await fixture.newBucket() });
    const source = new FileSourceRoot(root, LATER);
    return {
      copier: new FilePartCopier({ root, vault, work, pool: createBufferPool() }),
      put: async (rank, path, bytes) => {
        writeTree(directory, { [pathInRoot(root, rank, path)]: bytes });
        return await partAt(source, rank, path);
      },
      remove: async (rank, path) => rmSync(join(directory, pathInRoot(root, rank, path))),
      readVault: async (key, versionId) => {
        const answer = await fixture.client.send(
          new GetObjectCommand({ Bucket: vault.bucket, Key: key, VersionId: versionId }),
        );
        return (await answer.Body?.transformToByteArray()) ?? new Uint8Array();
      },
      putForeign: async (key) => new S3ObjectStore(vault).create(key, Buffer.from('foreign')),
    };
  },
  { largeSizesBytes: [RANGE_SIZE_BYTES + 1, 3 * RANGE_SIZE_BYTES], changedPart: 'refused' },
);
