import { CreateMultipartUploadCommand, PutObjectLegalHoldCommand } from '@aws-sdk/client-s3';
import { S3VaultVersions } from '../../../adapters/s3/s3-vault-versions.ts';
import { describeVaultVersions } from '../../contracts/vault-versions.contract.ts';
import { s3Bytes } from '../../support/s3-bytes.ts';
import { useLocalS3 } from '../../support/s3-fixture.ts';
import { putS3Version } from '../../support/s3-vault.ts';

const fixture = useLocalS3();
/** The local S3 judges locks by this machine's time. */
const clock = { nowEpochMillis: () => Date.now() };

describeVaultVersions('S3', async () => {
  const { client } = fixture;
  const bucket = await fixture.newBucket({ objectLock: true });
  return {
    versions: new S3VaultVersions({ client, bucket }, clock),
    put: async (key, text, options) => putS3Version(client, { bucket, key }, Buffer.from(text), options),
    read: async (key, versionId) => {
      const bytes = await s3Bytes(client, { bucket, key, ...(versionId === undefined ? {} : { versionId }) });
      return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
    },
    holdLegally: async ({ key, versionId }) => {
      const hold = { Bucket: bucket, Key: key, VersionId: versionId, LegalHold: { Status: 'ON' } } as const;
      await client.send(new PutObjectLegalHoldCommand({ ...hold, ChecksumAlgorithm: 'CRC32' }));
    },
    beginUpload: async (key) => {
      const output = await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: key }));
      return output.UploadId ?? '';
    },
  };
});
