import type { VersionName } from '../../core/ports/vault-versions.ts';
import type { PutOptions } from '../contracts/vault-versions.contract.ts';
import type { InMemoryObjectStore } from './in-memory-object-store.ts';

/** Puts a new version, locked or of another class as a writer would ask for. */
export async function putVersion(
  store: InMemoryObjectStore,
  key: string,
  bytes: Uint8Array,
  options: PutOptions = {},
): Promise<VersionName> {
  const before = store.lockedUntil;
  store.lockedUntil = () => options.lockedUntilEpochMillis;
  await store.put(key, bytes);
  store.lockedUntil = before;
  const version = store.currentVersion(key);
  store.damage(version, { storageClass: options.storageClass ?? 'STANDARD' });
  return version;
}
