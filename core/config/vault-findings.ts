import { MOST_DAYS } from './backup-findings.ts';
import type { RankvaultConfig } from './schema.ts';

/** The order in which S3 moves objects between the classes that are offered here (S3 user guide, lifecycle transitions). */
const WATERFALL = ['STANDARD_IA', 'INTELLIGENT_TIERING', 'ONEZONE_IA', 'GLACIER_IR'] as const;
/** 30: S3 moves nothing to the infrequent-access classes earlier, nor out of them sooner (same page). */
const LEAST_DAYS = 30;

export function vaultFindings(vault: RankvaultConfig['vault']): readonly string[] {
  return [
    ...objectLockFindings('vault.objectLock', vault.objectLock),
    ...vault.transitions.flatMap((_, index) => transitionFindings(vault.transitions, index)),
  ];
}

function objectLockFindings(path: string, lock: RankvaultConfig['vault']['objectLock']): readonly string[] {
  if (lock === undefined || lock.retainDays + lock.chainDays <= MOST_DAYS) {
    return [];
  }
  return lock.retainDays > MOST_DAYS
    ? [`${path}.retainDays is ${lock.retainDays}; it must be at most ${MOST_DAYS}, a hundred years`]
    : [
        `${path}.retainDays and chainDays are ${lock.retainDays} and ${lock.chainDays}; together they must be at most ${MOST_DAYS}, a hundred years`,
      ];
}

function transitionFindings(transitions: RankvaultConfig['vault']['transitions'], index: number): readonly string[] {
  const transition = transitions[index];
  const before = index === 0 ? undefined : transitions[index - 1];
  if (transition === undefined) {
    return [];
  }
  const path = `vault.transitions[${index}]`;
  const infrequent = (storageClass: string) => storageClass === 'STANDARD_IA' || storageClass === 'ONEZONE_IA';
  if (infrequent(transition.storageClass) && transition.afterDays < LEAST_DAYS) {
    return [
      `${path}.afterDays is ${transition.afterDays}; ${transition.storageClass} takes objects after ${LEAST_DAYS} days at the earliest`,
    ];
  }
  if (before === undefined) {
    return [];
  }
  if (WATERFALL.indexOf(before.storageClass) >= WATERFALL.indexOf(transition.storageClass)) {
    return [
      `${path}.storageClass is ${transition.storageClass}; S3 does not move objects there from ${before.storageClass}`,
    ];
  }
  const least = before.afterDays + (infrequent(before.storageClass) ? LEAST_DAYS : 1);
  return transition.afterDays < least
    ? [
        `${path}.afterDays is ${transition.afterDays}; after ${before.storageClass} at ${before.afterDays} days it must be at least ${least}`,
      ]
    : [];
}
