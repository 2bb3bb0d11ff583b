import { Arn, ArnFormat, Stack } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { ClusterConfig } from '../../core/config/schema.ts';
import { addStatement } from '../storage/object-grants.ts';

/** The secrets that the control endpoints of a site's clusters ask for. They exist already; nothing here sees their values. */
export class SiteSecrets extends Construct {
  readonly #secrets: readonly secretsmanager.ISecret[];
  readonly #keyArns: readonly string[];

  constructor(scope: Construct, clusters: readonly ClusterConfig[]) {
    super(scope, 'Secrets');
    const controls = clusters.flatMap(({ control }) => (control.kind === 'kinetica' ? [control] : []));
    const names = [...new Set(controls.flatMap(({ secret }) => secret ?? []))];
    this.#secrets = names.map((name, index) => importSecret(this, `Secret${index}`, name));
    this.#keyArns = [...new Set(controls.flatMap(({ secretKmsKeyArn }) => secretKmsKeyArn ?? []))];
  }

  grantRead(grantee: iam.IGrantable): void {
    for (const secret of this.#secrets) {
      secret.grantRead(grantee);
    }
    if (this.#keyArns.length > 0) {
      const service = `secretsmanager.${Stack.of(this).region}.${Stack.of(this).urlSuffix}`;
      addStatement(grantee, ['kms:Decrypt'], this.#keyArns, { StringEquals: { 'kms:ViaService': service } });
    }
  }
}

/** A complete ARN ends in a hyphen and six characters that Secrets Manager chose. */
function importSecret(scope: Construct, id: string, nameOrArn: string): secretsmanager.ISecret {
  if (!nameOrArn.startsWith('arn:')) {
    return secretsmanager.Secret.fromSecretNameV2(scope, id, nameOrArn);
  }
  const { resourceName = '' } = Arn.split(nameOrArn, ArnFormat.COLON_RESOURCE_NAME);
  return /-[A-Za-z0-9]{6}$/.test(resourceName)
    ? secretsmanager.Secret.fromSecretCompleteArn(scope, id, nameOrArn)
    : secretsmanager.Secret.fromSecretPartialArn(scope, id, nameOrArn);
}
