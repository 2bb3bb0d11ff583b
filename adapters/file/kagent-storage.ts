import { type KagentCandidate, newestOf } from '../../core/kagent.ts';

/** The place where KAgent keeps the snapshot directories of one cluster: `<path>/<cluster>/`. */
export interface KagentStorage {
  /** Names of the form `snapshot.YYYY-MM-DD.HH-MM-SS`, in any order; none when the place is not there yet. */
  directories(): Promise<readonly string[]>;
  /** @returns undefined when the directory is gone */
  inspect(directory: string): Promise<KagentCandidate | undefined>;
}

/**
 * The directories that may be chosen, the newest first, down to the first that holds files: older ones are out of date and looking
 * through them takes long.
 *
 * @param alreadyVaulted directories that are not newer than one of these are not looked at
 */
export async function findKagentCandidates(
  storage: KagentStorage,
  alreadyVaulted: ReadonlySet<string>,
): Promise<readonly KagentCandidate[]> {
  const newestVaulted = newestOf(alreadyVaulted);
  const names = (await storage.directories()).filter((name) => newestVaulted === undefined || name > newestVaulted);
  const candidates: KagentCandidate[] = [];
  for (const name of names.toSorted().reverse()) {
    const candidate = await storage.inspect(name);
    if (candidate !== undefined) {
      candidates.push(candidate);
    }
    if (candidate?.holdsFiles) {
      break;
    }
  }
  return candidates;
}
