import { type ErrorDetails, RankvaultError } from '../../core/errors.ts';

/** No answer, or one that says the server is dying, draining or absent behind its proxy. The listed name is retried by workflows. */
export class KineticaUnavailable extends RankvaultError {
  override readonly name = 'KineticaUnavailable';
  readonly family = 'transient';
}

/** The server understood the request and said no; `serverMessage` is its text, without credentials. */
export class KineticaRefused extends RankvaultError {
  override readonly name = 'KineticaRefused';
  readonly family = 'fatal';
  readonly serverMessage: string;

  constructor(problem: string, details: ErrorDetails & { readonly serverMessage: string }) {
    super(problem, details);
    this.serverMessage = details.serverMessage;
  }
}

/** 401 by the server or 403 by its proxy. Never retried: repeated failures can lock an account. */
export class KineticaUnauthorized extends RankvaultError {
  override readonly name = 'KineticaUnauthorized';
  readonly family = 'fatal';
}

/** 404: this server version has no such endpoint, or the base URL has the wrong path prefix. */
export class KineticaUnsupported extends RankvaultError {
  override readonly name = 'KineticaUnsupported';
  readonly family = 'fatal';
}

/** An answer that is not what the endpoint documents; `replyStart` is its first kilobyte, without credentials. */
export class KineticaReplyInvalid extends RankvaultError {
  override readonly name = 'KineticaReplyInvalid';
  readonly family = 'fatal';
  readonly replyStart: string;

  constructor(problem: string, details: ErrorDetails & { readonly replyStart: string }) {
    super(problem, details);
    this.replyStart = details.replyStart;
  }
}

/** A base URL, CA or credential that cannot be used; found before anything is sent. */
export class KineticaConfigInvalid extends RankvaultError {
  override readonly name = 'KineticaConfigInvalid';
  readonly family = 'fatal';
}

/** No step of the topology recipe named a single worker rank. */
export class KineticaTopologyUnknown extends RankvaultError {
  override readonly name = 'KineticaTopologyUnknown';
  readonly family = 'fatal';
}
