import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Store } from '../store/store.ts';
import type { Operation } from './operations.ts';

/** One request, understood as far as its operation. */
export interface S3Request {
  readonly operation: Operation;
  readonly bucket: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingHttpHeaders;
  readonly body: IncomingMessage;
  /** Bytes of the body that have arrived, encoding included. */
  readonly meter: { bytesIn: number };
}

/** A body that does not fit in memory; `done` is called exactly once, however the response ends. */
export interface StreamedBody {
  readonly lengthBytes: number;
  readonly chunks: AsyncIterable<Buffer>;
  readonly done: () => void;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body?: string | Buffer | StreamedBody;
}

/** What handlers work with. */
export interface Context {
  readonly store: Store;
  readonly clock: () => number;
  /** Whether this bucket gets a CRC64NVME for objects that were sent without a checksum. */
  readonly storesDefaultChecksum: (bucket: string) => boolean;
}

export type Handler = (request: S3Request, context: Context) => Reply | Promise<Reply>;

/** One header's value, or undefined. */
export function headerOf(request: S3Request, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

export function xmlReply(body: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, headers: { 'content-type': 'application/xml', ...headers }, body };
}

/** Drops the headers that have no value. */
export function definedHeaders(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const defined: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) defined[name] = value;
  }
  return defined;
}
