import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export type ScriptedAnswer =
  | { readonly httpStatus: number; readonly body: string; readonly headers?: Record<string, string> }
  | 'destroy'
  | 'hang';

export interface ScriptedServer {
  readonly origin: string;
  readonly seen: readonly SeenRequest[];
  close(): Promise<void>;
}

/** Answers every request with what the script says, literally; for replies that no well-behaved server sends. */
export async function startScriptedServer(
  script: (request: SeenRequest, number: number) => ScriptedAnswer,
  tls?: { readonly key: string; readonly cert: string },
): Promise<ScriptedServer> {
  const seen: SeenRequest[] = [];
  const handle = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const chunks: string[] = [];
    for await (const chunk of request) chunks.push(String(chunk));
    const { method = '', url: path = '', headers } = request;
    const entry = { method, path, headers, body: chunks.join('') };
    seen.push(entry);
    const answer = script(entry, seen.length);
    if (answer === 'destroy') request.socket.destroy();
    else if (answer !== 'hang') response.writeHead(answer.httpStatus, answer.headers ?? {}).end(answer.body);
  };
  const listener = (request: http.IncomingMessage, response: http.ServerResponse) => {
    handle(request, response).catch(() => request.socket.destroy());
  };
  const server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${portOf(server.address())}`,
    seen,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === 'string') throw new Error('The server does not listen on a port.');
  return address.port;
}

/** The documented envelope around a record. */
export function okEnvelope(record: unknown): ScriptedAnswer {
  return {
    httpStatus: 200,
    body: JSON.stringify({
      status: 'OK',
      message: '',
      data_type: 'x_response',
      data: '',
      data_str: JSON.stringify(record),
    }),
  };
}

export function errorEnvelope(httpStatus: number, message: string): ScriptedAnswer {
  return {
    httpStatus,
    body: JSON.stringify({ status: 'ERROR', message, data_type: 'none', data: '', data_str: '' }),
  };
}

/** What a call throws; fails the test when it throws nothing. */
export async function thrownBy(call: () => Promise<unknown>): Promise<unknown> {
  let result: unknown;
  try {
    result = await call();
  } catch (error) {
    return error;
  }
  throw new Error(`Nothing was thrown; the call returned ${JSON.stringify(result)}.`);
}
