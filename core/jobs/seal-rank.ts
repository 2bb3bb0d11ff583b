import * as z from 'zod/mini';
import type { Enumeration } from '../draft.ts';
import { completedLines, type DraftReader, readEnumeration } from '../draft-io.ts';
import { SealInvariantBroken, VaultKeyTaken } from '../errors.ts';
import { FORMAT_VERSION, formatVersionSchema, jsonBytes } from '../format.ts';
import { type RankName, rankDirectory, rankNameSchema } from '../ids.ts';
import { isDirectoryLine, type ManifestLine, type PartLine } from '../manifest.ts';
import { digestOfObject, manifestBytes } from '../manifest-io.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { NO_TOTALS, type RankLine, rankLineSchema, type Totals, totalsSchema } from '../records.ts';
import type { SnapshotPlan, SnapshotRun } from '../run.ts';
import { compareUtf8 } from '../utf8-order.ts';
import { manifestKey } from '../vault-layout.ts';

/** `seals/rank-<n>.json` in the work bucket: what CommitSnapshot gathers. */
export const sealSchema = z.object({
  formatVersion: formatVersionSchema,
  rank: rankNameSchema,
  sha256: z.string(),
  sizeBytes: z.int(),
  totals: totalsSchema,
  in: rankLineSchema.shape.in,
  listedAt: z.string(),
});
export type Seal = z.infer<typeof sealSchema>;

/** What is sealed: a snapshot of a cluster, or a full that was merged from others. */
export interface SealPlan extends Pick<SnapshotPlan, 'allowedIn'> {
  readonly run: Pick<SnapshotRun, 'backup' | 'snapshot' | 'type'>;
}

/**
 * Writes the rank's manifest: its draft with the receipts filled in. The bytes depend on the draft and the receipts alone, so a
 * second try writes the same object or finds it there.
 * @throws SealInvariantBroken, ReceiptMissing, VaultKeyTaken
 */
export async function sealRank(
  deps: DraftReader & { readonly vault: ObjectStore },
  plan: SealPlan,
  rank: RankName,
): Promise<RankLine> {
  const { backup, snapshot } = plan.run;
  const enumeration = await readEnumeration(deps, 'final', rank);
  const tally = new Tally(plan, enumeration);
  const header = { formatVersion: FORMAT_VERSION, backup, snapshot, rank: rankDirectory(rank) };
  const key = manifestKey(backup, snapshot, rank);
  const body = manifestBytes(header, tally.counted(completedLines(deps, 'final', enumeration)));
  const written = await deps.vault.createStream(key, body);
  if (written.outcome === 'exists' && (await digestOfObject(deps.vault, key)) !== written.sha256) {
    throw new VaultKeyTaken(`${key} exists with other lines than those of this run.`, {
      hint: 'Nothing was committed; start it again, it takes a directory of its own.',
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
  readonly #plan: SealPlan;
  readonly #enumeration: Enumeration;
  readonly #allowed: ReadonlySet<string>;
  readonly #named = new Map<string, { parts: number; bytes: number }>();
  totals: Totals = NO_TOTALS;

  constructor(plan: SealPlan, enumeration: Enumeration) {
    this.#plan = plan;
    this.#enumeration = enumeration;
    this.#allowed = new Set([plan.run.snapshot, ...plan.allowedIn]);
  }

  async *counted(lines: AsyncIterable<ManifestLine>): AsyncGenerator<ManifestLine> {
    const totals = { ...NO_TOTALS };
    let last: string | undefined;
    for await (const line of lines) {
      this.#assertAfter(last, line);
      last = line.path;
      if (isDirectoryLine(line)) {
        totals.directories += 1;
      } else {
        this.#assertAllowed(line);
        this.#name(line);
        const stored = line.in === this.#plan.run.snapshot;
        totals.parts += 1;
        totals.bytes += line.sizeBytes;
        totals.storedParts += stored ? 1 : 0;
        totals.storedBytes += stored ? line.sizeBytes : 0;
      }
      yield line;
    }
    this.#assertComplete(totals);
    this.totals = totals;
  }

  /** Oldest first. */
  named(): RankLine['in'] {
    return [...this.#named]
      .map(([snapshot, { parts, bytes }]) => ({ snapshot, parts, bytes }))
      .sort((left, right) => compareUtf8(left.snapshot, right.snapshot));
  }

  #name({ in: snapshot, sizeBytes }: PartLine): void {
    const { parts, bytes } = this.#named.get(snapshot) ?? { parts: 0, bytes: 0 };
    this.#named.set(snapshot, { parts: parts + 1, bytes: bytes + sizeBytes });
  }

  /** full: itself alone; differential: its full or itself; incremental: its chain. */
  #assertAllowed(line: PartLine): void {
    if (!this.#allowed.has(line.in)) {
      throw new SealInvariantBroken(
        `${line.path} of this ${this.#plan.run.type} names bytes of ${line.in}, which is not in its chain.`,
        { hint: FAULT },
      );
    }
  }

  /** Readers merge manifests with listings: a line out of its place would be missed. */
  #assertAfter(last: string | undefined, line: ManifestLine): void {
    if (last !== undefined && compareUtf8(last, line.path) >= 0) {
      throw new SealInvariantBroken(`${line.path} of rank ${this.#enumeration.rank} comes after ${last}.`, {
        hint: FAULT,
      });
    }
  }

  #assertComplete({ parts, directories }: Totals): void {
    const { totals: listed, rank } = this.#enumeration;
    if (parts !== listed.parts || directories !== listed.directories) {
      throw new SealInvariantBroken(
        `The manifest of rank ${rank} has ${parts} parts and ${directories} directories; listed were ${listed.parts} and ${listed.directories}.`,
        { hint: FAULT },
      );
    }
  }
}

const FAULT = 'Nothing was committed. This is a fault of Rankvault: keep the work bucket, take a full, and report it.';
