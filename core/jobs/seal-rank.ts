import * as z from 'zod/mini';
import { completedLines, type DraftReader, readEnumeration } from '../draft-io.ts';
import { SealInvariantBroken, VaultKeyTaken } from '../errors.ts';
import { FORMAT_VERSION, formatVersionSchema, jsonBytes } from '../format.ts';
import { type RankName, rankDirectory, rankNameSchema, snapshotDirectorySchema } from '../ids.ts';
import { isDirectoryLine, type ManifestLine, type PartLine } from '../manifest.ts';
import { digestOfObject, manifestBytes } from '../manifest-io.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { NO_TOTALS, type RankLine, type Totals, totalsSchema } from '../records.ts';
import type { SnapshotPlan } from '../run.ts';
import { manifestKey } from '../vault-layout.ts';

/** `seals/rank-<n>.json` in the work bucket: what CommitSnapshot gathers. */
export const sealSchema = z.object({
  formatVersion: formatVersionSchema,
  rank: rankNameSchema,
  sha256: z.string(),
  sizeBytes: z.int(),
  totals: totalsSchema,
  in: z.array(snapshotDirectorySchema),
  listedAt: z.string(),
});
export type Seal = z.infer<typeof sealSchema>;

/**
 * Writes the rank's manifest: its draft with the receipts filled in. The bytes depend on the draft and the receipts alone, so a
 * second try writes the same object or finds it there.
 * @throws SealInvariantBroken, ReceiptMissing, VaultKeyTaken
 */
export async function sealRank(
  deps: DraftReader & { readonly vault: ObjectStore },
  plan: SnapshotPlan,
  rank: RankName,
): Promise<RankLine> {
  const { backup, snapshot } = plan.run;
  const enumeration = await readEnumeration(deps, 'final', rank);
  const tally = new Tally(plan);
  const header = { formatVersion: FORMAT_VERSION, backup, snapshot, rank: rankDirectory(rank) };
  const key = manifestKey(backup, snapshot, rank);
  const body = manifestBytes(header, tally.counted(completedLines(deps, 'final', enumeration)));
  const written = await deps.vault.createStream(key, body);
  if (written.outcome === 'exists' && (await digestOfObject(deps.vault, key)) !== written.sha256) {
    throw new VaultKeyTaken(`${key} exists with other lines than those of this run.`, {
      hint: 'Nothing was committed; start the snapshot again, it takes a directory of its own.',
    });
  }
  const line: RankLine = {
    rank,
    sha256: written.sha256,
    sizeBytes: written.sizeBytes,
    totals: tally.totals,
    in: tally.named(),
  };
  const seal: Seal = { formatVersion: FORMAT_VERSION, ...line, listedAt: enumeration.listedAt };
  await deps.work.put(deps.keys.seal(rank), jsonBytes(seal));
  return line;
}

/** Checks and counts lines on their way into the manifest. */
class Tally {
  readonly #plan: SnapshotPlan;
  readonly #allowed: ReadonlySet<string>;
  readonly #named = new Set<string>();
  totals: Totals = NO_TOTALS;

  constructor(plan: SnapshotPlan) {
    this.#plan = plan;
    this.#allowed = new Set([plan.run.snapshot, ...plan.allowedIn]);
  }

  async *counted(lines: AsyncIterable<ManifestLine>): AsyncGenerator<ManifestLine> {
    const totals = { ...NO_TOTALS };
    for await (const line of lines) {
      if (isDirectoryLine(line)) {
        totals.directories += 1;
      } else {
        this.#assertAllowed(line);
        this.#named.add(line.in);
        const stored = line.in === this.#plan.run.snapshot;
        totals.parts += 1;
        totals.bytes += line.sizeBytes;
        totals.storedParts += stored ? 1 : 0;
        totals.storedBytes += stored ? line.sizeBytes : 0;
      }
      yield line;
    }
    this.totals = totals;
  }

  named(): string[] {
    return [...this.#named].sort();
  }

  /** full: itself alone; differential: its full or itself; incremental: its chain. */
  #assertAllowed(line: PartLine): void {
    if (!this.#allowed.has(line.in)) {
      throw new SealInvariantBroken(
        `${line.path} of this ${this.#plan.run.type} names bytes of ${line.in}, which is not in its chain.`,
        {
          hint: 'Nothing was committed. This is a fault of Rankvault: keep the work bucket, take a full, and report it.',
        },
      );
    }
  }
}
