import { byTime } from './catalog.ts';
import type { RetentionConfig } from './config/schema.ts';
import type { Freeze, Pin, SnapshotRecord } from './records.ts';
import { days, PERIODS, RULES, type Scene } from './retention-rules.ts';
import type { VerifiedState } from './verification.ts';

export interface RetentionQuestion {
  /** Visible snapshots of one backup, in any order. */
  readonly snapshots: readonly SnapshotRecord[];
  readonly policy: RetentionConfig;
  readonly nowEpochMillis: number;
  readonly pins: readonly Pin[];
  readonly frozen: Freeze | undefined;
  /** Of the newest verification. */
  readonly state: VerifiedState;
}

export interface Verdict {
  /** Directory. */
  readonly snapshot: string;
  readonly verdict: 'keep' | 'expire';
  /** Why, in words for the operator; never empty. */
  readonly reasons: readonly string[];
}

/**
 * Who stays and who goes, each with reasons, oldest first. Expiring takes away moments, never bytes that a kept snapshot needs: what
 * a kept one builds on may expire, its bytes stay.
 */
export function decideRetention(question: RetentionQuestion): readonly Verdict[] {
  const scene = sceneOf(question);
  const reasons = new Map<string, string[]>(scene.snapshots.map(({ snapshot }) => [snapshot, []]));
  for (const rule of RULES) {
    for (const [snapshot, reason] of rule(scene)) {
      reasons.get(snapshot)?.push(reason);
    }
  }
  let mayExpire = scene.policy.maxExpirePerRun;
  return scene.snapshots.map((record): Verdict => {
    const { snapshot } = record;
    const kept = reasons.get(snapshot) ?? [];
    if (kept.length > 0) {
      return { snapshot, verdict: 'keep', reasons: kept };
    }
    mayExpire -= 1;
    return mayExpire < 0
      ? { snapshot, verdict: 'keep', reasons: [nextRun(scene.policy)] }
      : { snapshot, verdict: 'expire', reasons: reasonsToExpire(scene, snapshot) };
  });
}

function sceneOf(question: RetentionQuestion): Scene {
  const snapshots = [...question.snapshots].sort(byTime);
  const { open } = question.state;
  const damaged = new Set(open.filter(({ severity }) => severity === 'damage').map(({ snapshot }) => snapshot));
  return {
    ...question,
    snapshots,
    good: snapshots.filter(({ snapshot }) => !damaged.has(snapshot)),
    suspect: new Set(open.map(({ snapshot }) => snapshot)),
  };
}

function nextRun({ maxExpirePerRun }: RetentionConfig): string {
  return `next run: no rule keeps it, but one run expires ${maxExpirePerRun} at most (maxExpirePerRun), the oldest first`;
}

function reasonsToExpire(scene: Scene, snapshot: string): readonly string[] {
  const { policy, suspect } = scene;
  const usesPeriods = PERIODS.some(({ setting }) => policy[setting] > 0);
  return [
    `older than the last ${days(scene)}`,
    `neither one of the newest fulls (keepFulls: ${policy.keepFulls}) nor built on one`,
    ...(usesPeriods ? ['not the newest of a period that is kept'] : []),
    ...(suspect.has(snapshot) ? ['a verification found it unsound'] : []),
  ];
}
