import { beforeAll, describe, expect, test } from 'vitest';
import { matches } from './iam-judge.ts';
import { permissionsOf, rolesThatMay, shortRole } from './permissions.ts';
import { type Synthesized, synthesize } from './synthesized.ts';

const VAULT = /ExportsOutputFnGetAttVaultBucket/;

let synthesized: Synthesized;
beforeAll(() => {
  synthesized = synthesize();
});

const may = (action: RegExp, resource: RegExp) =>
  [...new Set(rolesThatMay(synthesized.workflows, action, resource).map(shortRole))].toSorted();
const grantsOf = (role: RegExp, action: RegExp, effect: 'Allow' | 'Deny' = 'Allow') =>
  [...permissionsOf(synthesized.workflows)]
    .filter(([id]) => role.test(id))
    .flatMap(([, granted]) => granted)
    .filter((statement) => statement.effect === effect && statement.actions.some((each) => action.test(each)))
    .flatMap((statement) => statement.resources)
    .filter((resource) => VAULT.test(resource))
    .map((resource) => resource.replace(/^<[^>]*>/, ''))
    .toSorted();

const SNAPSHOT = 'snapshot.2027-01-03.01-00-00';
const CATALOG = '.rankvault/catalog/prod_system';
const PART = `prod_system/${SNAPSHOT}/rank-0/tom-1/t42/000017.seg`;
const REWRITTEN = `prod_system/${SNAPSHOT}/.rewritten/0a1b2c3d4e5f/rank-0/gaia.conf`;
const MANIFEST = `${CATALOG}/manifests/${SNAPSHOT}/rank-0.jsonl.gz`;
const ATTEMPT = `${CATALOG}/attempts/${SNAPSHOT}.json`;
const RECORD = `${CATALOG}/snapshots/${SNAPSHOT}.json`;
const KEPT_FOR_EVER = [
  `${CATALOG}/tombstones/${SNAPSHOT}.json`,
  `${CATALOG}/pins/${SNAPSHOT}.json`,
  `${CATALOG}/freeze.json`,
  `${CATALOG}/definitions/000001.json`,
  `${CATALOG}/verifications/20270103T010000.000Z-read-0a1b2c3d.json`,
  `${CATALOG}/slices/20270103T010000.000Z-read-0a1b2c3d.jsonl.gz`,
  `${CATALOG}/findings/20270103T010000.000Z-read-0a1b2c3d.jsonl.gz`,
  `${CATALOG}/maintenance/20270103T010000.000Z-purge-0a1b2c3d.json`,
  '.rankvault/restored/prod/1798761600000-run.json',
];

describe('versions in the vault', () => {
  test('are deleted by two functions of Maintain alone', () => {
    expect(may(/^s3:DeleteObjectVersion$/, /./)).toEqual(['DeleteVersions', 'PlanDeletions']);
  });

  test('under a lock go by nobody: no role may bypass it, shorten it or take it away', () => {
    expect(may(/^s3:(Bypass|PutObjectLegalHold|PutBucket|PutLifecycle|DeleteBucket)/, /./)).toEqual([]);
  });

  test('of records alone are deleted where deletions are planned', () => {
    const allowed = grantsOf(/PlanDeletionsRole/, /^s3:DeleteObjectVersion$/);
    expect(allowed).toEqual(['/.rankvault/catalog/*/snapshots/*']);
    expect(
      [PART, REWRITTEN, MANIFEST, ATTEMPT].filter((key) => allowed.some((each) => matches(each, `/${key}`))),
    ).toEqual([]);
  });

  test('of parts, manifests, attempts and records can be deleted in batches', () => {
    const allowed = grantsOf(/DeleteVersionsRole/, /^s3:DeleteObjectVersion$/);
    for (const key of [PART, REWRITTEN, MANIFEST, ATTEMPT, RECORD]) {
      expect([key, allowed.some((each) => matches(each, `/${key}`))]).toEqual([key, true]);
    }
  });

  test.each(['DeleteVersions', 'PlanDeletions'])(
    'of what says who did what and why are never deleted by %s, and explicitly denied',
    (role) => {
      const allowed = grantsOf(new RegExp(`${role}Role`), /^s3:DeleteObjectVersion$/);
      const denied = grantsOf(new RegExp(`${role}Role`), /^s3:DeleteObjectVersion$/, 'Deny');
      expect(KEPT_FOR_EVER.filter((key) => allowed.some((each) => matches(each, `/${key}`)))).toEqual([]);
      const inCatalog = KEPT_FOR_EVER.filter((key) => key.startsWith(CATALOG));
      expect(inCatalog.filter((key) => !denied.some((each) => matches(each, `/${key}`)))).toEqual([]);
      const deletable = [PART, REWRITTEN, MANIFEST, ATTEMPT, RECORD];
      expect(deletable.filter((key) => denied.some((each) => matches(each, `/${key}`)))).toEqual([]);
    },
  );

  test('are hidden by delete markers only where a decision is taken back, and only by the plan of Maintain', () => {
    expect(may(/^s3:DeleteObject$/, VAULT)).toEqual(['PlanMaintenance']);
    expect(grantsOf(/PlanMaintenanceRole/, /^s3:DeleteObject$/)).toEqual([
      '/.rankvault/catalog/*/freeze.json',
      '/.rankvault/catalog/*/pins/*',
      '/.rankvault/catalog/*/tombstones/*',
    ]);
  });

  test('that could not be deleted are asked for their lock by who deletes, and by who reads parts', () => {
    expect(may(/^s3:GetObjectRetention$/, VAULT)).toEqual(['DeleteVersions', 'PlanDeletions', 'ReadParts']);
    expect(may(/^s3:GetObjectLegalHold$/, VAULT)).toEqual(['DeleteVersions', 'PlanDeletions', 'ReadParts']);
  });

  test('are listed by those who decide, survey, delete and verify', () => {
    expect(may(/^s3:ListBucketVersions$/, VAULT)).toEqual([
      'DeleteVersions',
      'HideMerged',
      'PlanDeletions',
      'PlanMaintenance',
      'PlanVerification',
      'ReadParts',
      'SurveyRemoval',
      'VerifyMergedRank',
      'VerifyRank',
    ]);
  });

  test('that are only begun are given up by who writes them, and by the end of a collection', () => {
    expect(may(/^s3:ListBucketMultipartUploads$/, VAULT)).toEqual(['FinishMaintenance']);
    expect(grantsOf(/FinishMaintenanceRole/, /^s3:AbortMultipartUpload$/)).toContain('/*/snapshot.*/*');
  });
});

