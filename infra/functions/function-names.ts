/** Functions that exist once. Each is the file functions/<name>.ts with the export `handler`. */
export const FIXED_FUNCTION_NAMES = [
  'plan-snapshot',
  'plan-copies',
  'arm-release',
  'await-release',
  'seal-rank',
  'commit-snapshot',
  'abort-run',
  'unlock-run',
  'plan-release',
  'settle-release',
  'plan-restore',
  'plan-restore-batches',
  'finish-restore',
  'plan-maintenance',
  'merge-rank',
  'plan-merge',
  'merge-parts',
  'seal-merged-rank',
  'commit-merged',
  'verify-merged-rank',
  'hide-merged',
  'survey-removal',
  'plan-deletions',
  'delete-versions',
  'finish-maintenance',
  'plan-verification',
  'verify-rank',
  'plan-reads',
  'read-parts',
  'conclude-verification',
] as const;
export type FixedFunctionName = (typeof FIXED_FUNCTION_NAMES)[number];

/** Functions that exist once per site, because they reach a cluster's network or mount. */
export const SITE_FUNCTION_NAMES = [
  'inspect-cluster',
  'control-cluster',
  'enumerate-rank',
  'copy-parts',
  'fence-rank',
  'inspect-target',
  'mark-target',
  'compare-rank',
  'restore-parts',
] as const;
export type SiteFunctionName = (typeof SITE_FUNCTION_NAMES)[number];

export type FunctionName = FixedFunctionName | SiteFunctionName;

/** The functions that read the configuration; the others work by the plan that these freeze into the run. */
export const CONFIGURED_FUNCTIONS: readonly FunctionName[] = [
  'plan-snapshot',
  'plan-restore',
  'plan-maintenance',
  'plan-verification',
];

/** `plan-snapshot` as `PlanSnapshot`, for construct ids. */
export function pascalCase(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_, _dash, letter: string) => letter.toUpperCase());
}
