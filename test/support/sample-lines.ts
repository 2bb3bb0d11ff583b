import type { DirectoryLine, PartLine } from '../../core/manifest.ts';
import type { SnapshotRecord, Tombstone } from '../../core/records.ts';
import { NOTHING_VERIFIED, type Verification } from '../../core/verification.ts';
import { SAMPLE_ATTRIBUTES } from './listed-source.ts';

export const FIRST_SNAPSHOT = 'snapshot.2026-01-30.22-00-00';
export const SECOND_SNAPSHOT = 'snapshot.2026-01-31.22-00-00';

/** A manifest line whose token is that of `listedPart` of the same path. */
export function partLine(path: string, change: Partial<PartLine> = {}): PartLine {
  return {
    path,
    root: 'main',
    sizeBytes: 10,
    token: `file:10:1:1:${path}`,
    checksum: 'CRC32:AAAAAA==',
    in: FIRST_SNAPSHOT,
    etag: '"e"',
    versionId: 'v1',
    attributes: SAMPLE_ATTRIBUTES,
    ...change,
  };
}

export function directoryLine(path: string): DirectoryLine {
  return { path, root: 'main', directory: true, attributes: { ...SAMPLE_ATTRIBUTES, mode: 0o750 } };
}

export function snapshotRecord(change: Partial<SnapshotRecord> = {}): SnapshotRecord {
  return {
    formatVersion: 1,
    backup: 'prod',
    cluster: 'prod',
    snapshot: FIRST_SNAPSHOT,
    id: '1769810400000',
    type: 'full',
    requestedType: 'full',
    reason: 'A full was asked for.',
    full: FIRST_SNAPSHOT,
    chain: [FIRST_SNAPSHOT],
    takenAt: '2026-01-30T22:00:00.000Z',
    startedAt: '2026-01-30T22:00:00.000Z',
    committedAt: '2026-01-30T22:01:00.000Z',
    execution: 'run-0',
    executionArn: 'arn:run-0',
    source: { kind: 'files', quiesced: false },
    definition: { number: 1, digest: 'd' },
    topology: { from: 'roots', ranks: [{ rank: 0 }] },
    totals: { parts: 0, bytes: 0, storedParts: 0, storedBytes: 0, directories: 0 },
    ranksSha256: '',
    ...change,
  };
}

export function tombstone(change: Partial<Tombstone> = {}): Tombstone {
  return {
    formatVersion: 1,
    backup: 'prod',
    snapshot: FIRST_SNAPSHOT,
    action: 'purge',
    reason: 'nobody wants it',
    at: '2026-01-31T22:00:00.000Z',
    execution: 'purge-1',
    executionArn: 'arn:purge-1',
    bytesKeptUntil: '2026-02-07T22:00:00.000Z',
    ...change,
  };
}

/** Of a run that looked at nothing and found nothing. */
export function verification(change: Partial<Verification> = {}): Verification {
  return {
    formatVersion: 1,
    id: '20260131T060000.000Z-present-0a1b2c3d',
    backup: 'prod',
    level: 'present',
    scope: 'all',
    execution: 'verify-1',
    executionArn: 'arn:verify-1',
    startedAt: '2026-01-31T06:00:00.000Z',
    finishedAt: '2026-01-31T06:05:00.000Z',
    checked: { parts: 0, bytes: 0 },
    snapshots: [],
    findings: {},
    state: NOTHING_VERIFIED,
    ...change,
  };
}
