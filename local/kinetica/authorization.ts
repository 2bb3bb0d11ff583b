import { createHash, timingSafeEqual } from 'node:crypto';

export type LocalCredentials = { readonly user: string; readonly password: string } | { readonly token: string };

/** Without credentials the stand-in has authentication off, as a server may have. */
export function isAuthorized(header: string | undefined, credentials: LocalCredentials | undefined): boolean {
  if (credentials === undefined) return true;
  const expected =
    'token' in credentials
      ? `Bearer ${credentials.token}`
      : `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}`;
  return timingSafeEqual(digest(header ?? ''), digest(expected));
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}
