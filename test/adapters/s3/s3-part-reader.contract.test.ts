import { afterAll } from 'vitest';
import { S3PartReader } from '../../../adapters/s3/s3-part-reader.ts';
import { describePartReader } from '../../contracts/part-reader.contract.ts';
import { readingClient, useLocalS3 } from '../../support/s3-fixture.ts';
import { hideS3, putS3Version } from '../../support/s3-vault.ts';

const fixture = useLocalS3();
const readers: { destroy(): void }[] = [];
afterAll(() => {
  for (const reader of readers) {
    reader.destroy();
  }
});

describePartReader('S3', async () => {
  const { client, s3 } = fixture;
  const bucket = await fixture.newBucket({ objectLock: true });
  const reading = readingClient(s3.endpoint);
  readers.push(reading);
  return {
    reader: new S3PartReader({ client: reading, bucket }),
    put: async (key, bytes, options) => putS3Version(client, { bucket, key }, bytes, options),
    hide: async (key) => hideS3(client, { bucket, key }),
    rot: async ({ key, versionId }) => s3.damage.rot({ bucket, key, versionId }),
  };
});
