import * as z from 'zod/mini';
import type { ProbeResult } from './client-calls.ts';
import { tryParseJson, unpackJson } from './json-text.ts';
import type { KineticaClient } from './kinetica-client.ts';

/** What the host manager's `/` shows: plain JSON without the envelope. */
export type HostManagerAnswer =
  | { readonly kind: 'answered'; readonly record: HostManagerRecord }
  | { readonly kind: 'closed' }
  | { readonly kind: 'silent'; readonly reason: string };

export type HostManagerRecord = z.output<typeof recordSchema>;

const recordSchema = z.looseObject({
  cluster_operation: z.optional(z.string()),
  system_status: z.optional(z.string()),
  version: z.optional(z.string()),
});

/**
 * Asks by POST, as the vendor's agent does, then by GET, as its notes say. Optional: often behind a firewall, so every failure
 * is an answer.
 */
export async function askHostManager(client: KineticaClient, url: URL): Promise<HostManagerAnswer> {
  // No authentication is needed there; credentials go only where the proxy of the head itself asks for them.
  const authenticated = url.origin === client.baseUrl.origin;
  const asked = new URL(url);
  if (asked.pathname !== '/') asked.pathname = `${asked.pathname}/`;
  const posted = await client.probe({ url: asked, method: 'POST', authenticated });
  const answer = readAnswer(posted);
  if (posted.kind !== 'answered' || answer.kind === 'answered') return answer;
  return readAnswer(await client.probe({ url: asked, method: 'GET', authenticated }));
}

function readAnswer(result: ProbeResult): HostManagerAnswer {
  if (result.kind !== 'answered') return result;
  const body = tryParseJson(result.bodyText);
  const wrapped = z.looseObject({ data_str: z.unknown() }).safeParse(body);
  const record = recordSchema.safeParse(wrapped.success ? unpackJson(wrapped.data.data_str) : body);
  const success = result.httpStatus >= 200 && result.httpStatus < 300;
  if (success && record.success && (record.data.system_status ?? record.data.cluster_operation) !== undefined) {
    return { kind: 'answered', record: record.data };
  }
  return { kind: 'silent', reason: `HTTP ${result.httpStatus} without the documented fields` };
}
