import type { RankvaultError } from '../../core/errors.ts';
import type { TransportFailure } from './http-exchange.ts';
import {
  KineticaConfigInvalid,
  KineticaRefused,
  KineticaReplyInvalid,
  KineticaUnauthorized,
  KineticaUnavailable,
  KineticaUnsupported,
} from './kinetica-errors.ts';
import type { ReplyMeaning } from './reply.ts';

/** What was asked of whom. All texts are free of credentials already. */
export interface CallContext {
  /** `Kinetica at <base URL>`. */
  readonly server: string;
  readonly endpoint: string;
  /** First kilobyte of the body. */
  readonly replyStart: string;
}

const TRY_AGAIN =
  'Try again; if it persists, check that the cluster runs and that its proxy and firewall let this function in.';

/** Codes of Node for a certificate that did not convince; nothing was sent then. */
const CERTIFICATE_CODE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|^ERR_SSL_|^EPROTO$/;

export function errorForReply(meaning: Exclude<ReplyMeaning, { kind: 'ok' }>, call: CallContext): RankvaultError {
  const { server, endpoint, replyStart } = call;
  switch (meaning.kind) {
    case 'refused':
      return new KineticaRefused(`${server} refused ${endpoint}: ${meaning.serverMessage || '(no message)'}.`, {
        hint: "Look at the message and at the server's log; repeating the call cannot help.",
        serverMessage: meaning.serverMessage,
      });
    case 'unauthorized':
      return new KineticaUnauthorized(`${server} rejected the credentials for ${endpoint}.`, {
        hint: "Put a user with system_admin, or a valid token, into the cluster's secret.",
      });
    case 'unsupported':
      return new KineticaUnsupported(`${server} has no ${endpoint} (HTTP 404).`, {
        hint: 'Check the path in the base URL (/gpudb-0 behind the bundled proxy) and the server version.',
      });
    case 'redirected':
      return new KineticaReplyInvalid(`${server} redirects ${endpoint}; redirects are not followed with credentials.`, {
        hint: 'Set the base URL to where it redirects, usually https instead of http.',
        replyStart,
      });
    case 'unavailable':
      return new KineticaUnavailable(`${server} is not available for ${endpoint}: ${meaning.reason}.`, {
        hint: TRY_AGAIN,
      });
    case 'invalid':
      return new KineticaReplyInvalid(
        `${server} answered ${endpoint} with something else than documented: ${meaning.reason}.`,
        {
          hint: 'Check that the base URL points to Kinetica itself and not to a login page; replyStart has the beginning.',
          replyStart,
        },
      );
    default:
      return meaning satisfies never;
  }
}

export function errorForTransport(failure: TransportFailure, call: Omit<CallContext, 'replyStart'>): RankvaultError {
  const { server, endpoint } = call;
  if (failure.kind === 'unreached' && CERTIFICATE_CODE.test(failure.code)) {
    return new KineticaConfigInvalid(`TLS with ${server} failed before ${endpoint} was sent (${failure.code}).`, {
      hint: "Set the CA that signed the server's certificate, and a base URL with the certificate's host name.",
    });
  }
  if (failure.kind === 'overlong') {
    return new KineticaReplyInvalid(`${server} answered ${endpoint} with a body of ${failure.code}.`, {
      hint: 'Check that the base URL points to Kinetica itself.',
      replyStart: '',
    });
  }
  const what = { unreached: 'could not be reached', lost: 'closed the connection', timeout: 'did not answer in time' };
  return new KineticaUnavailable(`${server} ${what[failure.kind]} for ${endpoint} (${failure.code}).`, {
    hint: TRY_AGAIN,
  });
}
