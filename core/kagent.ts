/** One directory that KAgent made, as the storage shows it now. */
export interface KagentCandidate {
  /** `snapshot.YYYY-MM-DD.HH-MM-SS`. KAgent's time zone is not documented, so the name is for order only, never held against a clock. */
  readonly directory: string;
  /**
   * The newest change of anything inside, the directory itself included. On a file system the later of mtime and ctime, because
   * copying tools preserve the one and cannot set the other.
   */
  readonly newestChangeEpochMillis: number;
  readonly holdsFiles: boolean;
}

export type KagentChoice =
  | { readonly outcome: 'chosen'; readonly directory: string; readonly reason: string }
  | { readonly outcome: 'wait'; readonly reason: string }
  | { readonly outcome: 'none'; readonly reason: string };

const MILLIS_PER_MINUTE = 60_000;

/**
 * Which of KAgent's directories to vault: the newest one, once nothing in it is younger than `settleMinutes`, because KAgent leaves no
 * sign that it has finished. While it settles the answer is to wait: an older directory would be out of date the next moment.
 * Directories not newer than one already vaulted are over, as are those that have stayed empty.
 *
 * @param alreadyVaulted names of the directories that this backup's snapshots were taken from
 */
export function chooseKagentSnapshot(
  candidates: readonly KagentCandidate[],
  nowEpochMillis: number,
  settleMinutes: number,
  alreadyVaulted: ReadonlySet<string>,
): KagentChoice {
  const newestVaulted = newestOf(alreadyVaulted);
  const fresh = candidates
    .filter(({ directory }) => newestVaulted === undefined || directory > newestVaulted)
    .toSorted((left, right) => (left.directory < right.directory ? 1 : -1));
  for (const candidate of fresh) {
    const quietMinutes = (nowEpochMillis - candidate.newestChangeEpochMillis) / MILLIS_PER_MINUTE;
    if (quietMinutes < settleMinutes) {
      return {
        outcome: 'wait',
        reason: `KAgent's ${candidate.directory} changed less than ${settleMinutes} minutes ago`,
      };
    }
    if (candidate.holdsFiles) {
      const minutes = Math.floor(quietMinutes);
      return {
        outcome: 'chosen',
        directory: candidate.directory,
        reason: `newest, and unchanged for ${minutes} minutes`,
      };
    }
  }
  return { outcome: 'none', reason: reasonForNone(candidates, fresh, newestVaulted) };
}

/** The greatest name, which is the latest. */
export function newestOf(directories: Iterable<string>): string | undefined {
  let newest: string | undefined;
  for (const directory of directories) {
    newest = newest === undefined || directory > newest ? directory : newest;
  }
  return newest;
}

function reasonForNone(
  candidates: readonly KagentCandidate[],
  fresh: readonly KagentCandidate[],
  newestVaulted: string | undefined,
): string {
  if (fresh[0] !== undefined) {
    return `KAgent's ${fresh[0].directory} and what came since the last snapshot have no files.`;
  }
  if (candidates.length === 0 && newestVaulted === undefined) {
    return 'KAgent has made no snapshot directory.';
  }
  return `KAgent has made no snapshot directory since ${newestVaulted}, which is vaulted already.`;
}
