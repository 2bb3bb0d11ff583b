import { S3ObjectStore } from '../../../adapters/s3/s3-object-store.ts';
import { describeObjectStore } from '../../contracts/object-store.contract.ts';
import { useLocalS3 } from '../../support/s3-fixture.ts';

const fixture = useLocalS3();

describeObjectStore('S3, an unversioned bucket', async () => {
  const bucket = await fixture.newBucket();
  return new S3ObjectStore({ client: fixture.client, bucket });
});

describeObjectStore('S3, a versioned bucket', async () => {
  const bucket = await fixture.newBucket({ versioned: true });
  return new S3ObjectStore({ client: fixture.client, bucket });
});
