import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileRestoreTarget } from '../../../adapters/file/file-restore-target.ts';
import { CatalogCorrupt, FormatTooNew } from '../../../core/errors.ts';
import type { RestoreMarker } from '../../../core/ports/restore-target.ts';
import { localClient } from '../../support/s3-fixture.ts';
import { LATER, pathsOf, rootAt, sourceAt, useDirectories, writeTree } from './file-fixture.ts';

const directories = useDirectories();
const MARKER: RestoreMarker = {
  formatVersion: 1,
  execution: 'run1',
  backup: 'prod',
  snapshot: 'snapshot.2026-01-31.23-59-59',
  startedAt: '2026-02-01T00:00:00.000Z',
  phase: 'moving',
  label: 'run1',
};

function targetAt(directory: string): FileRestoreTarget {
  const client = localClient('http://127.0.0.1:1');
  return new FileRestoreTarget({ root: rootAt(directory), clock: LATER, vault: { client } });
}

describe('the restore marker of a file root', () => {
  it('is written whole, seen by the source, shown by no listing, and removed', async () => {
    const directory = directories.newDirectory();
    const target = targetAt(directory);
    expect(await target.readMarker()).toBeUndefined();
    await target.writeMarker(MARKER);
    expect(await target.readMarker()).toEqual(MARKER);
    expect(await sourceAt(directory).hasRestoreMarker()).toBe(true);
    expect(await pathsOf(target.listRank('cluster', undefined))).toEqual([]);
    expect(readdirSync(directory)).toEqual(['.rankvault-restoring.json']);
    await target.removeMarker('run1');
    await target.removeMarker('run1');

    expect(await sourceAt(directory).hasRestoreMarker()).toBe(false);
  });

  it('never goes back to moving, and gives way to another execution', async () => {
    const directory = directories.newDirectory();
    const target = targetAt(directory);
    const placing = { ...MARKER, phase: 'placing' } as const;
    await target.writeMarker(placing);
    await target.writeMarker(MARKER);
    expect(await target.readMarker()).toEqual(placing);
    await target.writeMarker({ ...MARKER, execution: 'run2' });
    await target.removeMarker('run1');

    expect((await target.readMarker())?.execution).toBe('run2');
  });

  it('is neither overwritten nor removed when it cannot be read', async () => {
    const directory = directories.newDirectory();
    const target = targetAt(directory);
    writeTree(directory, { '.rankvault-restoring.json': 'half a fi' });
    await expect(target.readMarker()).rejects.toThrow(CatalogCorrupt);
    await expect(target.writeMarker(MARKER)).rejects.toThrow(CatalogCorrupt);
    writeTree(directory, { '.rankvault-restoring.json': JSON.stringify({ ...MARKER, formatVersion: 2 }) });
    await expect(target.removeMarker('run1')).rejects.toThrow(FormatTooNew);
    expect(readdirSync(join(directory))).toEqual(['.rankvault-restoring.json']);
  });
});
