import type { ManifestLine, PartLine } from './manifest.ts';
import { isDirectoryLine } from './manifest.ts';
import type { LivePart } from './part.ts';
import type { Pass } from './run.ts';

/** What becomes of a listed part, and why. */
export type PartDecision =
  | { readonly action: 'carry'; readonly line: PartLine }
  | { readonly action: 'copy'; readonly reason: 'new' | 'changed' | 'racy' | 'always read' }
  /** Warm pass only: it would have to be copied again under the quiesce anyway. */
  | { readonly action: 'leave'; readonly reason: 'racy' | 'always read' };

/**
 * Embedded databases are written through memory maps, which may change bytes long before any time or size changes
 * (mmap(2): st_mtime is updated at some point after the write), so their tokens prove nothing.
 */
export function isAlwaysRead(path: string): boolean {
  return path.endsWith('.mdb');
}

/**
 * Carries a part only when its token is the base's and could be trusted when the base was listed. In the final pass of a run
 * with a warm pass, the base is what the warm pass left.
 */
export function decidePart(live: LivePart, base: ManifestLine | undefined, pass: Pass): PartDecision {
  if (live.token.startsWith('file:') && isAlwaysRead(live.path)) {
    return pass === 'warm' ? { action: 'leave', reason: 'always read' } : { action: 'copy', reason: 'always read' };
  }
  if (pass === 'warm' && live.racy) {
    return { action: 'leave', reason: 'racy' };
  }
  if (base === undefined || isDirectoryLine(base)) {
    return { action: 'copy', reason: 'new' };
  }
  if (base.token !== live.token || base.root !== live.root || base.sizeBytes !== live.sizeBytes) {
    return { action: 'copy', reason: 'changed' };
  }
  return base.racy === true ? { action: 'copy', reason: 'racy' } : { action: 'carry', line: carried(base, live) };
}

/** The base's bytes with the attributes of now: a token proves bytes, and mode or owner may have changed with the ctime kept. */
function carried(base: PartLine, live: LivePart): PartLine {
  const { path, root, sizeBytes, token, checksum, in: directory, etag, versionId, key } = base;
  const bytes = { path, root, sizeBytes, token, checksum, in: directory, etag, versionId };
  const line = key === undefined ? bytes : { ...bytes, key };
  if (live.racy) {
    return { ...line, racy: true, ...(live.attributes === undefined ? {} : { attributes: live.attributes }) };
  }
  return live.attributes === undefined ? line : { ...line, attributes: live.attributes };
}
