import http from 'node:http';
import https from 'node:https';

export interface HttpRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** PEM bundle that replaces the system's authorities. */
  readonly caPem?: string;
  /** Ends the exchange, also while the body arrives. */
  readonly signal: AbortSignal;
}

export interface HttpReply {
  readonly httpStatus: number;
  readonly bodyText: string;
}

/** `unreached`: nothing of the request can have left; `lost`: it may have; `timeout` and `overlong` say which kind of lost. */
type TransportFailureKind = 'unreached' | 'lost' | 'timeout' | 'overlong';

/** Has no `cause`: Node's own errors can carry raw bytes of the reply. `code` is all that is kept of them. */
export class TransportFailure extends Error {
  override readonly name = 'TransportFailure';
  readonly kind: TransportFailureKind;
  readonly code: string;
  /** Whether a connection was established, TLS included, so that the server may have read the request. */
  readonly mayHaveArrived: boolean;

  constructor(kind: TransportFailureKind, code: string, mayHaveArrived: boolean) {
    super(`HTTP exchange failed: ${kind} (${code})`);
    this.kind = kind;
    this.code = code;
    this.mayHaveArrived = mayHaveArrived;
  }
}

/** A begin may be silent for minutes; NAT gateways forget a connection after 350 s without a packet (VPC user guide). */
const KEEP_ALIVE_MILLIS = 60_000;

/** Far above the largest documented reply (two arrays of 16,384 numbers); a runaway body must not fill a Lambda. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/**
 * One request on a connection of its own. A kept-alive connection that the server has just closed fails in a way that cannot
 * be told from a lost reply; on a new one, failing before it is established proves that nothing was sent.
 * @throws TransportFailure
 */
export async function exchange(request: HttpRequest): Promise<HttpReply> {
  const progress = { connected: false };
  try {
    const response = await send(request, progress);
    return { httpStatus: response.statusCode ?? 0, bodyText: await readBody(response) };
  } catch (error) {
    throw transportFailure(error, request.signal, progress.connected);
  }
}

function send(request: HttpRequest, progress: { connected: boolean }): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const secure = request.url.protocol === 'https:';
    const length = request.body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(request.body)) };
    const outgoing = (secure ? https : http).request(request.url, {
      method: request.method,
      headers: { ...request.headers, ...length },
      agent: false,
      signal: request.signal,
      ...(request.caPem === undefined ? {} : { ca: request.caPem }),
    });
    outgoing.once('socket', (socket) => {
      socket.setKeepAlive(true, KEEP_ALIVE_MILLIS);
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        progress.connected = true;
      });
    });
    outgoing.once('response', resolve);
    outgoing.on('error', reject);
    outgoing.end(request.body);
  });
}

async function readBody(response: http.IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response) {
    if (!(chunk instanceof Uint8Array)) continue;
    sizeBytes += chunk.byteLength;
    if (sizeBytes > MAX_BODY_BYTES) throw new TransportFailure('overlong', `over ${MAX_BODY_BYTES} bytes`, true);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function transportFailure(error: unknown, signal: AbortSignal, connected: boolean): TransportFailure {
  if (error instanceof TransportFailure) return error;
  const code = codeOf(error);
  if (signal.aborted) return new TransportFailure('timeout', 'time limit', connected);
  return new TransportFailure(connected ? 'lost' : 'unreached', code, connected);
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return 'unknown';
  // A name with several addresses fails with one error for each; its code alone would be that of the first.
  if (error instanceof AggregateError && new Set(error.errors.map(codeOf)).size > 1) return 'SEVERAL';
  return typeof error.code === 'string' && /^[A-Z0-9_]{1,60}$/.test(error.code) ? error.code : 'unknown';
}
