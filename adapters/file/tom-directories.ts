import { canonicalPath } from '../../core/root-pattern.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';
import { statPlain } from './plain-path.ts';
import { isTom, mappedTomParent, namesOf, type Walk, type WalkDirectory } from './walk-directory.ts';

/**
 * Adds the TOM directories of a root that has them elsewhere, or under other names, to the top directory of the rank. They take
 * their canonical names and places there, so that the walk that follows gives part paths in order without knowing of the mapping.
 *
 * @throws PathCollision when a directory at the top looks like a canonical TOM and is none
 */
export async function mapTomDirectories(walk: Walk, top: WalkDirectory): Promise<WalkDirectory> {
  const { root } = walk;
  const parent = mappedTomParent(walk);
  if (parent === undefined) {
    return top;
  }
  for (const key of top.keys) {
    canonicalPath(root.pattern, key);
  }
  const elsewhere = new Map<string, string>();
  for (const key of await tomKeys(walk, parent)) {
    elsewhere.set(`tom-${root.pattern.tomOf(key.slice(0, -1))}/`, `${parent}${key}`);
  }
  return { ...top, elsewhere, keys: [...top.keys, ...elsewhere.keys()].sort(compareUtf8) };
}

async function tomKeys({ root }: Walk, parent: string): Promise<readonly string[]> {
  if (parent !== '' && !(await statPlain(root, parent))?.isDirectory()) {
    return [];
  }
  const names = await namesOf(root, parent);
  return (names?.keys ?? []).filter((key) => isTom(root.pattern, key) && !root.excluded(`${parent}${key}`));
}
