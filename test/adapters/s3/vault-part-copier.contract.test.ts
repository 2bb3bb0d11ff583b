import { PutObjectCommand } from '@aws-sdk/client-s3';
import { S3ObjectStore } from '../../../adapters/s3/s3-object-store.ts';
import { VaultPartCopier } from '../../../adapters/s3/vault-part-copier.ts';
import { describeStoredPartCopier } from '../../contracts/stored-part-copier.contract.ts';
import { s3Bytes } from '../../support/s3-bytes.ts';
import { useLocalS3 } from '../../support/s3-fixture.ts';
import { hideS3 } from '../../support/s3-vault.ts';

const MIB = 1024 ** 2;
const fixture = useLocalS3();

for (const objectLock of [undefined, { mode: 'COMPLIANCE', retainUntil: '2099-01-01T00:00:00Z' }] as const) {
  describeStoredPartCopier(
    objectLock === undefined ? 'a vault in S3' : 'a locked vault in S3',
    async () => {
      const { client, s3 } = fixture;
      const bucket = await fixture.newBucket(objectLock === undefined ? { versioned: true } : { objectLock: true });
      const work = new S3ObjectStore({ client, bucket: await fixture.newBucket() });
      return {
        copier: new VaultPartCopier({
          vault: { client, bucket, ...(objectLock === undefined ? {} : { objectLock }) },
          work,
          multipartAboveBytes: 6 * MIB,
          rangeSizeBytes: 5 * MIB,
        }),
        store: async (key, bytes, algorithm) => {
          const put = { Bucket: bucket, Key: key, Body: bytes, ChecksumAlgorithm: algorithm };
          const { ETag: etag = '', VersionId: versionId = '' } = await client.send(new PutObjectCommand(put));
          return { key, versionId, etag };
        },
        readVault: async (key, versionId) => {
          const bytes = await s3Bytes(client, { bucket, key, versionId });
          if (bytes === undefined) {
            throw new Error(`${key} version ${versionId} is not in the vault.`);
          }
          return bytes;
        },
        hide: async (key) => hideS3(client, { bucket, key }),
        lose: async (version) => s3.damage.lose({ bucket, ...version }),
        rot: async (version) => s3.damage.rot({ bucket, ...version }),
      };
    },
    { largeSizesBytes: [6 * MIB + 1, 15 * MIB] },
  );
}
