import type * as z from 'zod/mini';
import { RankvaultError } from '../../core/errors.ts';
import { ControlAmbiguous } from '../../core/ports/cluster-control.ts';
import type { KineticaRequest, ProbeCall, ProbeResult, WorkCall } from './client-calls.ts';
import {
  assertCaPem,
  assertSendable,
  DEFAULT_TIME_LIMITS,
  type KineticaClientOptions,
  type TimeLimits,
} from './client-options.ts';
import { exchange, type HttpReply, type HttpRequest, TransportFailure } from './http-exchange.ts';
import { KineticaReplyInvalid, KineticaUnavailable } from './kinetica-errors.ts';
import { endpointUrl, parseBaseUrl, shownUrl } from './kinetica-urls.ts';
import { authorizationHeader, Redactor } from './redactor.ts';
import { interpretReply, type ReplyMeaning } from './reply.ts';
import { type CallContext, errorForReply, errorForTransport } from './reply-errors.ts';

/** Pauses before the second, third and fourth try of a read. */
const READ_PAUSES_MILLIS = [250, 1_000, 4_000];

/** Enough to recognize an error page. */
const REPLY_START_BYTES = 1_024;

/** The part of Kinetica's REST interface that is safe to share: one request in, a parsed record or a named error out. */
export class KineticaClient {
  readonly baseUrl: URL;
  readonly timeLimits: TimeLimits;
  readonly #options: KineticaClientOptions;
  readonly #redactor = new Redactor();

  /** @throws KineticaConfigInvalid */
  constructor(options: KineticaClientOptions) {
    this.baseUrl = parseBaseUrl(options.baseUrl);
    this.timeLimits = { ...DEFAULT_TIME_LIMITS, ...options.timeLimits };
    this.#options = options;
    if (options.caPem !== undefined) assertCaPem(options.caPem);
  }

  /** Asks a question, again after a pause while the server is unavailable. For endpoints that start nothing. */
  async read<S extends z.ZodMiniType>(endpoint: string, request: KineticaRequest, schema: S): Promise<z.output<S>> {
    for (const pauseMillis of READ_PAUSES_MILLIS) {
      try {
        return await this.#readOnce(endpoint, request, schema);
      } catch (error) {
        if (!(error instanceof KineticaUnavailable)) throw error;
        await (this.#options.sleep ?? pause)(pauseMillis);
      }
    }
    return this.#readOnce(endpoint, request, schema);
  }

  /**
   * Sends one request that starts work, once: such calls are not idempotent.
   * @throws ControlAmbiguous it may have been carried out, or may yet be; any other error: it was not
   */
  async startWork(call: WorkCall): Promise<void> {
    const group = call.group === undefined ? {} : { 'X-Kinetica-Group': call.group };
    const headers = { ...(await this.#headers(true)), ...group };
    const url = endpointUrl(this.baseUrl, call.endpoint);
    const body = JSON.stringify(call.request);
    const reply = await this.#exchange({ url, method: 'POST', headers, body }, call.limitMillis).catch((error) => {
      const named = this.#transportError(error, call.endpoint);
      throw error instanceof TransportFailure && error.mayHaveArrived ? this.#ambiguous(call.endpoint, named) : named;
    });
    const meaning = this.#interpret(reply);
    if (meaning.kind === 'ok') return;
    const named = errorForReply(meaning, this.#context(call.endpoint, reply));
    const indefinite = meaning.kind === 'unavailable' || meaning.kind === 'invalid';
    throw indefinite ? this.#ambiguous(call.endpoint, named) : named;
  }

  /** For texts of the server that leave this module otherwise than in an error. */
  redact(text: string): string {
    return this.#redactor.redact(text);
  }

  /** Looks once whether anything answers; a failure is a result. The body is the server's, not cleaned. */
  async probe(call: ProbeCall): Promise<ProbeResult> {
    const headers = await this.#headers(call.authenticated);
    const body = call.method === 'POST' ? { body: '{}' } : {};
    try {
      const { httpStatus, bodyText } = await this.#exchange(
        { url: call.url, method: call.method, headers, ...body },
        this.timeLimits.probeMillis,
      );
      return { kind: 'answered', httpStatus, bodyText };
    } catch (error) {
      if (!(error instanceof TransportFailure)) throw error;
      if (error.code === 'ECONNREFUSED') return { kind: 'closed' };
      return { kind: 'silent', reason: `${error.kind} (${error.code})` };
    }
  }

  async #readOnce<S extends z.ZodMiniType>(
    endpoint: string,
    request: KineticaRequest,
    schema: S,
  ): Promise<z.output<S>> {
    const headers = await this.#headers(true);
    const url = endpointUrl(this.baseUrl, endpoint);
    const body = JSON.stringify(request);
    const reply = await this.#exchange({ url, method: 'POST', headers, body }, this.timeLimits.readMillis).catch(
      (error) => {
        throw this.#transportError(error, endpoint);
      },
    );
    const meaning = this.#interpret(reply);
    if (meaning.kind !== 'ok') throw errorForReply(meaning, this.#context(endpoint, reply));
    const record = schema.safeParse(meaning.record);
    if (record.success) return record.data;
    // The paths of what does not fit, never the values: those are the server's and may be anything.
    const paths = record.error.issues.slice(0, 5).map((issue) => issue.path.join('.') || 'the record');
    throw new KineticaReplyInvalid(
      `${this.#server()} answered ${endpoint} with unexpected ${this.#short(paths.join(', '))}.`,
      {
        hint: 'Check that the server is Kinetica 7.2; replyStart has the beginning of the answer.',
        replyStart: this.#context(endpoint, reply).replyStart,
      },
    );
  }

