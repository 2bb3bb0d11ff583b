import { describe, expect, it } from 'vitest';
import { versionsOfPage } from '../../../adapters/s3/version-page.ts';

const second = (number: number) => new Date(Date.UTC(2026, 0, 31, 10, 0, number));

/** Times as S3 gives them, in whole seconds. */
function entry(VersionId: string, LastModified: Date, IsLatest = false) {
  return { Key: 'prod/a', VersionId, IsLatest, LastModified };
}

const order = (page: Parameters<typeof versionsOfPage>[0]) =>
  versionsOfPage(page).map(({ kind, versionId }) => `${kind} ${versionId}`);

const $metadata = {};

describe('versions and delete markers of one key', () => {
  it('are in the order of their times, the current one first', () => {
    const Versions = [entry('v2', second(3)), entry('v1', second(1))];
    const DeleteMarkers = [entry('m2', second(4), true), entry('m1', second(2))];
    const expected = ['deleteMarker m2', 'version v2', 'deleteMarker m1', 'version v1'];
    expect(order({ $metadata, Versions, DeleteMarkers })).toEqual(expected);
  });

  it('of one second have the markers over the version, so that all of them are taken off', () => {
    const page = {
      $metadata,
      Versions: [entry('v1', second(1))],
      DeleteMarkers: [entry('m2', second(1), true), entry('m1', second(1))],
    };
    expect(order(page)).toEqual(['deleteMarker m2', 'deleteMarker m1', 'version v1']);
  });

  it('of one second have the current version first', () => {
    const page = { $metadata, Versions: [entry('v1', second(1), true)], DeleteMarkers: [entry('m1', second(1))] };
    expect(order(page)).toEqual(['version v1', 'deleteMarker m1']);
  });
});
