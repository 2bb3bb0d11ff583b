import type { SnapshotRecord } from '../../core/records.ts';
import { bytesText } from './narrator.ts';

/** The chain as a drawing: what each snapshot builds on, and what it added. */
export function drawChain(records: readonly SnapshotRecord[]): readonly string[] {
  return records.map((record) => {
    const depth = depthOf(record, records);
    const indent = depth === 0 ? '' : `${'   '.repeat(depth - 1)}└─ `;
    const mark = record.type === 'full' ? '●' : record.type === 'incremental' ? '○' : '◐';
    const label = `${indent}${mark} ${record.type}`.padEnd(24);
    const { storedParts, storedBytes, parts } = record.totals;
    return `${label} ${record.snapshot}  stores ${storedParts} of ${parts} parts, ${bytesText(storedBytes)}`;
  });
}

function depthOf(record: SnapshotRecord, records: readonly SnapshotRecord[]): number {
  const base = records.find((other) => other.snapshot === record.base);
  return base === undefined ? 0 : 1 + depthOf(base, records);
}
