import { secretPattern } from './secret-pattern.ts';

/** Credentials of one cluster, as its secret holds them. */
export type KineticaCredentials = { readonly user: string; readonly password: string } | { readonly token: string };

/**
 * Any HTTP credential, also one that we did not send: a server may echo somebody else's. A digit, a capital or padding tells
 * a value from prose such as "basic authentication required".
 */
const AUTHORIZATION_VALUE =
  /\b(basic|Basic|BASIC|bearer|Bearer|BEARER)(?:\s+|%20)(?=[\w+/.~%-]*[\dA-Z=])[\w+/=.~%-]{6,}/g;

const REPLACEMENT = '[redacted]';

/**
 * Keeps credentials out of every text that leaves the client. It remembers each credential that was ever used, because a
 * late error may still quote the one before a rotation.
 */
export class Redactor {
  readonly #patterns = new Map<string, RegExp>();

  remember(credentials: KineticaCredentials): void {
    const plain = 'token' in credentials ? credentials.token : credentials.password;
    if (plain === '') return;
    const secrets = [plain, Buffer.from(plain, 'utf8').toString('base64')];
    if ('password' in credentials) secrets.push(basicValue(credentials));
    for (const secret of secrets) {
      if (!this.#patterns.has(secret)) this.#patterns.set(secret, secretPattern(secret));
    }
  }

  redact(text: string): string {
    let redacted = text;
    // Longest first: a longer secret may contain a shorter one and has to be found whole.
    const patterns = [...this.#patterns].sort(([a], [b]) => b.length - a.length);
    for (const [, pattern] of patterns) redacted = redacted.replace(pattern, REPLACEMENT);
    return redacted.replace(AUTHORIZATION_VALUE, `$1 ${REPLACEMENT}`);
  }
}

/** The header that carries the credentials (RFC 7617, RFC 6750). */
export function authorizationHeader(credentials: KineticaCredentials): string {
  return 'token' in credentials ? `Bearer ${credentials.token}` : `Basic ${basicValue(credentials)}`;
}

function basicValue(credentials: { readonly user: string; readonly password: string }): string {
  return Buffer.from(`${credentials.user}:${credentials.password}`, 'utf8').toString('base64');
}
