import type { RankvaultConfig } from '../config/schema.ts';
import { BackupNotFound } from '../errors.ts';
import type { MaintainInput } from '../execution-input.ts';
import type { VaultVersions } from '../ports/vault-versions.ts';
import { CATALOG_PREFIX } from '../vault-layout.ts';

/**
 * The backups that an input means, in order. Every action works on what the vault has, also when the configuration does not have it any
 * more; `expire` and `merge` only on what both may have.
 * @throws BackupNotFound
 */
export async function chooseBackups(
  deps: { readonly versions: VaultVersions; readonly config: RankvaultConfig },
  input: MaintainInput,
): Promise<readonly string[]> {
  const { backup } = input;
  const stored: string[] = [];
  for await (const name of deps.versions.listDirectories(CATALOG_PREFIX)) {
    stored.push(name);
  }
  const configured = Object.keys(deps.config.backups);
  // Only `drop` takes patterns, and its input says that all that match may go.
  if (backup.endsWith('*')) {
    const chosen = stored.filter((name) => name.startsWith(backup.slice(0, -1)));
    return chosen.length > 0 ? chosen : notFound(backup, stored);
  }
  if (input.action === 'expire' || input.action === 'merge') {
    return configured.includes(backup) ? [backup] : notConfigured(input.action, backup, configured);
  }
  return stored.includes(backup) || configured.includes(backup) ? [backup] : notFound(backup, stored);
}

function notFound(backup: string, stored: readonly string[]): never {
  throw new BackupNotFound(`The vault has no backup ${JSON.stringify(backup)}.`, {
    hint: `It has ${stored.join(', ') || 'none'}.`,
  });
}

function notConfigured(action: 'expire' | 'merge', backup: string, configured: readonly string[]): never {
  throw new BackupNotFound(
    action === 'expire'
      ? `The configuration has no backup '${backup}', and a backup that was removed from it is never expired.`
      : `The configuration has no backup '${backup}', and only one of those can be merged.`,
    {
      hint: `Configured are ${[...configured].sort().join(', ') || 'none'}; what is not wanted any more can be purged or dropped.`,
    },
  );
}
