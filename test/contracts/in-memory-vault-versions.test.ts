import { FixedClock } from '../support/fixed-clock.ts';
import { InMemoryObjectStore } from '../support/in-memory-object-store.ts';
import { putVersion } from '../support/in-memory-vault.ts';
import { describeVaultVersions } from './vault-versions.contract.ts';

describeVaultVersions('the in-memory store', () => {
  const clock = new FixedClock();
  const store = new InMemoryObjectStore({ versioned: true, clock });
  return Promise.resolve({
    versions: store,
    put: async (key, text, options) => putVersion(store, key, Buffer.from(text), options),
    read: async (key, versionId) => {
      const named = versionId ?? (await store.head(key))?.versionId ?? '';
      const body = store.version({ key, versionId: named })?.body;
      return body === undefined ? undefined : Buffer.from(body).toString('utf8');
    },
    holdLegally: async (version) => store.damage(version, { legalHold: true }),
    beginUpload: async (key) => store.plantUpload(key, clock.nowEpochMillis()).uploadId,
  });
});
