import { KineticaClient } from '../../adapters/kinetica/kinetica-client.ts';
import { KineticaControl } from '../../adapters/kinetica/kinetica-control.ts';
import { ClusterCredentials } from '../../adapters/secrets/cluster-credentials.ts';
import type { ControlConfig } from '../../core/config/schema.ts';
import type { ClusterControl } from '../../core/ports/cluster-control.ts';
import { environment } from './environment.ts';

/** @returns undefined where the configuration says that there is nobody to ask */
export function openControl(control: ControlConfig): ClusterControl | undefined {
  if (control.kind === 'none') {
    return undefined;
  }
  const { url, secret, caPem, hostManagerPort } = control;
  const client = new KineticaClient({
    baseUrl: url,
    ...(secret === undefined ? {} : { credentials: () => credentialsOf(secret).read() }),
    ...(caPem === undefined ? {} : { caPem }),
  });
  return new KineticaControl(client, hostManagerPort === undefined ? {} : { hostManagerPort });
}

function credentialsOf(secretId: string): ClusterCredentials {
  const endpoint = environment.AWS_ENDPOINT_URL_SECRETS_MANAGER;
  return new ClusterCredentials({
    caller: environment.AWS_LAMBDA_FUNCTION_NAME,
    secretId,
    ...(endpoint === undefined ? {} : { endpoint }),
  });
}
