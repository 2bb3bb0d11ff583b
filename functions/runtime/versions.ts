import { S3VaultVersions } from '../../adapters/s3/s3-vault-versions.ts';
import type { VaultVersions } from '../../core/ports/vault-versions.ts';
import { clock } from './clock.ts';
import { vaultBucket } from './stores.ts';

/** The vault as versions and delete markers. */
export const versions: VaultVersions = new S3VaultVersions(vaultBucket(undefined), clock);
