import type { ManifestLine } from '../../core/manifest.ts';
import type { FileAttributes, LiveEntry } from '../../core/part.ts';
import type { SourceRoots } from '../../core/ports/source-root.ts';

/** Of which kind of root a synthetic rank is: file roots have attributes in every line. */
export type RootKind = 's3' | 'file';

export interface ExpectedCounts {
  readonly parts: number;
  readonly copyParts: number;
  readonly removedParts: number;
}

/**
 * A rank of `parts` parts and its base, the same at every run, in path order and made one by one: of 1,000 parts ten have
 * changed since the base, one is new and one is gone.
 */
export class SyntheticRank implements SourceRoots {
  readonly #parts: number;
  readonly #kind: RootKind;

  constructor(parts: number, kind: RootKind) {
    this.#parts = parts;
    this.#kind = kind;
  }

  async *listRank(): AsyncGenerator<LiveEntry> {
    for (let index = 0; index < this.#parts; index += 1) {
      if (!isGone(index)) {
        yield {
          kind: 'part',
          path: this.#path(index),
          root: 'main',
          sizeBytes: sizeBytesOf(index),
          token: this.#token(index, hasChanged(index) ? 1 : 0),
          racy: false,
          ...(this.#kind === 'file' ? { attributes: ATTRIBUTES } : {}),
        };
      }
    }
  }

  discoverRanks(): Promise<readonly number[]> {
    return Promise.resolve([1]);
  }

  findRestoreMarkers(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  async *baseLines(snapshot: string): AsyncGenerator<ManifestLine> {
    for (let index = 0; index < this.#parts; index += 1) {
      if (!isNew(index)) {
        yield {
          path: this.#path(index),
          root: 'main',
          sizeBytes: sizeBytesOf(index),
          token: this.#token(index, 0),
          checksum: `CRC64NVME:${varied(index, 2).slice(0, 11)}=`,
          in: snapshot,
          etag: `"${varied(index, 3)}${varied(index, 4)}"`,
          versionId: `${varied(index, 5)}${varied(index, 6)}`,
          ...(this.#kind === 'file' ? { attributes: ATTRIBUTES } : {}),
        };
      }
    }
  }

  /** What the enumeration must have counted. */
  expected(): ExpectedCounts {
    const counted = { parts: 0, copyParts: 0, removedParts: 0 };
    for (let index = 0; index < this.#parts; index += 1) {
      counted.parts += isGone(index) ? 0 : 1;
      counted.copyParts += hasChanged(index) || isNew(index) ? 1 : 0;
      counted.removedParts += isGone(index) ? 1 : 0;
    }
    return counted;
  }

  /** Ten TOMs of a hundred tables; all numbers have the same digits, so that their order is the order of paths. */
  #path(index: number): string {
    const table = Math.floor((index * 1000) / this.#parts);
    return `${TABLES[table]}${sevenDigits(index)}.seg`;
  }

  #token(index: number, version: number): string {
    return this.#kind === 's3'
      ? `s3:${varied(index, version)}${varied(index, 7)}`
      : `file:${sizeBytesOf(index)}:17000000${sevenDigits(index)}0000:17000000${sevenDigits(index)}000${version}:${index}`;
  }
}

const ATTRIBUTES: FileAttributes = { mode: 0o640, uid: 1000, gid: 1000, mtimeNs: '1700000000000000000' };

const hasChanged = (index: number): boolean => index % 100 === 3;
const isNew = (index: number): boolean => index % 1000 === 1;
const isGone = (index: number): boolean => index % 1000 === 2;

const sizeBytesOf = (index: number): number => 16_384 + (index % 97) * 512;

/** Quicker than zeros in front: the listing itself should be little of what is measured. */
const sevenDigits = (index: number): number => 1_000_000 + index;

const TABLES = Array.from({ length: 1_000 }, (_, index) => {
  const digits = String(index).padStart(3, '0');
  return `tom-${digits.slice(0, 1)}/t${digits.slice(1)}/`;
});

/** 65,536 texts of 16 hexadecimal digits without a pattern, so that a line compresses as a line with real ETags does. */
const DIGITS = Array.from({ length: 65_536 }, (_, index) =>
  [mixed(index), mixed(index + 65_536)].map((word) => word.toString(16).padStart(8, '0')).join(''),
);

function mixed(seed: number): number {
  let word = Math.imul(seed + 1, 0x9e3779b1);
  word = Math.imul(word ^ (word >>> 15), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) >>> 0;
}

function varied(index: number, salt: number): string {
  return DIGITS[mixed(index * 8 + salt) & 0xffff] ?? '';
}
