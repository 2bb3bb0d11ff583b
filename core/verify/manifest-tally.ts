import * as z from 'zod/mini';
import { snapshotDirectorySchema } from '../ids.ts';
import { isDirectoryLine, type ManifestLine } from '../manifest.ts';
import { type RankLine, type SnapshotRecord, totalsSchema } from '../records.ts';
import { compareUtf8 } from '../utf8-order.ts';

/** What has been counted of a manifest; travels in the progress of its unit. */
export const manifestTallySchema = z.object({
  totals: totalsSchema,
  in: z.array(z.object({ snapshot: z.string(), parts: z.int(), bytes: z.int() })),
  last: z.optional(z.string()),
});
export type ManifestTally = z.infer<typeof manifestTallySchema>;

/** Facts of the record that a manifest must keep to. */
export type ManifestRules = Pick<SnapshotRecord, 'snapshot' | 'type' | 'full' | 'chain'>;
export const manifestRulesSchema = z.object({
  snapshot: snapshotDirectorySchema,
  type: z.enum(['full', 'incremental', 'differential']),
  full: snapshotDirectorySchema,
  chain: z.array(snapshotDirectorySchema),
});

/** Counts the lines of a manifest and says which of them break an invariant. */
export class ManifestCheck {
  readonly #rules: ManifestRules;
  readonly #allowed: ReadonlySet<string>;
  readonly #in: Map<string, { parts: number; bytes: number }>;
  readonly #totals: { -readonly [K in keyof ManifestTally['totals']]: number };
  #last: string | undefined;

  constructor(rules: ManifestRules, before: ManifestTally | undefined) {
    this.#rules = rules;
    this.#allowed = allowedIn(rules);
    this.#in = new Map(before?.in.map(({ snapshot, parts, bytes }) => [snapshot, { parts, bytes }]));
    this.#totals = { parts: 0, bytes: 0, storedParts: 0, storedBytes: 0, directories: 0, ...before?.totals };
    this.#last = before?.last;
  }

  /** @returns why the line cannot be joined with a listing, nor any after it, in words */
  outOfOrder(line: ManifestLine): string | undefined {
    const last = this.#last;
    this.#last = line.path;
    return last !== undefined && compareUtf8(last, line.path) >= 0
      ? `${JSON.stringify(line.path)} comes after ${JSON.stringify(last)}.`
      : undefined;
  }

  /** Counts the line. @returns what is wrong with it, in words */
  take(line: ManifestLine): string | undefined {
    if (isDirectoryLine(line)) {
      this.#totals.directories += 1;
      return undefined;
    }
    this.#count(line.in, line.sizeBytes);
    return this.#allowed.has(line.in)
      ? undefined
      : `${JSON.stringify(line.path)} of this ${this.#rules.type} names bytes of ${line.in}, which is not in its chain.`;
  }

  /** @returns which sums are not those that were recorded, in words */
  compareWith(recorded: RankLine): readonly string[] {
    const { totals } = this.tally();
    const fields = ['parts', 'bytes', 'storedParts', 'storedBytes', 'directories'] as const;
    const sums = fields
      .filter((field) => totals[field] !== recorded.totals[field])
      .map((field) => `It has ${field} ${totals[field]}; recorded are ${recorded.totals[field]}.`);
    const named = new Map(recorded.in.map((each) => [each.snapshot, each]));
    const directories = [...new Set([...named.keys(), ...this.#in.keys()])].sort(compareUtf8);
    const each = directories.flatMap((snapshot) => {
      const [actual, expected] = [this.#in.get(snapshot), named.get(snapshot)].map(inWords);
      return actual === expected ? [] : [`It names ${actual} of ${snapshot}; recorded are ${expected}.`];
    });
    return [...sums, ...each];
  }

  tally(): ManifestTally {
    return {
      totals: { ...this.#totals },
      in: [...this.#in].map(([snapshot, amount]) => ({ snapshot, ...amount })),
      ...(this.#last === undefined ? {} : { last: this.#last }),
    };
  }

  #count(directory: string, sizeBytes: number): void {
    if (this.#allowed.has(directory)) {
      const { parts, bytes } = this.#in.get(directory) ?? { parts: 0, bytes: 0 };
      this.#in.set(directory, { parts: parts + 1, bytes: bytes + sizeBytes });
    }
    const stored = directory === this.#rules.snapshot;
    this.#totals.parts += 1;
    this.#totals.bytes += sizeBytes;
    this.#totals.storedParts += stored ? 1 : 0;
    this.#totals.storedBytes += stored ? sizeBytes : 0;
  }
}

/** full: itself alone; differential: its full or itself; incremental: its chain. */
function allowedIn({ snapshot, type, full, chain }: ManifestRules): ReadonlySet<string> {
  switch (type) {
    case 'full':
      return new Set([snapshot]);
    case 'differential':
      return new Set([snapshot, full]);
    case 'incremental':
      return new Set([snapshot, ...chain]);
    default:
      return type satisfies never;
  }
}

function inWords(amount: { readonly parts: number; readonly bytes: number } | undefined): string {
  return amount === undefined ? 'no parts' : `${amount.parts} parts (${amount.bytes} bytes)`;
}
