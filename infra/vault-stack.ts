import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Vault, type VaultProps } from './storage/vault.ts';

/** The vault alone, so that everything else can be taken down and put up again without touching it. */
export class VaultStack extends Stack {
  readonly vault: Vault;

  constructor(scope: Construct, id: string, props: VaultProps) {
    super(scope, id, { description: 'Rankvault: the vault of part bytes and catalog' });
    this.vault = new Vault(this, 'Vault', props);
    new CfnOutput(this, 'VaultBucketName', { value: this.vault.bucket.bucketName });
  }
}
