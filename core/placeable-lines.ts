import { PathCollision } from './errors.ts';
import { type RankName, rankDirectory } from './ids.ts';
import { isDirectoryLine, type ManifestLine } from './manifest.ts';
import type { RestoreTarget } from './ports/restore-target.ts';

/** What a target is asked about a line before anything in it changes. */
type Placing = Pick<RestoreTarget, 'assertPlace' | 'excludes' | 'fileSystemOf'>;

/** A line of a manifest that the target can take; with `line` undefined, one that the target excludes. */
export interface PlaceableLine {
  readonly path: string;
  readonly line: ManifestLine | undefined;
}

/**
 * Asks the target about every line of a rank. A walk that goes on after a cursor asks about the earlier lines again: reading them is
 * the cost, and so the part paths that later lines may lie below need not travel with the cursor.
 * @throws TopologyMismatch when no root of the target takes a line
 * @throws PathCollision when a file system would have to hold a file and a directory of one name
 */
export async function* placeableLines(
  lines: AsyncIterable<ManifestLine>,
  target: Placing,
  rank: RankName,
): AsyncGenerator<PlaceableLine> {
  const parts = new OpenParts(rank);
  for await (const line of lines) {
    target.assertPlace(rank, line);
    if (target.excludes(rank, line)) {
      yield { path: line.path, line: undefined };
    } else {
      parts.enter(line, target.fileSystemOf(line));
      yield { path: line.path, line };
    }
  }
}

/** The parts whose paths begin the path that was entered last: in UTF-8 order no other part can have later lines below it. */
class OpenParts {
  readonly #rank: RankName;
  readonly #open: { readonly line: ManifestLine; readonly fileSystem: string }[] = [];

  constructor(rank: RankName) {
    this.#rank = rank;
  }

  /** @param fileSystem undefined where a part may have other parts below its path */
  enter(line: ManifestLine, fileSystem: string | undefined): void {
    for (let top = this.#open.at(-1); top !== undefined; top = this.#open.at(-1)) {
      if (line.path.startsWith(top.line.path)) {
        break;
      }
      this.#open.pop();
    }
    const above = this.#open.find(
      (each) => each.fileSystem === fileSystem && line.path.startsWith(`${each.line.path}/`),
    );
    if (above !== undefined) {
      throw collision(this.#rank, above.line, line);
    }
    if (fileSystem !== undefined && !isDirectoryLine(line)) {
      this.#open.push({ line, fileSystem });
    }
  }
}

function collision(rank: RankName, file: ManifestLine, below: ManifestLine): PathCollision {
  return new PathCollision(
    `${JSON.stringify(file.path)} (root ${file.root}) and ${JSON.stringify(below.path)} (root ${below.root}) of ` +
      `${rankDirectory(rank)} cannot both be in one directory: one name would be a file and a directory.`,
    { hint: 'Restore into a root on S3, into roots of their own, or exclude one of the two in the target root.' },
  );
}
