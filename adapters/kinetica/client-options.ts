import { X509Certificate } from 'node:crypto';
import { KineticaConfigInvalid } from './kinetica-errors.ts';
import type { KineticaCredentials } from './redactor.ts';

export interface KineticaClientOptions {
  /** Head rank, with any path prefix: `http://10.0.0.1:9191`, `https://db.example.com:8082/gpudb-0`. One ring member, never failed over. */
  readonly baseUrl: string;
  /** Asked before each call, so that a rotated secret is used. @default - no Authorization header */
  readonly credentials?: () => Promise<KineticaCredentials | undefined>;
  /** @default - the authorities that Node trusts */
  readonly caPem?: string;
  /** @default - see DEFAULT_TIME_LIMITS */
  readonly timeLimits?: Partial<TimeLimits>;
  /** Pauses between tries of a read. @default - a timer */
  readonly sleep?: (millis: number) => Promise<void>;
  /** Makes the signal that ends a call after so many milliseconds. @default - AbortSignal.timeout */
  readonly timeLimit?: (millis: number) => AbortSignal;
}

export interface TimeLimits {
  readonly readMillis: number;
  /** Liveness looks, which are not repeated. */
  readonly probeMillis: number;
  readonly beginMillis: number;
  readonly endMillis: number;
}

/**
 * The server documents no limit; the official client probes for 5 s. Begin lets running jobs finish and may take long: ten
 * minutes leave a Lambda (15 at most) time to record what happened.
 */
export const DEFAULT_TIME_LIMITS: TimeLimits = {
  readMillis: 30_000,
  probeMillis: 5_000,
  beginMillis: 600_000,
  endMillis: 120_000,
};

const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** TLS itself skips over blocks that it cannot read. @throws KineticaConfigInvalid */
export function assertCaPem(caPem: string): void {
  const blocks = caPem.match(CERTIFICATE_BLOCK) ?? [];
  if (blocks.length > 0 && blocks.every(isCertificate)) return;
  throw new KineticaConfigInvalid('The CA of the Kinetica cluster is not a bundle of PEM certificates.', {
    hint: 'Set it to text that begins with -----BEGIN CERTIFICATE-----.',
  });
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/** @throws KineticaConfigInvalid, without quoting the credentials */
export function assertSendable(credentials: KineticaCredentials): void {
  if ('token' in credentials && !/^[\x21-\x7e]+$/.test(credentials.token)) {
    throw new KineticaConfigInvalid(
      'The token for Kinetica is empty or has blanks, line ends or non-ASCII characters.',
      {
        hint: 'Store the bare token in the secret, without a line end.',
      },
    );
  }
  if ('user' in credentials && (credentials.user === '' || credentials.user.includes(':'))) {
    throw new KineticaConfigInvalid('The user for Kinetica is empty or contains a colon.', {
      hint: 'Correct the user in the secret; HTTP Basic allows no colon in it.',
    });
  }
}
