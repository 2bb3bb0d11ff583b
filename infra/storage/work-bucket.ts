import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import { addStatement, grantKeys, grantListing, grantReads, OBJECT_WRITES, PART_WRITES } from './object-grants.ts';

/** What lies in the work bucket, each below a prefix of its own. */
type WorkArea = 'runs' | 'locks' | 'quiesce' | 'holds' | 'swept';

/**
 * 100: longer than Step Functions remembers an execution (90 days), so that what its history points to is still there. Only runs
 * expire by age: a lock, an intent record, a hold or the mark of a sweep is removed by who may, and never because it is old.
 */
const RUNS_KEPT_DAYS = 100;

/** Locks, plans, batches, results; nothing that a restore of a committed snapshot needs. */
export class WorkBucket extends Construct {
  /** By its name: with exactOptionalPropertyTypes, CDK's `Bucket` is not assignable to its own `IBucket`. */
  readonly bucket: s3.IBucket;
  readonly #key: kms.IKey;

  constructor(scope: Construct, id: string, key: kms.IKey) {
    super(scope, id);
    this.#key = key;
    const bucket = new s3.Bucket(this, 'Bucket', {
      versioned: false,
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: key,
      bucketKeyEnabled: true,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      lifecycleRules: [
        { id: 'abort-incomplete-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) },
        { id: 'expire-runs', prefix: 'runs/', expiration: Duration.days(RUNS_KEPT_DAYS) },
      ],
      // As the vault, it is never emptied by a deployment: the intent record of a cluster in backup mode may lie here.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.bucket = s3.Bucket.fromBucketName(this, 'Name', bucket.bucketName);
    acknowledge(
      bucket,
      'S1',
      'Only plans and results of runs lie here, written by roles of this stack; Step Functions keeps their history.',
    );
  }

  grantRead(grantee: iam.IGrantable): void {
    grantListing(grantee, this.bucket.bucketArn);
    grantReads(grantee, [this.bucket.arnForObjects('*')]);
    grantKeys(grantee, this.#key, 'read');
  }

  grantWrite(grantee: iam.IGrantable, ...areas: readonly WorkArea[]): void {
    addStatement(grantee, OBJECT_WRITES, this.#arns(areas));
    grantKeys(grantee, this.#key, 'write');
  }

  grantDelete(grantee: iam.IGrantable, ...areas: readonly WorkArea[]): void {
    addStatement(grantee, ['s3:DeleteObject'], this.#arns(areas));
  }

  /** Records of multipart uploads, which are removed when the upload is complete. */
  grantDeleteUploads(grantee: iam.IGrantable): void {
    addStatement(grantee, ['s3:DeleteObject'], [this.bucket.arnForObjects('runs/*/uploads/*')]);
  }

  /** What a state machine needs whose Maps read items from a run and write results to it (Step Functions guide, Map). */
  grantMapRuns(grantee: iam.IGrantable): void {
    addStatement(grantee, ['s3:GetObject', ...PART_WRITES], this.#arns(['runs']));
    grantKeys(grantee, this.#key, 'write');
  }

  #arns(areas: readonly WorkArea[]): readonly string[] {
    return areas.map((area) => this.bucket.arnForObjects(`${area}/*`));
  }
}
