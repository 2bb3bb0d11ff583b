import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** An HTTP server on 127.0.0.1 that can be stopped and started again on the same port. */
export class LoopbackServer {
  readonly #server: Server;
  #port = 0;

  constructor(handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>) {
    this.#server = createServer((request, response) => {
      // What breaks a request breaks its connection, as a dying server does.
      handle(request, response).catch(() => request.socket.destroy());
    });
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    if (this.#server.listening) return;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const address = this.#server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
  }

  /** Breaks open connections. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  breakConnections(): void {
    this.#server.closeAllConnections();
  }
}

/** Requests of the endpoints are tiny; a larger one is not meant for them. */
const MAX_REQUEST_BYTES = 1024 * 1024;

export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Uint8Array)) continue;
    sizeBytes += chunk.byteLength;
    if (sizeBytes > MAX_REQUEST_BYTES)
      throw new Error('The request body is over 1 MiB. Send the documented fields only.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function reply(
  response: ServerResponse,
  answer: { readonly httpStatus: number; readonly body: string },
  contentType: string,
): void {
  response.writeHead(answer.httpStatus, { 'Content-Type': contentType });
  response.end(answer.body);
}