  #exchange(request: Omit<HttpRequest, 'signal' | 'caPem'>, limitMillis: number): Promise<HttpReply> {
    const signal = (this.#options.timeLimit ?? AbortSignal.timeout)(limitMillis);
    const ca = this.#options.caPem === undefined ? {} : { caPem: this.#options.caPem };
    return exchange({ ...request, ...ca, signal });
  }

  async #headers(authenticated: boolean): Promise<Record<string, string>> {
    const plain = { 'Content-Type': 'application/json', Accept: 'application/json' };
    const credentials = authenticated ? await this.#options.credentials?.() : undefined;
    if (credentials === undefined) return plain;
    this.#redactor.remember(credentials);
    assertSendable(credentials);
    return { ...plain, Authorization: authorizationHeader(credentials) };
  }

  /** Every text of the server is cleaned here, before anything else sees it. */
  #interpret(reply: HttpReply): ReplyMeaning {
    const meaning = interpretReply(reply);
    if (meaning.kind === 'refused') return { ...meaning, serverMessage: this.#short(meaning.serverMessage) };
    if ('reason' in meaning) return { ...meaning, reason: this.#short(meaning.reason) };
    return meaning;
  }

  #short(text: string): string {
    return this.#redactor.redact(text).slice(0, REPLY_START_BYTES);
  }

  #context(endpoint: string, reply: HttpReply): CallContext {
    // Cleaned first and cut then: a secret on the edge would otherwise leave half of itself.
    const replyStart = Buffer.from(this.#redactor.redact(reply.bodyText))
      .subarray(0, REPLY_START_BYTES)
      .toString('utf8');
    return { server: this.#server(), endpoint, replyStart };
  }

  #server(): string {
    return `Kinetica at ${shownUrl(this.baseUrl)}`;
  }

  #transportError(error: unknown, endpoint: string): unknown {
    return error instanceof TransportFailure ? errorForTransport(error, { server: this.#server(), endpoint }) : error;
  }

  #ambiguous(endpoint: string, cause: unknown): ControlAmbiguous {
    const why = cause instanceof RankvaultError ? cause.problem : 'The answer was lost.';
    return new ControlAmbiguous(`${endpoint} was sent and may have been carried out: ${why}`, {
      hint: 'Do not send it again; assume that the cluster is in backup mode and release it until it is seen in normal mode.',
      cause,
    });
  }
}

function pause(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}
