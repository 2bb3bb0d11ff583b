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

/** Somebody who wants to know of every request. An ApiError thrown before the work is the answer. */
export interface AwsObserver {
  before?(operation: string): void;
  /** The work is done, and the client does not know yet. */
  after?(operation: string): void;
}

export interface AwsEndpoint {
  /** `http://127.0.0.1:<port>`: for Step Functions, Scheduler and Secrets Manager alike. */
  readonly url: string;
  requests(): readonly RequestCount[];
  /** Calls the observer around each request, until the returned function is called. */
  observe(observer: AwsObserver): () => void;
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
  const observers = new Set<AwsObserver>();
  const desk: Desk = { route: createRouter(options), ledger, observers };
  const server = createServer((request, response) => void answer(request, response, desk));
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => ledger.counts(),
    observe: (observer) => {
      observers.add(observer);
      return () => void observers.delete(observer);
    },
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
  readonly observers: ReadonlySet<AwsObserver>;
}

async function answer(request: IncomingMessage, response: ServerResponse, desk: Desk): Promise<void> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { operation, run } = desk.route(request, Buffer.concat(chunks).toString());
    desk.ledger.note(operation, request.headers['user-agent']);
    for (const observer of desk.observers) observer.before?.(operation);
    const body = run();
    for (const observer of desk.observers) observer.after?.(operation);
    send(response, 200, body);
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
