/**
 * What no document says about a real server, as choices. The defaults are the kindest reading where the choice only changes
 * comfort, and the worst where somebody could rely on the kind one.
 */
export interface LocalKineticaSwitches {
  /** A second begin in backup mode: one end undoes both; each needs its own; or it is refused. @default 'idempotent' */
  nesting: 'idempotent' | 'counted' | 'refused';
  /** An end outside of backup mode. @default 'accepted' */
  strayEnd: 'accepted' | 'refused';
  /** An end while a begin still waits for writes: handled at once, so that the begin comes after it, or queued. @default 'overtakes' */
  endDuringBegin: 'overtakes' | 'waits';
  /** Whether `cluster_operation` shows `backing_up`. @default true */
  hostManagerShowsBackupMode: boolean;
  /** Whether workers call themselves read-only in backup mode. @default false */
  ranksShowReadOnly: boolean;
  /** Whether a restart comes back in backup mode. @default false */
  backupModeSurvivesRestart: boolean;
  /** Published, or as the vendor's agent reads it. @default 'published' */
  shardSchema: 'published' | 'agent';
  /** Container of `status_map.ranks`. @default 'array' */
  rankContainer: 'array' | 'object';
  /** `data_str` as documented, or already decoded. @default 'string' */
  dataStr: 'string' | 'object';
  /** Published worker URLs, or `conf.enable_worker_http_servers` FALSE. @default true */
  workerHttpServers: boolean;
  /** Outside of a ring there is no `ha_status`. @default 'none' */
  haStatus: 'none' | 'not_drained' | 'draining' | 'drained';
  /** Methods of the host manager's `/`. @default 'both' */
  hostManagerMethod: 'both' | 'GET' | 'POST';
}

export function defaultSwitches(): LocalKineticaSwitches {
  return {
    nesting: 'idempotent',
    strayEnd: 'accepted',
    endDuringBegin: 'overtakes',
    hostManagerShowsBackupMode: true,
    ranksShowReadOnly: false,
    backupModeSurvivesRestart: false,
    shardSchema: 'published',
    rankContainer: 'array',
    dataStr: 'string',
    workerHttpServers: true,
    haStatus: 'none',
    hostManagerMethod: 'both',
  };
}
