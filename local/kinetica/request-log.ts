import type { IncomingMessage } from 'node:http';

/** A request as it came, without its credentials. */
interface RecordedRequest {
  readonly server: 'head' | 'host_manager';
  readonly method: string;
  readonly path: string;
  readonly bodyText: string;
  readonly contentType: string | undefined;
  readonly accept: string | undefined;
  /** `X-Kinetica-Group`. */
  readonly group: string | undefined;
  readonly authorization: 'none' | 'basic' | 'bearer' | 'other';
  readonly atEpochMillis: number;
}

/** Kept for looking at; the counts are of all. */
const KEPT_REQUESTS = 1_000;

export class RequestLog {
  readonly #recent: RecordedRequest[] = [];
  readonly #counts = new Map<string, number>();

  add(request: RecordedRequest): void {
    this.#recent.push(request);
    if (this.#recent.length > KEPT_REQUESTS) this.#recent.shift();
    const key = `${request.server} ${request.path}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** The latest, oldest first. */
  get recent(): readonly RecordedRequest[] {
    return this.#recent;
  }

  /** Requests to a path, on the head unless said otherwise. */
  count(path: string, server: RecordedRequest['server'] = 'head'): number {
    return this.#counts.get(`${server} ${path}`) ?? 0;
  }

  /** By server and path, for pricing and for the reader of a demonstration. */
  counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}

export function recordedRequest(
  request: IncomingMessage,
  where: { readonly server: RecordedRequest['server']; readonly path: string; readonly bodyText: string },
  atEpochMillis: number,
): RecordedRequest {
  const scheme = (request.headers.authorization ?? 'none').split(' ')[0]?.toLowerCase();
  const group = request.headers['x-kinetica-group'];
  return {
    ...where,
    method: request.method ?? '',
    contentType: request.headers['content-type'],
    accept: request.headers.accept,
    group: Array.isArray(group) ? group.join(',') : group,
    authorization: scheme === 'none' || scheme === 'basic' || scheme === 'bearer' ? scheme : 'other',
    atEpochMillis,
  };
}
