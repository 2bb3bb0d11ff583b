import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { RankvaultConfig } from '../../core/config/schema.ts';
import { acknowledge } from '../acknowledge.ts';
import { addStatement, grantKeys, grantListing, grantReads, OBJECT_WRITES, PART_WRITES } from './object-grants.ts';
import { type CatalogKind, catalogKeys, NEVER_DELETED, PARTS } from './vault-keys.ts';

export type VaultProps = RankvaultConfig['vault'];

const RESTORED_PREFIX = '.rankvault/restored/';

/** 131,072: S3 bills smaller objects of the infrequent-access classes as 128 KiB (S3 pricing), so they stay where they are. */
const LEAST_BYTES_TO_TRANSITION = 131_072;

/**
 * The bucket of part bytes and catalog, and its key. Two methods grant deletion of versions, to functions of `Maintain` alone. Nobody is
 * granted s3:BypassGovernanceRetention: what is locked stays, whatever mode the lock has.
 */
export class Vault extends Construct {
  readonly bucket: s3.Bucket;
  readonly key: kms.IKey;
  readonly #retentionActions: readonly string[];

  constructor(scope: Construct, id: string, props: VaultProps) {
    super(scope, id);
    const removalPolicy = props.removalPolicy === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
    this.key =
      props.kmsKeyArn === undefined
        ? new kms.Key(this, 'Key', { enableKeyRotation: true, removalPolicy, description: 'Rankvault: the vault' })
        : kms.Key.fromKeyArn(this, 'Key', props.kmsKeyArn);
    this.bucket = this.#createBucket(props, removalPolicy);
    this.#retentionActions = props.objectLock === undefined ? [] : ['s3:PutObjectRetention'];
  }

