import * as z from 'zod/mini';
import type { HttpReply } from './http-exchange.ts';
import { tryParseJson, unpackJson } from './json-text.ts';

/**
 * What an answer means. Only `ok`, `refused`, `unauthorized`, `unsupported` and `redirected` are definite: after `unavailable`
 * and `invalid` the server may have done what was asked.
 */
export type ReplyMeaning =
  | { readonly kind: 'ok'; readonly record: unknown }
  | { readonly kind: 'refused'; readonly serverMessage: string }
  | { readonly kind: 'unauthorized' }
  | { readonly kind: 'unsupported' }
  | { readonly kind: 'redirected' }
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'invalid'; readonly reason: string };

const envelopeSchema = z.looseObject({
  status: z.string(),
  message: z._default(z.string(), ''),
  data_str: z.optional(z.unknown()),
});

/**
 * Texts with which the official clients give a cluster up (substring match). The only texts that are ever matched: no other
 * wording is documented. The first two are documented with HTTP 400.
 */
const UNAVAILABLE_TEXTS = [
  'System shutting down',
  'Unavailable: Draining HA queue',
  'Kinetica is exiting',
  'Kinetica is offline',
  'system-limited-fatal',
  'Connection refused',
  'Connection reset',
  'Query planner is not running',
  'Unexpected end of file from server',
  'System is offline',
];

/**
 * Reads an answer of an endpoint: the envelope's `status` decides where there is one. HTTP status comes first only where it
 * speaks for a proxy or for the whole request (401, 403, 404, 5xx).
 */
export function interpretReply(reply: HttpReply): ReplyMeaning {
  const byStatus = interpretHttpStatus(reply.httpStatus);
  const envelope = envelopeSchema.safeParse(tryParseJson(reply.bodyText));
  if (!envelope.success) {
    return byStatus ?? { kind: 'invalid', reason: 'the body is not the documented envelope' };
  }
  const { status, message, data_str } = envelope.data;
  // An envelope that says OK is the server's own word, whatever a proxy made of the HTTP status.
  if (status === 'OK') return { kind: 'ok', record: unpackJson(data_str) };
  if (byStatus?.kind === 'unavailable') return { kind: 'unavailable', reason: `${byStatus.reason}, "${message}"` };
  if (byStatus !== undefined) return byStatus;
  if (status !== 'ERROR') return { kind: 'invalid', reason: 'status is neither OK nor ERROR' };
  const text = UNAVAILABLE_TEXTS.find((candidate) => message.includes(candidate));
  return text === undefined ? { kind: 'refused', serverMessage: message } : { kind: 'unavailable', reason: text };
}

function interpretHttpStatus(httpStatus: number): ReplyMeaning | undefined {
  if (httpStatus === 401 || httpStatus === 403) return { kind: 'unauthorized' };
  if (httpStatus === 404) return { kind: 'unsupported' };
  if (httpStatus >= 500) return { kind: 'unavailable', reason: `HTTP ${httpStatus}` };
  // 408 and 429 are a proxy's: too slow, too many.
  if (httpStatus === 408 || httpStatus === 429) return { kind: 'unavailable', reason: `HTTP ${httpStatus}` };
  if (httpStatus >= 300 && httpStatus < 400) return { kind: 'redirected' };
  return undefined;
}
