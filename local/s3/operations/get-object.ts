import { type Conditions, judgeRead, preconditionFailed } from '../protocol/conditions.ts';
import { type Context, headerOf, type Reply, type S3Request } from '../protocol/exchange.ts';
import { type ByteRange, parseRange } from '../protocol/range.ts';
import { sliceContent } from '../store/content.ts';
import type { ObjectVersion } from '../store/version.ts';
import { requireReadable } from './description.ts';
import { locateObject } from './locate.ts';
import { objectHeaders } from './object-headers.ts';

const notModifiedHeaders = ['etag', 'last-modified', 'cache-control', 'expires', 'x-amz-version-id'];

/** GetObject: small objects from the index at once, the others streamed from blobs that stay pinned meanwhile. */
export function getObject(request: S3Request, context: Context): Reply {
  const version = locateObject(request, context);
  requireReadable(version.storageClass);
  const { reply, range } = answerRead(request, context, version);
  if (reply.status === 304) return reply;
  const { blobs } = context.store;
  const content = range === undefined ? version.content : sliceContent(version.content, range.start, range.end);
  const inline = blobs.readInline(content);
  if (inline !== undefined) return { ...reply, body: inline };
  const lengthBytes = range === undefined ? version.sizeBytes : range.end - range.start;
  return { ...reply, body: { lengthBytes, chunks: blobs.read(content), done: blobs.pin(content) } };
}

export function headObject(request: S3Request, context: Context): Reply {
  return answerRead(request, context, locateObject(request, context)).reply;
}

function answerRead(
  request: S3Request,
  { store }: Context,
  version: ObjectVersion,
): { readonly reply: Reply; readonly range: ByteRange | undefined } {
  const headers = objectHeaders(request, store.buckets.require(request.bucket), version);
  const verdict = judgeRead(readConditions(request), version);
  if (verdict === 'failed') {
    throw preconditionFailed(headerOf(request, 'if-match') === undefined ? 'If-Unmodified-Since' : 'If-Match');
  }
  if (verdict === 'notModified') {
    // With a checksum a client would compare it with the body that a 304 does not have.
    const kept = Object.entries(headers).filter(([name]) => notModifiedHeaders.includes(name));
    return { reply: { status: 304, headers: Object.fromEntries(kept) }, range: undefined };
  }
  const range = parseRange(headerOf(request, 'range'), version.sizeBytes);
  if (range === undefined) {
    return { reply: { status: 200, headers: { ...headers, 'content-length': version.sizeBytes } }, range };
  }
  const partial = {
    ...withoutChecksum(headers),
    'content-length': range.end - range.start,
    'content-range': `bytes ${range.start}-${range.end - 1}/${version.sizeBytes}`,
  };
  return { reply: { status: 206, headers: partial }, range };
}

/** The stored checksum covers the whole object; with a range a client would compare it with other bytes. */
function withoutChecksum(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('x-amz-checksum-')));
}

function readConditions(request: S3Request): Conditions {
  return {
    ifMatch: headerOf(request, 'if-match'),
    ifNoneMatch: headerOf(request, 'if-none-match'),
    ifModifiedSince: headerOf(request, 'if-modified-since'),
    ifUnmodifiedSince: headerOf(request, 'if-unmodified-since'),
  };
}
