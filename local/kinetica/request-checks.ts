import * as z from 'zod/mini';

/** Why a request is turned away. */
interface Rejection {
  readonly httpStatus: number;
  readonly message: string;
}

interface CheckedRequest {
  readonly options: { readonly properties?: string | undefined };
  readonly historyIndex: number;
}

/** Documented fields and option keys of every endpoint that the stand-in has. */
const ENDPOINTS: Readonly<Record<string, { readonly fields: readonly string[]; readonly options: readonly string[] }>> =
  {
    '/show/system/properties': { fields: ['options'], options: ['properties'] },
    '/show/system/status': { fields: ['options'], options: [] },
    '/admin/show/shards': { fields: ['options'], options: [] },
    '/admin/show/cluster/operations': { fields: ['history_index', 'options'], options: [] },
    '/admin/backup/begin': { fields: ['options'], options: [] },
    '/admin/backup/end': { fields: ['options'], options: [] },
  };

/** Accepted by every endpoint: a free tag for the job list. */
const COMMON_OPTIONS = ['job_user_data'];

const bodySchema = z.looseObject({ options: z.optional(z.unknown()), history_index: z.optional(z.unknown()) });
const optionsSchema = z.record(z.string(), z.unknown());
const stringMap = z.catchall(z.object({ properties: z.optional(z.string()) }), z.string());
const int = z.int();

export interface IncomingCall {
  readonly endpoint: string;
  readonly method: string;
  readonly contentType: string;
  readonly bodyText: string;
}

/** Stricter than a live server, which tolerates some absent fields: what passes here keeps to the documentation. */
export function checkRequest(call: IncomingCall): CheckedRequest | Rejection {
  const endpoint = ENDPOINTS[call.endpoint];
  if (endpoint === undefined) return { httpStatus: 404, message: `Unknown URI: ${call.endpoint}` };
  if (call.method !== 'POST') return { httpStatus: 405, message: `${call.endpoint} takes POST, not ${call.method}` };
  if (!/^application\/json\b/i.test(call.contentType)) return reject('Content-Type is not application/json');
  const body = bodySchema.safeParse(parse(call.bodyText));
  if (!body.success) return reject('The body is not a JSON object');
  const given = Object.keys(body.data);
  const missing = endpoint.fields.find((field) => !given.includes(field));
  if (missing !== undefined) return reject(`Missing field: ${missing}`);
  const unknown = given.find((field) => !endpoint.fields.includes(field));
  if (unknown !== undefined) return reject(`Unknown field: ${unknown}`);
  const historyIndex = int.safeParse(body.data.history_index ?? 0);
  if (!historyIndex.success) return reject('history_index is not an int');
  const options = checkOptions(body.data.options, [...endpoint.options, ...COMMON_OPTIONS]);
  return 'message' in options ? options : { options: options.options, historyIndex: historyIndex.data };
}

function checkOptions(value: unknown, known: readonly string[]): Pick<CheckedRequest, 'options'> | Rejection {
  const any = optionsSchema.safeParse(value);
  if (!any.success) return reject('options is not a map');
  const unknown = Object.keys(any.data).find((key) => !known.includes(key));
  if (unknown !== undefined) return reject(`Unknown option: ${unknown}`);
  const strings = stringMap.safeParse(value);
  return strings.success ? { options: strings.data } : reject('An option value is not a string');
}

function reject(message: string): Rejection {
  return { httpStatus: 400, message };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
