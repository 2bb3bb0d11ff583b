/**
 * A source token pins one version of a source part. It tells "surely the same" from "maybe changed"; it never proves that two
 * parts are equal: checksums do that.
 *
 * S3: `s3:<etag>` or `s3:<etag>:<versionId>`; file: `file:<size>:<mtime ns>:<ctime ns>:<inode>`, from fstat of the opened file.
 */
export type SourceToken = string;

export interface FileStat {
  readonly sizeBytes: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly inode: bigint;
}

export function fileToken(stat: FileStat): SourceToken {
  return `file:${stat.sizeBytes}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.inode}`;
}

/** @param etag as S3 gives it, with or without quotes */
export function s3Token(etag: string, versionId: string | undefined): SourceToken {
  const bare = etag.replaceAll('"', '');
  return versionId === undefined ? `s3:${bare}` : `s3:${bare}:${versionId}`;
}

export interface S3Pin {
  readonly etag: string;
  readonly versionId: string | undefined;
}

/** The conditions that a copy must carry for the token's version; undefined when the token is not of S3. */
export function s3PinOf(token: SourceToken): S3Pin | undefined {
  const match = /^s3:([^:]*)(?::(.+))?$/.exec(token);
  return match?.[1] === undefined ? undefined : { etag: `"${match[1]}"`, versionId: match[2] };
}

/**
 * A file whose times lie within this span before its listing may change again without its times changing (clocks tick in
 * steps of up to 2 s on some file systems): the token cannot be trusted next time.
 */
export const RACY_WINDOW_NS = 2_000_000_000n;

export function isRacy(stat: FileStat, listedAtEpochMillis: number): boolean {
  const newest = stat.mtimeNs > stat.ctimeNs ? stat.mtimeNs : stat.ctimeNs;
  return newest > BigInt(Math.trunc(listedAtEpochMillis)) * 1_000_000n - RACY_WINDOW_NS;
}
