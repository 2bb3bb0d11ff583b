import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Counters, RequestOutcome } from './control/counters.ts';
import type { FaultDecision, FaultKind, Faults, RequestFacts } from './control/faults.ts';
import type { Observers } from './control/observers.ts';
import { handlers } from './operations/handlers.ts';
import { requireExpectedOwners } from './operations/owner.ts';
import type { Context, Reply, S3Request, StreamedBody } from './protocol/exchange.ts';
import { parseTarget, requireUnderstood, resolveOperation } from './protocol/route.ts';
import { S3Error } from './protocol/s3-error.ts';
import { bodyBytes, errorDocument, errorReply, sendStreamed, sendWhole } from './protocol/send.ts';

interface Control {
  readonly faults: Faults;
  readonly counters: Counters;
  readonly observers: Observers;
}

/** A request after its first look: understood, or with the error that says why not. */
type Received = { readonly request: S3Request } | { readonly refusal: unknown };

const faultErrors: Readonly<Partial<Record<FaultKind, S3Error>>> = {
  slowDown: new S3Error('SlowDown', 'Please reduce your request rate.'),
  internalError: new S3Error('InternalError', 'We encountered an internal error. Please try again.'),
  accessDenied: new S3Error('AccessDenied', 'Access Denied'),
  conflict: new S3Error(
    'ConditionalRequestConflict',
    'The conditional request cannot succeed due to a conflicting operation against this resource.',
  ),
};

let lastRequestNumber = 0;

/** One request from its first look to its response, through faults, observers and counters. */
export async function exchange(
  message: IncomingMessage,
  response: ServerResponse,
  context: Context,
  control: Control,
): Promise<void> {
  lastRequestNumber += 1;
  const requestId = lastRequestNumber.toString(16).toUpperCase().padStart(16, '0');
  const received = receive(message);
  const facts = factsOf(message, received);
  const decision = control.faults.decide(facts);
  await decision.holdBefore?.();
  if (decision.fault === 'reset') {
    message.socket.resetAndDestroy();
    await finish({ ...facts, status: 0, answered: false, bytesIn: 0, bytesOut: 0 }, control);
    return;
  }
  const reply = await work(received, facts, context, { control, decision, message, requestId });
  await decision.holdAfter?.();
  const bytesIn = 'request' in received ? received.request.meter.bytesIn : 0;
  const outcome = { ...facts, status: reply.status, answered: decision.fault !== 'loseResponse', bytesIn, bytesOut: 0 };
  const { body } = reply;
  if (!outcome.answered) {
    if (isStreamed(body)) body.done();
    message.socket.resetAndDestroy();
    await finish(outcome, control);
  } else if (isStreamed(body)) {
    await sendStreamed(response, { ...reply, body }, requestId, (bytesOut) =>
      finish({ ...outcome, bytesOut }, control),
    );
  } else {
    await finish({ ...outcome, bytesOut: message.method === 'HEAD' ? 0 : bodyBytes(reply) }, control);
    sendWhole(response, reply, requestId);
  }
}

function receive(message: IncomingMessage): Received {
  try {
    const { url = '/', method = 'GET', headers } = message;
    const target = parseTarget(url);
    const operation = resolveOperation(method, target, headers);
    requireUnderstood(operation, target, headers);
    return { request: { ...target, operation, headers, body: message, meter: { bytesIn: 0 } } };
  } catch (refusal) {
    return { refusal };
  }
}

function factsOf({ headers }: IncomingMessage, received: Received): RequestFacts {
  const caller = /(?:^|\s)rankvault\/(\S+)/.exec(headers['user-agent'] ?? '')?.[1] ?? 'other';
  if ('refusal' in received) return { operation: 'Unknown', bucket: '', key: '', caller };
  const { operation, bucket, key } = received.request;
  return { operation, bucket, key, caller };
}

interface Circumstances {
  readonly control: Control;
  readonly decision: FaultDecision;
  readonly message: IncomingMessage;
  readonly requestId: string;
}

async function work(
  received: Received,
  facts: RequestFacts,
  context: Context,
  { control, decision, message, requestId }: Circumstances,
): Promise<Reply> {
  try {
    await control.observers.before(facts);
    if ('refusal' in received) throw received.refusal;
    const { fault } = decision;
    const error = fault === undefined ? undefined : faultErrors[fault];
    if (error !== undefined) throw error;
    if (fault === 'errorInBody') return errorInBody();
    requireExpectedOwners(received.request);
    return await handlers[received.request.operation](received.request, context);
  } catch (error) {
    // Not hidden in a response that a retry may swallow: this is a defect of the server.
    if (!(error instanceof S3Error)) console.error(error);
    return errorReply(error, message.url ?? '/', requestId);
  }
}

function errorInBody(): Reply {
  const error = new S3Error('InternalError', 'We encountered an internal error. Please try again.');
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: errorDocument(error) };
}

function isStreamed(body: Reply['body']): body is StreamedBody {
  return body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body);
}

async function finish(outcome: RequestOutcome, { counters, observers }: Control): Promise<void> {
  counters.record(outcome);
  await observers.after(outcome);
}
