import { KineticaConfigInvalid } from './kinetica-errors.ts';

/** `host_manager_http_port` unless configured otherwise. */
export const DEFAULT_HOST_MANAGER_PORT = 9300;

const HINT = 'Set baseUrl to something like https://db.example.com:8082/gpudb-0, with credentials only in the secret.';

/**
 * Any path prefix is kept and trailing slashes go: endpoints are appended verbatim. No scheme is refused, because guessing one
 * could send credentials in the clear. The text is never quoted: it may hold a password.
 * @throws KineticaConfigInvalid
 */
export function parseBaseUrl(text: string): URL {
  if (!/^https?:\/\//i.test(text)) {
    throw new KineticaConfigInvalid('The Kinetica base URL does not start with http:// or https://.', { hint: HINT });
  }
  if (!URL.canParse(text)) throw new KineticaConfigInvalid('The Kinetica base URL is not a URL.', { hint: HINT });
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    throw new KineticaConfigInvalid('The Kinetica base URL contains a user or a password.', { hint: HINT });
  }
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(text)) {
    throw new KineticaConfigInvalid('The Kinetica base URL contains a query or a fragment.', { hint: HINT });
  }
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}

/** `endpoint` starts with a slash. */
export function endpointUrl(base: URL, endpoint: string): URL {
  const url = new URL(base);
  url.pathname = `${base.pathname === '/' ? '' : base.pathname}${endpoint}`;
  return url;
}

/** For messages: without the slash that a URL without a path prints. */
export function shownUrl(base: URL): string {
  return base.href.replace(/\/$/, '');
}

/**
 * The host manager of a head: behind a proxy the last segment of the head's path becomes `gpudb-host-manager` (the rule of
 * the official clients); without a path it is the same host on a port of its own.
 */
export function hostManagerUrl(head: URL, port: number): URL {
  const url = new URL(head);
  if (head.pathname === '/') url.port = String(port);
  else url.pathname = head.pathname.replace(/[^/]+$/, 'gpudb-host-manager');
  return url;
}
