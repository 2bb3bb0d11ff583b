import type { ObjectStore } from '../ports/object-store.ts';
import type { VaultVersions } from '../ports/vault-versions.ts';
import { createJson } from '../stored-json.ts';
import type { Mark } from './decide-marks.ts';

/** Makes them in order; each may be made twice. */
export async function makeMarks(
  deps: { readonly vault: ObjectStore; readonly versions: VaultVersions },
  marks: readonly Mark[],
  assertHeld: () => Promise<void>,
): Promise<void> {
  for (const mark of marks) {
    await assertHeld();
    if (mark.change === 'create') {
      await createJson(deps.vault, mark.key, mark.value);
    } else {
      await deps.versions.hide(mark.key);
    }
  }
}
