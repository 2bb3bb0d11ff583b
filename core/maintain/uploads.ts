import pMap from 'p-map';
import * as z from 'zod/mini';
import { FORMAT_VERSION, formatVersionSchema } from '../format.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { VaultVersions } from '../ports/vault-versions.ts';
import { createJson, readJson } from '../stored-json.ts';
import { epochMillisOfIso } from '../utc.ts';
import type { RunKeys } from '../work-layout.ts';
import type { SweepPlan } from './plan.ts';

/** So many a run: the next collect finds the others. */
const MOST_UPLOADS = 10_000;
const ABORT_CONCURRENCY = 16;

const uploadListSchema = z.object({
  formatVersion: formatVersionSchema,
  uploads: z.array(z.object({ key: z.string(), uploadId: z.string() })),
});
type Upload = z.infer<typeof uploadListSchema>['uploads'][number];

interface UploadDependencies {
  readonly versions: VaultVersions;
  readonly work: ObjectStore;
  readonly keys: RunKeys;
}

/**
 * Aborts the uploads that nobody will complete; a dry run counts them. The list is frozen first, so that a retry answers the same.
 * @returns how many
 */
export async function abortUploads(
  deps: UploadDependencies,
  stale: SweepPlan['uploads'],
  dryRun: boolean,
): Promise<number> {
  if (stale === undefined) {
    return 0;
  }
  const key = deps.keys.unit('uploads', 'list');
  const found = { formatVersion: FORMAT_VERSION, uploads: await listStale(deps.versions, stale) };
  await createJson(deps.work, key, found);
  const { uploads } = (await readJson(deps.work, key, uploadListSchema))?.value ?? found;
  if (!dryRun) {
    await pMap(uploads, (upload) => deps.versions.abortUpload(upload), { concurrency: ABORT_CONCURRENCY });
  }
  return uploads.length;
}

async function listStale(
  versions: VaultVersions,
  { prefix, before, spared }: NonNullable<SweepPlan['uploads']>,
): Promise<Upload[]> {
  const found: Upload[] = [];
  const beforeEpochMillis = epochMillisOfIso(before) ?? 0;
  for await (const { key, uploadId, initiatedAtEpochMillis } of versions.listUploads(prefix)) {
    if (initiatedAtEpochMillis <= beforeEpochMillis && !spared.some((each) => key.startsWith(each))) {
      found.push({ key, uploadId });
    }
    if (found.length >= MOST_UPLOADS) {
      break;
    }
  }
  return found;
}
