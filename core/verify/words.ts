import { type Amount, severityOf, type Verification, type VerifiedState } from '../verification.ts';
import type { DrillVerdict } from './drill.ts';
import { type KindCounts, kindsOf } from './sightings.ts';

const NUMBERS = new Intl.NumberFormat('en-US');

/** Names that a sentence lists at most. */
const MOST_NAMED = 5;
/** Names that an answer lists at most. */
const MOST_LISTED = 20;

type Open = VerifiedState['open'];

/** What an execution answers: the record without its state, and what that comes to in words. */
export interface Told
  extends Pick<Verification, 'id' | 'backup' | 'level' | 'scope' | 'checked' | 'findings' | 'drill'> {
  /** `2 MissingObject, 1 ExtraObject`. */
  readonly found: string;
  /** Snapshots that this run found hurt; at most 20 of them. */
  readonly hurt: readonly string[];
  readonly hurtCount: number;
  /** Of the backup, each level for itself. */
  readonly coverage: { readonly present: string; readonly read: string; readonly restored: string };
  /** What the operator does now. */
  readonly next: string;
}

export interface TellOptions {
  readonly findingsKey: string;
  readonly drill: DrillVerdict | undefined;
}

export function tell(verification: Verification, options: TellOptions): Told {
  const { id, backup, level, scope, checked, findings, drill, state } = verification;
  const hurt = foundNow(verification).map(({ snapshot }) => snapshot);
  return {
    id,
    backup,
    level,
    scope,
    checked,
    findings,
    ...(drill === undefined ? {} : { drill }),
    found: countsInWords(findings),
    hurt: hurt.slice(0, MOST_LISTED),
    hurtCount: hurt.length,
    coverage: {
      present: coverageInWords('listed', state.coverage.present),
      read: coverageInWords('read', state.coverage.read),
      restored: drillInWords(state.coverage.restored),
    },
    next: nextStep(verification, options),
  };
}

/** Worst first: what the execution fails with. */
export function worstOf({ findings }: Pick<Verification, 'findings'>): 'damage' | 'risk' | undefined {
  const severities = kindsOf(findings).map(severityOf);
  return severities.includes('damage') ? 'damage' : severities.includes('risk') ? 'risk' : undefined;
}

function countsInWords(findings: KindCounts): string {
  const counted = kindsOf(findings).map((kind) => `${NUMBERS.format(findings[kind] ?? 0)} ${kind}`);
  return counted.length === 0 ? 'nothing' : counted.join(', ');
}

/** `read within 30 days: 97 % of 1,234 parts`. Rounded down: only everything is 100 %. */
export function coverageInWords(
  verb: 'listed' | 'read',
  { within30Days, total }: { readonly within30Days: Amount; readonly total: Amount },
): string {
  if (total.parts === 0) {
    return `${verb} within 30 days: there are no parts`;
  }
  const percent = Math.floor((100 * within30Days.parts) / total.parts);
  return `${verb} within 30 days: ${percent} % of ${NUMBERS.format(total.parts)} parts`;
}

function drillInWords(restored: VerifiedState['coverage']['restored']): string {
  return restored === undefined
    ? 'never restored by a drill'
    : `${restored.snapshot} restored at ${restored.at} in ${NUMBERS.format(restored.recoverySeconds)} s`;
}

function foundNow({ state, id }: Pick<Verification, 'state' | 'id'>): Open {
  return state.open.filter((each) => each.verification === id);
}

function nextStep(verification: Verification, { findingsKey, drill }: TellOptions): string {
  const { findings } = verification;
  const sentences = [
    ...hurtInWords(verification),
    ...openFromBefore(verification),
    ...drillHint(drill),
    ...((findings.ExtraObject ?? 0) > 0 ? ['Extra objects go with the next collect.'] : []),
    ...(kindsOf(findings).length === 0 ? [] : [`Every finding is a line of ${findingsKey} in the vault.`]),
  ];
  return sentences.length === 0 ? 'Nothing to do.' : sentences.join(' ');
}

function hurtInWords(verification: Verification): readonly string[] {
  const found = foundNow(verification);
  const damaged = found.filter(({ severity }) => severity === 'damage').map(({ snapshot }) => snapshot);
  const atRisk = found.filter(({ severity }) => severity === 'risk').map(({ snapshot }) => snapshot);
  return [
    ...(damaged.length === 0
      ? []
      : [`Do not rely on ${names(damaged)}: a restore would fail or give back something else.`]),
    ...(atRisk.length === 0 ? [] : [`${names(atRisk)}: can be restored, with less protection than promised.`]),
    ...(found.length === 0 ? [] : [...repairInWords(verification), FULL]),
  ];
}

const FULL = 'Until a verification finds them sound again, a snapshot that would build on one of these is a full.';

/** Kinds that a delete marker may be the cause of. */
function repairInWords({ findings }: Verification): readonly string[] {
  const { HiddenRecord: hidden = 0, NoncurrentObject: noncurrent = 0, BrokenCatalog: broken = 0 } = findings;
  return hidden + noncurrent + broken === 0
    ? []
    : ['Start Maintain with the action repair: it takes off stray delete markers. Then verify again.'];
}

/** Findings that this run did not look at again. */
function openFromBefore({ state, id }: Verification): readonly string[] {
  const before = state.open.filter((each) => each.verification !== id && each.hidden !== true);
  return before.length === 0
    ? []
    : [`Still open from earlier verifications: ${names([...new Set(before.map(({ snapshot }) => snapshot))])}.`];
}

function drillHint(drill: DrillVerdict | undefined): readonly string[] {
  if (drill?.outcome === 'unknown') {
    return [`The drill could not be carried out (${drill.error}), which says nothing about the snapshot.`];
  }
  return drill?.outcome === 'good' && drill.excluded > 0
    ? [
        `The roots of the scratch cluster exclude ${drill.excluded} parts, which were not tried: take the excludes out to try the whole snapshot.`,
      ]
    : [];
}

function names(snapshots: readonly string[]): string {
  const more = snapshots.length - MOST_NAMED;
  const shown = snapshots.slice(0, MOST_NAMED).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}
