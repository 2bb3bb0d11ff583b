import { PutObjectCommand } from '@aws-sdk/client-s3';
import { ClusterSource } from '../../../adapters/roots/cluster-source.ts';
import { openS3Root } from '../../../adapters/roots/open-s3-root.ts';
import type { S3RootLocation } from '../../../adapters/roots/s3-root-location.ts';
import { S3SourceRoot } from '../../../adapters/roots/s3-source-root.ts';
import { describeSourceRoots, type SourceRootsSubject } from '../../contracts/source-roots.contract.ts';
import { useLocalS3 } from '../../support/s3-fixture.ts';
import { s3Roots } from '../../support/s3-roots.ts';

const fixture = useLocalS3();

function subjectOf(roots: readonly S3RootLocation[]): SourceRootsSubject {
  return {
    source: new ClusterSource(roots.map((root) => new S3SourceRoot(root))),
    put: async (name, path, text) => {
      const root = roots.find((each) => each.name === name);
      await fixture.client.send(
        new PutObjectCommand({ Bucket: root?.bucket, Key: `${root?.prefix}${path}`, Body: text }),
      );
    },
  };
}

describeSourceRoots(
  'S3 roots at prefixes of one bucket',
  async (shapes) => subjectOf(s3Roots(fixture.client, await fixture.newBucket(), shapes)),
  { objectBesideDirectory: true },
);

describeSourceRoots(
  'S3 roots that are whole buckets',
  async (shapes) => {
    const roots: S3RootLocation[] = [];
    for (const shape of shapes) {
      roots.push(openS3Root({ ...shape, url: `s3://${await fixture.newBucket()}` }, fixture.client));
    }
    return subjectOf(roots);
  },
  { objectBesideDirectory: true },
);