describe('the vault', () => {
  test('takes part bytes from those who copy alone, below the backups of the configuration', () => {
    const outside = new RegExp(`${VAULT.source}[^/]*/(?!\\.rankvault/)`);
    expect(may(/^s3:PutObject$/, outside)).toEqual(['CopyParts', 'MergeParts']);
    for (const role of [/CopyPartsRole/, /MergePartsRole/]) {
      expect(grantsOf(role, /^s3:PutObject$/)).toEqual(['/dr_system/*', '/prod_system/*']);
    }
  });

  test.each([
    ['attempts', ['PlanMaintenance', 'PlanSnapshot']],
    ['manifests', ['CommitMerged', 'CommitSnapshot', 'SealMergedRank', 'SealRank']],
    ['snapshots', ['CommitMerged', 'CommitSnapshot']],
    ['definitions', ['CommitSnapshot']],
    ['tombstones', ['CommitMerged', 'HideMerged', 'PlanMaintenance', 'PlanSnapshot']],
    ['pins', ['PlanMaintenance']],
    ['verifications', ['ConcludeVerification']],
    ['findings', ['ConcludeVerification']],
    ['slices', ['ConcludeVerification']],
    ['maintenance', ['FinishMaintenance', 'PlanMaintenance']],
  ])('takes %s of the catalog from %j alone', (kind, roles) => {
    expect(may(/^s3:PutObject$/, new RegExp(`${VAULT.source}.*/${kind}/`))).toEqual(roles);
  });

  test('is frozen by the plan of Maintain alone', () => {
    expect(may(/^s3:PutObject$/, new RegExp(`${VAULT.source}.*/freeze\\.json`))).toEqual(['PlanMaintenance']);
  });

  test('takes records of restores from plan-restore-batches alone', () => {
    expect(may(/^s3:PutObject$/, new RegExp(`${VAULT.source}.*/\\.rankvault/restored/`))).toEqual([
      'PlanRestoreBatches',
    ]);
  });

  test('lets writers set a retention date, because the configuration locks objects', () => {
    expect(may(/^s3:PutObjectRetention$/, VAULT)).toEqual(may(/^s3:PutObject$/, VAULT));
  });

  test('has its parts read by those who restore, merge and verify, and read back by those who copy', () => {
    expect(may(/^s3:GetObject$/, new RegExp(`${VAULT.source}[^/]*/\\*$`))).toEqual([
      'MergeParts',
      'ReadParts',
      'RestoreParts',
    ]);
    expect(may(/^s3:GetObject$/, new RegExp(`${VAULT.source}[^/]*/prod_system/`))).toEqual(['CopyParts', 'MergeParts']);
  });

  test('has its catalog read by those who plan, compare, seal, commit, decide and verify, and by no other', () => {
    expect(may(/^s3:GetObject$/, new RegExp(`${VAULT.source}.*/\\.rankvault/`))).toEqual([
      'CommitMerged',
      'CommitSnapshot',
      'CompareRank',
      'ConcludeVerification',
      'DeleteVersions',
      'EnumerateRank',
      'FinishMaintenance',
      'HideMerged',
      'MergeRank',
      'PlanDeletions',
      'PlanMaintenance',
      'PlanRestore',
      'PlanRestoreBatches',
      'PlanSnapshot',
      'PlanVerification',
      'SealMergedRank',
      'SealRank',
      'SurveyRemoval',
      'VerifyMergedRank',
      'VerifyRank',
    ]);
  });

  test('is decrypted by whoever reads or writes it', () => {
    const reads = may(/^s3:GetObject(Version)?$/, VAULT);
    const decrypts = may(/^kms:Decrypt$/, /ExportsOutputFnGetAttVaultKey/);
    expect(reads.filter((role) => !decrypts.includes(role))).toEqual([]);
  });
});
