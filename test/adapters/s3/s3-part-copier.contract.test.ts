import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { keyInRoot } from '../../../adapters/roots/s3-root-location.ts';
import { S3ObjectStore } from '../../../adapters/s3/s3-object-store.ts';
import { S3PartCopier } from '../../../adapters/s3/s3-part-copier.ts';
import { s3Token } from '../../../core/source-token.ts';
import { describePartCopier } from '../../contracts/part-copier.contract.ts';
import { putS3, s3Bytes } from '../../support/s3-bytes.ts';
import { useLocalS3 } from '../../support/s3-fixture.ts';
import { s3Roots } from '../../support/s3-roots.ts';

const MIB = 1024 ** 2;
const fixture = useLocalS3();

for (const objectLock of [undefined, { mode: 'GOVERNANCE', retainUntil: '2099-01-01T00:00:00Z' }] as const) {
  describePartCopier(
    objectLock === undefined ? 'S3 to S3' : 'S3 to a locked S3 vault',
    async () => {
      const { client } = fixture;
      const vault = await fixture.newBucket(objectLock === undefined ? { versioned: true } : { objectLock: true });
      const work = new S3ObjectStore({ client, bucket: await fixture.newBucket() });
      const shapes = [{ name: 'main', pattern: 'r{rank}/t{tom:2}', exclude: [] }];
      const [root] = s3Roots(client, await fixture.newBucket(), shapes);
      if (root === undefined) {
        throw new Error('There is one root.');
      }
      const lock = objectLock === undefined ? {} : { objectLock };
      return {
        copier: new S3PartCopier({
          vault: { client, bucket: vault, ...lock },
          work,
          roots: [root],
          multipartAboveBytes: 6 * MIB,
          rangeSizeBytes: 5 * MIB,
        }),
        put: async (rank, path, bytes) => {
          const { etag } = await putS3(client, { bucket: root.bucket, key: keyInRoot(root, rank, path) }, bytes);
          return {
            kind: 'part',
            path,
            root: 'main',
            sizeBytes: bytes.byteLength,
            token: s3Token(etag, undefined),
            racy: false,
          };
        },
        remove: async (rank, path) => {
          await client.send(new DeleteObjectCommand({ Bucket: root.bucket, Key: keyInRoot(root, rank, path) }));
        },
        readVault: async (key, versionId) => {
          const bytes = await s3Bytes(client, { bucket: vault, key, versionId });
          if (bytes === undefined) {
            throw new Error(`${key} version ${versionId} is not in the vault.`);
          }
          return bytes;
        },
        putForeign: async (key) => new S3ObjectStore({ client, bucket: vault }).create(key, Buffer.from('foreign')),
      };
    },
    { largeSizesBytes: [6 * MIB + 1, 15 * MIB, 16 * MIB + 3], changedPart: 'refused' },
  );
}
