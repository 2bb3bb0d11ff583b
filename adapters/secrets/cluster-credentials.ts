import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod/mini';
import { ConfigInvalid } from '../../core/errors.ts';
import type { KineticaCredentials } from '../kinetica/redactor.ts';

const secretSchema = z.union([z.object({ user: z.string(), password: z.string() }), z.object({ token: z.string() })]);

/** Reads the cluster's secret whenever it is needed, so that a rotation takes effect; its value is never part of an error. */
export class ClusterCredentials {
  readonly #client: SecretsManagerClient;
  readonly #secretId: string;

  constructor(options: { readonly caller: string; readonly endpoint?: string; readonly secretId: string }) {
    this.#secretId = options.secretId;
    this.#client = new SecretsManagerClient({
      customUserAgent: [['rankvault', options.caller]],
      ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    });
  }

  async read(): Promise<KineticaCredentials> {
    const { SecretString } = await this.#client.send(new GetSecretValueCommand({ SecretId: this.#secretId }));
    const parsed = secretSchema.safeParse(parseOrUndefined(SecretString));
    if (!parsed.success) {
      throw new ConfigInvalid(`The secret ${this.#secretId} is neither {"user","password"} nor {"token"}.`, {
        hint: 'Store one of the two as JSON text in Secrets Manager.',
      });
    }
    return parsed.data;
  }
}

function parseOrUndefined(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
