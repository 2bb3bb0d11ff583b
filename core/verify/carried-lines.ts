import { isDirectoryLine, type ManifestLine, type PartLine } from '../manifest.ts';
import { compareUtf8 } from '../utf8-order.ts';

/** What a carried line says of its bytes: the same as the base's line. */
const FIELDS = ['in', 'versionId', 'key', 'sizeBytes', 'checksum', 'etag'] as const;

/**
 * The manifest of the base, in lockstep with that of a snapshot: what is carried must be a copy of the base's line. A base that cannot be
 * read to the end, or is out of order, says nothing from there on: it is told when it is looked at itself. Memory holds one line.
 */
export class CarriedLines {
  readonly #base: string;
  readonly #lines: AsyncIterator<ManifestLine>;
  #head: ManifestLine | undefined;
  #begun = false;
  #broken = false;

  /** @param open gives the base's lines from where the walk begins, and is told when they break off */
  constructor(base: string, open: (breakOff: () => void) => AsyncIterable<ManifestLine>) {
    this.#base = base;
    this.#lines = open(() => {
      this.#broken = true;
    })[Symbol.asyncIterator]();
  }

  /** Lines come in the order of their paths. @returns what is wrong with the line, in words */
  async compare(line: PartLine): Promise<string | undefined> {
    while (!this.#begun || (this.#head !== undefined && compareUtf8(this.#head.path, line.path) < 0)) {
      await this.#advance();
    }
    const found = this.#head?.path === line.path && !isDirectoryLine(this.#head) ? this.#head : undefined;
    if (this.#broken) {
      return undefined;
    }
    const path = JSON.stringify(line.path);
    if (found === undefined) {
      return `${path} is carried, but its base ${this.#base} does not name it.`;
    }
    const other = FIELDS.filter((field) => found[field] !== line[field]);
    return other.length === 0
      ? undefined
      : `${path} is carried, but not as its base ${this.#base} names it: ${other.map((field) => `${field} ${line[field]} instead of ${found[field]}`).join(', ')}.`;
  }

  async close(): Promise<void> {
    await this.#lines.return?.(undefined);
  }

  async #advance(): Promise<void> {
    this.#begun = true;
    const next = await this.#lines.next();
    const line = next.done === true ? undefined : next.value;
    if (line !== undefined && this.#head !== undefined && compareUtf8(this.#head.path, line.path) >= 0) {
      this.#broken = true;
    }
    this.#head = this.#broken ? undefined : line;
  }
}
