import type { ServerResponse } from 'node:http';
import type { Reply, StreamedBody } from './exchange.ts';
import { S3Error } from './s3-error.ts';
import { element, xmlDeclaration } from './xml.ts';

/** The reply for anything thrown; what is no S3Error is a fault of this server and says so. */
export function errorReply(error: unknown, resource: string, requestId: string): Reply {
  const known =
    error instanceof S3Error ? error : new S3Error('InternalError', `The local S3 failed: ${String(error)}`);
  const { elements = {}, headers = {} } = known.extras;
  const details = Object.entries(elements).map(([name, value]) => element(name, value));
  return {
    status: known.status,
    headers: { ...headers, 'content-type': 'application/xml' },
    body: errorDocument(known, details.join('') + element('Resource', resource) + element('RequestId', requestId)),
  };
}

/** `<Error><Code>...`, also as the body of a 200. */
export function errorDocument(error: S3Error, details = ''): string {
  return `${xmlDeclaration}<Error>${element('Code', error.code)}${element('Message', error.message)}${details}</Error>`;
}

/** Bytes of a reply's body that will be sent. */
export function bodyBytes(reply: Reply): number {
  if (reply.body === undefined) return 0;
  if (typeof reply.body === 'string') return Buffer.byteLength(reply.body);
  return Buffer.isBuffer(reply.body) ? reply.body.length : reply.body.lengthBytes;
}

/** Sends status, headers and a body that is in memory. */
export function sendWhole(response: ServerResponse, reply: Reply, requestId: string): void {
  response.writeHead(reply.status, headersOf(reply, requestId));
  // Node sends no body with HEAD, 204 and 304, whatever it is given.
  response.end(typeof reply.body === 'string' || Buffer.isBuffer(reply.body) ? reply.body : undefined);
}

/**
 * Sends a streamed body with backpressure. The last chunk waits for `beforeLast`, which gets the bytes of the
 * whole body that can be sent: until then the client cannot take the response for complete.
 */
export async function sendStreamed(
  response: ServerResponse,
  reply: Reply & { readonly body: StreamedBody },
  requestId: string,
  beforeLast: (bytesOut: number) => Promise<void>,
): Promise<void> {
  let sent = 0;
  let last: Buffer | undefined;
  try {
    response.writeHead(reply.status, headersOf(reply, requestId));
    for await (const chunk of reply.body.chunks) {
      if (response.destroyed) break;
      sent += chunk.length;
      if (last !== undefined && !response.write(last)) await writable(response);
      last = chunk;
    }
  } finally {
    reply.body.done();
  }
  await beforeLast(sent);
  response.end(last);
}

function headersOf(reply: Reply, requestId: string): Record<string, string | number> {
  const length = reply.status === 204 || reply.status === 304 ? {} : { 'content-length': bodyBytes(reply) };
  return { ...length, 'x-amz-request-id': requestId, server: 'rankvault-local-s3', ...reply.headers };
}

function writable(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      response.off('drain', settle);
      response.off('close', settle);
      resolve();
    };
    response.on('drain', settle);
    response.on('close', settle);
  });
}
