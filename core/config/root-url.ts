/** Where a root lies. `prefix` is `''` or ends in `/`; `path` is absolute and has no `/` at its end. */
export type RootPlace =
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string }
  | { readonly kind: 'file'; readonly path: string };

/** @returns undefined when the text is neither s3://bucket/prefix nor file:///absolute/path */
export function parseRootUrl(url: string): RootPlace | undefined {
  const s3 = /^s3:\/\/([^/]+)\/?(.*)$/.exec(url);
  if (s3?.[1] !== undefined) {
    const prefix = (s3[2] ?? '').replace(/\/+$/, '');
    return { kind: 's3', bucket: s3[1], prefix: prefix === '' ? '' : `${prefix}/` };
  }
  const file = /^file:\/\/(\/.*)$/.exec(url);
  return file?.[1] === undefined ? undefined : { kind: 'file', path: file[1].replace(/(?<=.)\/+$/, '') };
}

/** True when one place is the other, or lies inside it. Mounts are compared by the caller. */
export function placesOverlap(left: RootPlace, right: RootPlace): boolean {
  if (left.kind === 's3' && right.kind === 's3') {
    return left.bucket === right.bucket && prefixesNest(left.prefix, right.prefix);
  }
  return left.kind === 'file' && right.kind === 'file' && prefixesNest(`${left.path}/`, `${right.path}/`);
}

/** True when the path is the directory, or lies inside it. */
export function isInside(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}

function prefixesNest(left: string, right: string): boolean {
  return left.startsWith(right) || right.startsWith(left);
}