  /**
   * 'destroy' removes the bucket with the stack, and never empties it first (no autoDeleteObjects): a bucket that still holds a
   * snapshot makes the removal fail, and so keeps itself.
   */
  #createBucket(props: VaultProps, removalPolicy: RemovalPolicy): s3.Bucket {
    const bucket = new s3.Bucket(this, 'Bucket', {
      versioned: true,
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: this.key,
      bucketKeyEnabled: true,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      // Enabled without a default retention: every object is written with its own date.
      ...(props.objectLock === undefined ? {} : { objectLockEnabled: true }),
      lifecycleRules: lifecycleRules(props.transitions),
      removalPolicy,
    });
    acknowledge(
      bucket,
      'S1',
      'Server access logs are best effort and cost a log line for each of the millions of copies of a snapshot; who touched the vault is for CloudTrail data events, which the owner of the account turns on.',
    );
    Validations.of(bucket).acknowledge({
      id: 'CloudFormation-Validate::W9003',
      reason: 'CDK writes the least size of a transition as a number, which CloudFormation takes.',
    });
    return bucket;
  }

  /** Everything below `.rankvault/`: the catalog and the records of restores. */
  grantReadCatalog(grantee: iam.IGrantable): void {
    this.#grantRead(grantee, ['.rankvault/*']);
  }

  grantReadManifests(grantee: iam.IGrantable): void {
    this.#grantRead(grantee, [catalogKeys('manifests')]);
  }

  /** Catalog objects are write-once: a writer that is refused reads back what is there, so that it may also read these. */
  grantWriteCatalog(grantee: iam.IGrantable, ...kinds: readonly CatalogKind[]): void {
    this.#grantWrite(grantee, kinds.map(catalogKeys), OBJECT_WRITES);
  }

  grantWriteRestored(grantee: iam.IGrantable): void {
    this.#grantWrite(grantee, [`${RESTORED_PREFIX}*`], OBJECT_WRITES);
  }

  /** Part bytes of these backups, multipart uploads included, and reading back what lies at a key that is taken. */
  grantWriteParts(grantee: iam.IGrantable, backups: readonly string[]): void {
    if (backups.length > 0) {
      this.#grantWrite(
        grantee,
        backups.map((backup) => `${backup}/*`),
        PART_WRITES,
      );
    }
  }

  /** Part bytes of any backup, also of one that the configuration no longer names: a restore reads what the vault has. */
  grantReadParts(grantee: iam.IGrantable): void {
    this.#grantRead(grantee, ['*']);
  }

  /** Every version and delete marker, by name: what a catalog names and what lies there need not be the same. */
  grantListVersions(grantee: iam.IGrantable): void {
    addStatement(grantee, ['s3:ListBucketVersions'], [this.bucket.bucketArn]);
  }

  /** Until when each part is locked. */
  grantReadLocks(grantee: iam.IGrantable): void {
    this.#grantSeeLocks(grantee, [PARTS]);
  }

  /** Uploads that nobody will complete. */
  grantAbortUploads(grantee: iam.IGrantable): void {
    addStatement(grantee, ['s3:ListBucketMultipartUploads'], [this.bucket.bucketArn]);
    addStatement(grantee, ['s3:AbortMultipartUpload'], this.#arns([PARTS]));
  }

  /** The first thing of a hidden snapshot that goes. IAM cannot tell a record from a delete marker that lies over one. */
  grantDeleteRecords(grantee: iam.IGrantable): void {
    this.#grantDeleteVersions(grantee, [catalogKeys('snapshots')]);
  }

  /**
   * Versions and delete markers of part bytes, manifests and attempts; of records, for the delete marker that somebody put over one.
   */
  grantDeleteVersions(grantee: iam.IGrantable): void {
    this.#grantDeleteVersions(grantee, [PARTS, ...(['attempts', 'manifests', 'snapshots'] as const).map(catalogKeys)]);
  }

  /** A delete marker, which every version stays below: the way to take back a tombstone, a pin, a freeze. */
  grantHide(grantee: iam.IGrantable, ...kinds: readonly ('tombstones' | 'pins' | 'freeze')[]): void {
    addStatement(grantee, ['s3:DeleteObject'], this.#arns(kinds.map(catalogKeys)));
  }

  /** Denied beside, so that no later grant on a wider pattern makes it possible. */
  #grantDeleteVersions(grantee: iam.IGrantable, keys: readonly string[]): void {
    addStatement(grantee, ['s3:DeleteObjectVersion'], this.#arns(keys));
    this.#grantSeeLocks(grantee, keys);
    grantee.grantPrincipal.addToPrincipalPolicy(
      new iam.PolicyStatement({
        effect: iam.Effect.DENY,
        actions: ['s3:DeleteObjectVersion'],
        resources: [...this.#arns(NEVER_DELETED.map(catalogKeys))],
      }),
    );
  }

  /**
   * S3 shows locks to a HEAD only with these, and says "absent" instead of "denied" only to who may list. Needed where a version could
   * not be deleted: is it locked, and until when?
   */
  #grantSeeLocks(grantee: iam.IGrantable, keys: readonly string[]): void {
    grantListing(grantee, this.bucket.bucketArn);
    this.grantListVersions(grantee);
    addStatement(grantee, ['s3:GetObjectVersion', 's3:GetObjectRetention', 's3:GetObjectLegalHold'], this.#arns(keys));
  }

  #grantRead(grantee: iam.IGrantable, keys: readonly string[]): void {
    grantListing(grantee, this.bucket.bucketArn);
    grantReads(grantee, this.#arns(keys));
    grantKeys(grantee, this.key, 'read');
  }

  #grantWrite(grantee: iam.IGrantable, keys: readonly string[], actions: readonly string[]): void {
    grantListing(grantee, this.bucket.bucketArn);
    grantReads(grantee, this.#arns(keys));
    const resources = [...this.#arns(keys)];
    grantee.grantPrincipal.addToPrincipalPolicy(
      new iam.PolicyStatement({ actions: [...actions, ...this.#retentionActions], resources }),
    );
    grantKeys(grantee, this.key, 'write');
  }

  #arns(keys: readonly string[]): readonly string[] {
    return keys.map((key) => this.bucket.arnForObjects(key));
  }
}

/** Nothing expires here, and noncurrent versions are left alone: what may go is decided by the catalog, not by age. */
function lifecycleRules(transitions: VaultProps['transitions']): s3.LifecycleRule[] {
  const rules: s3.LifecycleRule[] = [
    { id: 'abort-incomplete-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) },
  ];
  if (transitions.length > 0) {
    rules.push({
      id: 'transitions',
      objectSizeGreaterThan: LEAST_BYTES_TO_TRANSITION,
      transitions: transitions.map(({ storageClass, afterDays }) => ({
        storageClass: new s3.StorageClass(storageClass),
        transitionAfter: Duration.days(afterDays),
      })),
    });
  }
  return rules;
}
