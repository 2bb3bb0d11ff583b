import { PutObjectCommand } from '@aws-sdk/client-s3';
import { ClusterTarget } from '../../../adapters/roots/cluster-target.ts';
import { S3RestoreTarget } from '../../../adapters/roots/s3-restore-target.ts';
import { describeRestoreTarget } from '../../contracts/restore-target.contract.ts';
import { putS3, s3Bytes } from '../../support/s3-bytes.ts';
import { useLocalS3 } from '../../support/s3-fixture.ts';
import { s3Roots } from '../../support/s3-roots.ts';

const MIB = 1024 ** 2;
const fixture = useLocalS3();

for (const versioned of [false, true]) {
  describeRestoreTarget(
    versioned ? 'roots in a versioned S3 bucket' : 'roots in an S3 bucket',
    async (shapes) => {
      const { client } = fixture;
      const vault = await fixture.newBucket({ versioned: true });
      const roots = s3Roots(client, await fixture.newBucket({ versioned }), shapes);
      const at = (name: string, path: string) => {
        const root = roots.find((each) => each.name === name);
        return { bucket: root?.bucket ?? '', key: `${root?.prefix}${path}` };
      };
      const sizes = { multipartAboveBytes: 6 * MIB, rangeSizeBytes: 5 * MIB };
      return {
        target: new ClusterTarget(roots.map((root) => new S3RestoreTarget(root, sizes))),
        read: async (root, path) => s3Bytes(client, at(root, path)),
        put: async (root, path, bytes) => {
          await putS3(client, at(root, path), bytes);
        },
        store: async (key, bytes, algorithm) => {
          const output = await client.send(
            new PutObjectCommand({ Bucket: vault, Key: key, Body: bytes, ChecksumAlgorithm: algorithm }),
          );
          return { bucket: vault, key, versionId: output.VersionId ?? '' };
        },
      };
    },
    { largeSizesBytes: [6 * MIB + 1, 15 * MIB], keepsOldOnMismatch: false, isFileSystem: false },
  );
}
