import type { BackupConfig, RankvaultConfig } from './schema.ts';
import { siteKey } from './site.ts';

/** 500: resources in a stack (CloudFormation quotas). Without this, synthesis would fail with an error that names none of the settings. */
const MOST_RESOURCES = 500;
/** The stack of the workflows without clusters, schedules and addresses, and the same for each site; test/infra counts them. */
export const FIXED_RESOURCES = 162;
export const RESOURCES_PER_SITE = 36;
/** For what a later version needs: a deployment that is full must not stop at an update. */
const KEPT_FREE = 20;

/** A schedule is a resource; so is a timer that is on, and an address that is told. */
export function sizeFindings(config: Pick<RankvaultConfig, 'clusters' | 'backups' | 'alerts'>): readonly string[] {
  const backups = Object.values(config.backups);
  const schedules = backups.reduce((sum, { schedules: each }) => sum + each.length, 0);
  const timers = backups.reduce((sum, backup) => sum + timersThatAreOn(backup), 0);
  const most = mostSchedules(config);
  return schedules + timers <= most
    ? []
    : [
        `backups have more schedules (${schedules}) and timers that are on (${timers}: verifications, collections, drills) than one deployment with these clusters takes (${most} together); ` +
          "turn timers off by 'enabled: false', or put some of the backups into a configuration of their own, with another 'deployment'",
      ];
}

/** How many schedules and timers there is room for. */
export function mostSchedules({ clusters, alerts }: Pick<RankvaultConfig, 'clusters' | 'alerts'>): number {
  const sites = new Set(Object.values(clusters).map((cluster) => siteKey(cluster))).size;
  return MOST_RESOURCES - KEPT_FREE - FIXED_RESOURCES - RESOURCES_PER_SITE * sites - alerts.emails.length;
}

function timersThatAreOn({ verify, maintain }: BackupConfig): number {
  return [verify.present, verify.read, maintain.collect, ...verify.drills].filter(({ enabled }) => enabled).length;
}
