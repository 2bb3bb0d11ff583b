import { ChecksumMismatch } from '../errors.ts';
import type { Receipt } from '../part.ts';
import type { CopyTask, PartCopier } from '../ports/part-copier.ts';
import { type CopyDependencies, type CopyProgress, type CopyRequest, copyParts } from './copy-parts.ts';

/**
 * Copies one batch of a merge inside the vault, as `copyParts` does, and refuses a copy that has another size or checksum than the
 * manifest says of its original.
 * @throws VaultPartMissing, ChecksumMismatch
 */
export function mergeParts(deps: CopyDependencies, request: Omit<CopyRequest, 'pass'>): Promise<CopyProgress> {
  return copyParts({ ...deps, copier: comparing(deps.copier) }, { ...request, pass: 'final' });
}

function comparing(copier: PartCopier): PartCopier {
  return {
    copy: async (task) => {
      const receipt = await copier.copy(task);
      return receipt === undefined ? undefined : sameAsStored(task, receipt);
    },
  };
}

function sameAsStored(task: CopyTask, receipt: Receipt): Receipt {
  const { stored, part, rank } = task;
  if (stored?.checksum !== receipt.checksum || stored.sizeBytes !== receipt.sizeBytes) {
    const expected = stored === undefined ? 'nothing was' : `${stored.sizeBytes} bytes of ${stored.checksum} were`;
    throw new ChecksumMismatch(
      `The copy of ${part.path} of rank ${rank} has ${receipt.sizeBytes} bytes of ${receipt.checksum}; ${expected} recorded.`,
      { hint: 'Nothing was hidden. Verify the snapshot (level read): what it names may be damaged.' },
    );
  }
  return receipt;
}
