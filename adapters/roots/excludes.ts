import picomatch from 'picomatch';

/** Says whether a path inside a root (`/`-separated, with or without a final `/`) is excluded. */
export type Excludes = (pathInRoot: string) => boolean;

/**
 * Globs of a root's `exclude`: `*` within a segment, `**` across, names with a leading dot included. A path is excluded when it or
 * a directory above it matches, so that a walker may skip a matching directory whole.
 */
export function compileExcludes(globs: readonly string[]): Excludes {
  if (globs.length === 0) {
    return () => false;
  }
  const matches = picomatch(
    globs.map((glob) => glob.replace(/\/+$/, '')),
    { dot: true, nonegate: true },
  );
  return (pathInRoot) => pathsUpTo(pathInRoot).some((path) => matches(path));
}

/** `a/b/c` gives `a`, `a/b`, `a/b/c`. */
function pathsUpTo(path: string): readonly string[] {
  const whole = path.endsWith('/') ? path.slice(0, -1) : path;
  const paths: string[] = [];
  for (let slash = whole.indexOf('/'); slash >= 0; slash = whole.indexOf('/', slash + 1)) {
    paths.push(whole.slice(0, slash));
  }
  return [...paths, whole];
}
