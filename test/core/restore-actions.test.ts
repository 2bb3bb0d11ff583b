import { describe, expect, it } from 'vitest';
import type { ManifestLine } from '../../core/manifest.ts';
import type { LiveEntry } from '../../core/part.ts';
import { actionsFor, isActivation, type RestoreRules } from '../../core/restore-actions.ts';
import { listedDirectory, listedPart, SAMPLE_ATTRIBUTES } from '../support/listed-source.ts';
import { directoryLine, partLine } from '../support/sample-lines.ts';

const RULES: RestoreRules = {
  rank: 1,
  policy: 'replace',
  trustTimes: false,
  resumed: false,
  hasActivation: true,
  snapshotHasDirectories: true,
  hasOneRoot: true,
};
const PATH = 'tom-0/a';

/** `phase:action` of each. */
function said(
  line: ManifestLine | undefined,
  live: LiveEntry | undefined,
  rules: Partial<RestoreRules> = {},
): string[] {
  return actionsFor(line, live, { ...RULES, ...rules }).map(({ phase, action }) => `${phase}:${action.action}`);
}

const line = partLine(PATH);
const live = listedPart(PATH, { token: 'file:10:9:9:x' });
const longer = listedPart(PATH, { sizeBytes: 11 });
const leftover = listedPart('tom-0/.rankvault-tmp-1');

describe('what a restore does with a data part', () => {
  it.each<[string, ManifestLine | undefined, LiveEntry | undefined, Partial<RestoreRules>, string[]]>([
    ['is missing: placed', line, undefined, {}, ['data:place']],
    ['has the size: checked', line, live, {}, ['data:check']],
    ['has another size: placed', line, longer, {}, ['data:place']],
    ['has the size, and all are to be fetched: placed', line, live, { placeAll: true }, ['data:place']],
    ['has the size and the time, which is trusted: left', line, listedPart(PATH), { trustTimes: true }, []],
    [
      'has the size and another time: checked',
      line,
      listedPart(PATH, { attributes: { ...SAMPLE_ATTRIBUTES, mtimeNs: '1' } }),
      { trustTimes: true },
      ['data:check'],
    ],
    ['is extra: removed', undefined, live, {}, ['extras:remove']],
    ['is extra, policy none: left', undefined, live, { policy: 'none' }, []],
    [
      'is a leftover of a dead worker, policy none: removed',
      undefined,
      leftover,
      { policy: 'none', resumed: true },
      ['extras:remove'],
    ],
    [
      'is there, policy rename: moved aside and placed',
      line,
      live,
      { policy: 'rename' },
      ['aside:moveAside', 'data:place'],
    ],
    ['is extra, policy rename: moved aside', undefined, live, { policy: 'rename' }, ['aside:moveAside']],
    ['is there, policy rename, gone on with: checked', line, live, { policy: 'rename', resumed: true }, ['data:check']],
    [
      'is extra, policy rename, gone on with: removed',
      undefined,
      live,
      { policy: 'rename', resumed: true },
      ['extras:remove'],
    ],
    ['is there, policy none, gone on with: checked', line, live, { policy: 'none', resumed: true }, ['data:check']],
    [
      'is in another of several roots: removed there and placed here',
      line,
      listedPart(PATH, { root: 'other' }),
      { hasOneRoot: false },
      ['extras:remove', 'data:place'],
    ],
    [
      'is in the only root, which has another name: checked',
      line,
      listedPart(PATH, { root: 'other' }),
      {},
      ['data:check'],
    ],
  ])('%s', (_what, ...[wanted, there, rules, actions]) => {
    expect(said(wanted, there, rules)).toEqual(actions);
  });
});

describe('what a restore does with a part that lets a server start', () => {
  it.each<[string, ManifestLine | undefined, LiveEntry | undefined, Partial<RestoreRules>, string[]]>([
    ['is missing: placed last', partLine('x.mdb'), undefined, {}, ['activation:place']],
    [
      'is there: moved aside first, placed last',
      partLine('x.mdb'),
      listedPart('x.mdb'),
      {},
      ['aside:moveAside', 'activation:place'],
    ],
    [
      'is there and trusted: still moved and placed',
      partLine('x.mdb'),
      listedPart('x.mdb'),
      { trustTimes: true },
      ['aside:moveAside', 'activation:place'],
    ],
    ['is extra: moved aside', undefined, listedPart('x.mdb'), {}, ['aside:moveAside']],
    [
      'is there, gone on with: removed, because it was put there by the restore',
      partLine('x.mdb'),
      listedPart('x.mdb'),
      { resumed: true },
      ['aside:remove', 'activation:place'],
    ],
    [
      'is there, rename, gone on with: removed, so that the old file aside stays',
      partLine('x.mdb'),
      listedPart('x.mdb'),
      { resumed: true, policy: 'rename' },
      ['aside:remove', 'activation:place'],
    ],
    ['lies deep in the head rank', partLine(PATH), live, { rank: 0 }, ['aside:moveAside', 'activation:place']],
    ['belongs to no rank', partLine(PATH), undefined, { rank: 'cluster' }, ['activation:place']],
    [
      'is of a staging directory, which no server reads: data',
      partLine('x.mdb'),
      live,
      { hasActivation: false },
      ['data:check'],
    ],
  ])('%s', (_what, ...[wanted, there, rules, actions]) => {
    expect(said(wanted, there, rules)).toEqual(actions);
  });

  it('is everything of the head, everything of no rank, and what lies directly in a rank', () => {
    const cases = [
      isActivation(0, 'a/b/c'),
      isActivation('cluster', 'a/b'),
      isActivation(3, 'a'),
      isActivation(3, 'a/b'),
      isActivation(3, 'a/'),
    ];
    expect(cases).toEqual([true, true, true, false, true]);
  });
});

describe('what a restore does with a directory', () => {
  it.each<[string, ManifestLine | undefined, LiveEntry | undefined, Partial<RestoreRules>, string[]]>([
    [
      'is missing: made, and finished last',
      directoryLine('d/'),
      undefined,
      {},
      ['data:makeDirectory', 'directories:finishDirectory'],
    ],
    [
      'is there: made sure of, and finished last',
      directoryLine('d/'),
      listedDirectory('d/'),
      {},
      ['data:makeDirectory', 'directories:finishDirectory'],
    ],
    ['is extra: removed', undefined, listedDirectory('d/'), {}, ['extras:remove']],
    [
      'is extra, policy rename: removed once its files are aside',
      undefined,
      listedDirectory('d/'),
      { policy: 'rename' },
      ['extras:remove'],
    ],
    ['is extra, policy none: left', undefined, listedDirectory('d/'), { policy: 'none' }, []],
    [
      'is there and the snapshot knows none: left',
      undefined,
      listedDirectory('d/'),
      { snapshotHasDirectories: false },
      [],
    ],
  ])('%s', (_what, ...[wanted, there, rules, actions]) => {
    expect(said(wanted, there, rules)).toEqual(actions);
  });
});
