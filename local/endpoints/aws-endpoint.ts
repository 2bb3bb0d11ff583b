// cspell:words errortype
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type JsonObject, type JsonValue, parseJson } from '../workflow/json.ts';
import type { WorkflowRuntime } from '../workflow/runtime.ts';
import { ApiError, notImplemented } from './api-error.ts';
import type { LocalScheduler } from './local-scheduler.ts';
import { type RequestCount, RequestLedger } from './request-ledger.ts';
import { schedulerApi, schedulerOperation } from './scheduler-api.ts';
import { secretsApi } from './secrets-api.ts';
import { stepFunctionsApi } from './step-functions-api.ts';

interface AwsEndpointOptions {
  readonly runtime: WorkflowRuntime;
  readonly scheduler: LocalScheduler;
  /** Secret strings by name. */
  readonly secrets?: ReadonlyMap<string, string>;
}

export interface AwsEndpoint {
  /** `http://127.0.0.1:<port>`: for Step Functions, Scheduler and Secrets Manager alike. */
  readonly url: string;
  requests(): readonly RequestCount[];
  close(): Promise<void>;
}

/** A request, understood as far as to know which operation of which service it is. */
interface Call {
  /** `states:StartExecution` */
  readonly operation: string;
  readonly run: () => JsonObject;
}

/**
 * Step Functions (JSON 1.0), Scheduler (REST JSON) and Secrets Manager (JSON 1.1) on one loopback port, as much of
 * them as the project calls; anything else is 501 by name. Signatures are not checked.
 */
export async function startAwsEndpoint(options: AwsEndpointOptions): Promise<AwsEndpoint> {
  const ledger = new RequestLedger();
  const route = createRouter(options);
  const server = createServer((request, response) => void answer(request, response, { route, ledger }));
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => ledger.counts(),
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

type Route = (request: IncomingMessage, body: string) => Call;

function createRouter({ runtime, scheduler, secrets = new Map() }: AwsEndpointOptions): Route {
  const states = stepFunctionsApi(runtime);
  const secretsmanager = secretsApi(secrets);
  const schedules = schedulerApi(scheduler);
  return (request, body) => {
    const [service, name = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
    if (service === 'AWSStepFunctions') {
      return { operation: `states:${name}`, run: () => states(name, json(body)) };
    }
    if (service === 'secretsmanager') {
      return { operation: `secretsmanager:${name}`, run: () => secretsmanager(name, json(body)) };
    }
    const method = request.method ?? 'GET';
    const url = new URL(request.url ?? '/', 'http://localhost');
    const scheduling = schedulerOperation({ method, url });
    const operation = scheduling === undefined ? `${method} ${url.pathname}` : `scheduler:${scheduling}`;
    return {
      operation,
      run: () => {
        if (scheduling === undefined) throw notImplemented(operation);
        return schedules(scheduling, { method, url, body: json(body) });
      },
    };
  };
}

interface Desk {
  readonly route: Route;
  readonly ledger: RequestLedger;
}

async function answer(request: IncomingMessage, response: ServerResponse, { route, ledger }: Desk): Promise<void> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const call = route(request, Buffer.concat(chunks).toString());
    ledger.note(call.operation, request.headers['user-agent']);
    send(response, 200, call.run());
  } catch (error) {
    const known = error instanceof ApiError ? error : new ApiError('InternalFailure', String(error), 500);
    response.setHeader('x-amzn-errortype', known.errorType);
    send(response, known.statusCode, { __type: known.errorType, message: known.message, Message: known.message });
  }
}

function send(response: ServerResponse, statusCode: number, body: JsonObject): void {
  response.writeHead(statusCode, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function json(body: string): JsonValue {
  return body === '' ? {} : parseJson(body);
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The endpoint has no port. Start it again.');
  return address.port;
}
