import { checksumAlgorithms, checksumHeader } from './checksums.ts';

/** What this S3 can do, by the names of the S3 API. */
export const operations = [
  'ListBuckets',
  'CreateBucket',
  'HeadBucket',
  'DeleteBucket',
  'GetBucketVersioning',
  'PutBucketVersioning',
  'GetObjectLockConfiguration',
  'PutObjectLockConfiguration',
  'ListObjectsV2',
  'ListObjectVersions',
  'ListMultipartUploads',
  'DeleteObjects',
  'PutObject',
  'CopyObject',
  'GetObject',
  'HeadObject',
  'DeleteObject',
  'CreateMultipartUpload',
  'UploadPart',
  'UploadPartCopy',
  'ListParts',
  'CompleteMultipartUpload',
  'AbortMultipartUpload',
  'GetObjectRetention',
  'PutObjectRetention',
  'GetObjectLegalHold',
  'PutObjectLegalHold',
] as const;

export type Operation = (typeof operations)[number];

/** Query parameters and headers that an operation understands; everything else is refused by name. */
interface OperationRule {
  readonly query: readonly string[];
  readonly headers: readonly string[];
}

const checksums = checksumAlgorithms.map(checksumHeader);
const body = [...checksums, 'x-amz-sdk-checksum-algorithm', 'x-amz-trailer', 'x-amz-decoded-content-length'];
const readConditions = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'];
const writeConditions = ['if-match', 'if-none-match'];
const lock = ['x-amz-object-lock-mode', 'x-amz-object-lock-retain-until-date', 'x-amz-object-lock-legal-hold'];
const description = [
  'x-amz-meta-*',
  'x-amz-storage-class',
  'x-amz-tagging',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-context',
  'x-amz-server-side-encryption-bucket-key-enabled',
  ...lock,
];
const copySource = [
  'x-amz-copy-source',
  'x-amz-copy-source-if-match',
  'x-amz-copy-source-if-none-match',
  'x-amz-copy-source-if-modified-since',
  'x-amz-copy-source-if-unmodified-since',
  'x-amz-source-expected-bucket-owner',
];
const bypass = 'x-amz-bypass-governance-retention';

/** Rules by operation. */
export const operationRules: Readonly<Record<Operation, OperationRule>> = {
  ListBuckets: { query: [], headers: [] },
  CreateBucket: { query: [], headers: [...body, 'x-amz-bucket-object-lock-enabled'] },
  HeadBucket: { query: [], headers: [] },
  DeleteBucket: { query: [], headers: [] },
  GetBucketVersioning: { query: ['versioning'], headers: [] },
  PutBucketVersioning: { query: ['versioning'], headers: body },
  GetObjectLockConfiguration: { query: ['object-lock'], headers: [] },
  PutObjectLockConfiguration: { query: ['object-lock'], headers: body },
  ListObjectsV2: {
    query: [
      'list-type',
      'prefix',
      'delimiter',
      'start-after',
      'continuation-token',
      'max-keys',
      'encoding-type',
      'fetch-owner',
    ],
    headers: [],
  },
  ListObjectVersions: {
    query: ['versions', 'prefix', 'delimiter', 'key-marker', 'version-id-marker', 'max-keys', 'encoding-type'],
    headers: [],
  },
  ListMultipartUploads: {
    query: ['uploads', 'prefix', 'key-marker', 'upload-id-marker', 'max-uploads', 'encoding-type'],
    headers: [],
  },
  DeleteObjects: { query: ['delete'], headers: [...body, bypass] },
  PutObject: { query: [], headers: [...body, ...description, ...writeConditions] },
  CopyObject: {
    query: [],
    headers: [
      ...copySource,
      ...description,
      ...writeConditions,
      'x-amz-checksum-algorithm',
      'x-amz-metadata-directive',
      'x-amz-tagging-directive',
    ],
  },
  GetObject: { query: ['versionId'], headers: ['range', 'x-amz-checksum-mode', ...readConditions] },
  HeadObject: { query: ['versionId'], headers: ['range', 'x-amz-checksum-mode', ...readConditions] },
  DeleteObject: { query: ['versionId'], headers: ['if-match', bypass] },
  CreateMultipartUpload: {
    query: ['uploads'],
    headers: [...description, 'x-amz-checksum-algorithm', 'x-amz-checksum-type'],
  },
  UploadPart: { query: ['partNumber', 'uploadId'], headers: body },
  UploadPartCopy: { query: ['partNumber', 'uploadId'], headers: [...copySource, 'x-amz-copy-source-range'] },
  ListParts: { query: ['uploadId', 'max-parts', 'part-number-marker'], headers: [] },
  CompleteMultipartUpload: {
    query: ['uploadId'],
    headers: [...writeConditions, ...checksums, 'x-amz-checksum-type', 'x-amz-mp-object-size'],
  },
  AbortMultipartUpload: { query: ['uploadId'], headers: [] },
  GetObjectRetention: { query: ['retention', 'versionId'], headers: [] },
  PutObjectRetention: { query: ['retention', 'versionId'], headers: [...body, bypass] },
  GetObjectLegalHold: { query: ['legal-hold', 'versionId'], headers: [] },
  PutObjectLegalHold: { query: ['legal-hold', 'versionId'], headers: body },
};

/** Headers that any request may carry: signing, and the SDK's notes about itself. */
export const universalHeaders: readonly string[] = [
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-user-agent',
  'x-amz-expected-bucket-owner',
];
