import { describe, expect, it } from 'vitest';
import { FormatTooNew, StoreUnavailable } from '../../../core/errors.ts';
import { jsonBytes } from '../../../core/format.ts';
import { isDirectoryLine } from '../../../core/manifest.ts';
import type { VersionName } from '../../../core/ports/vault-versions.ts';
import { manifestKey, partKey, ranksKey, recordKey, tombstoneKey } from '../../../core/vault-layout.ts';
import { storeBytes } from '../../support/store-bytes.ts';
import { VerifyWorld } from '../../support/verify-world.ts';

const A = 'tom-0/a.seg';

async function taken() {
  const world = new VerifyWorld();
  const full = await world.snapshot({ type: 'full', execution: 's1' });
  world.write('rank-1/tom-1/b.seg', 'second b');
  const next = await world.snapshot({ type: 'incremental', execution: 's2' });
  return { world, full, next };
}

const present = (world: VerifyWorld, snapshot = 'all', execution = 'v1') =>
  world.verify({ execution, input: { level: 'present', snapshot } });

/** What one thing does to the object of a part, and how it is told. */
const DAMAGES: readonly {
  readonly kind: string;
  readonly severity: string;
  readonly does: string;
  readonly detail: RegExp;
  readonly damage: (world: VerifyWorld, name: VersionName) => void | Promise<void>;
}[] = [
  {
    kind: 'MissingObject',
    severity: 'damage',
    does: 'is gone',
    detail: /^The version is not there\.$/,
    damage: (world, name) => world.vault.lose(name),
  },
  {
    kind: 'MissingObject',
    severity: 'damage',
    does: 'was written over and then deleted',
    detail: /^The version is not there; another version of the key is\.$/,
    damage: async (world, name) => {
      await world.vault.put(name.key, Buffer.from('again'));
      world.vault.lose(name);
    },
  },
  {
    kind: 'TruncatedObject',
    severity: 'damage',
    does: 'is shorter',
    detail: /^It has 3 bytes; recorded are 24\.$/,
    damage: (world, name) => world.vault.damage(name, { body: Buffer.from('sho') }),
  },
  {
    kind: 'ChangedObject',
    severity: 'damage',
    does: 'is longer',
    detail: /^It has 25 bytes; recorded are 24\.$/,
    damage: (world, name) => world.vault.damage(name, { body: Buffer.alloc(25) }),
  },
  {
    kind: 'ChangedObject',
    severity: 'damage',
    does: 'has another ETag',
    detail: /^It has the ETag "other"; recorded is "memory-\d+"\.$/,
    damage: (world, name) => world.vault.damage(name, { etag: '"other"' }),
  },
  {
    kind: 'ArchivedObject',
    severity: 'damage',
    does: 'is archived',
    detail: /^Its storage class is DEEP_ARCHIVE, which is not readable in milliseconds\.$/,
    damage: (world, name) => world.vault.damage(name, { storageClass: 'DEEP_ARCHIVE' }),
  },
  {
    kind: 'NoncurrentObject',
    severity: 'risk',
    does: 'lies under a delete marker',
    detail: /^A delete marker lies over it\.$/,
    damage: (world, name) => world.vault.hide(name.key),
  },
  {
    kind: 'NoncurrentObject',
    severity: 'risk',
    does: 'lies under another version',
    detail: /^Version v\d+ lies over it\.$/,
    damage: (world, name) => world.vault.put(name.key, Buffer.from('other')),
  },
];

describe('a present verification', () => {
  it('finds a sound backup sound, and says since when', async () => {
    const { world, full, next } = await taken();
    const { answer, record, findings } = await present(world);
    expect(answer.failure).toBeUndefined();
    expect(answer.verification).toMatchObject({
      level: 'present',
      scope: 'all',
      checked: { parts: 6, bytes: full.totals.bytes + 'second b'.length },
      hurtCount: 0,
      coverage: { present: 'listed within 30 days: 100 % of 6 parts', read: 'read within 30 days: 0 % of 6 parts' },
      next: 'Nothing to do.',
    });
    expect(findings).toEqual([]);
    expect(record.state).toMatchObject({
      open: [],
      verified: [full, next].map(({ snapshot }) => ({ snapshot, present: record.finishedAt })),
    });
    expect(record.snapshots).toEqual([full.snapshot, next.snapshot]);
  });

  it.each(DAMAGES)('tells an object that $does as $kind, at every scope', async (each) => {
    const { world, full, next } = await taken();
    const name = await world.version(next, 1, A);
    await each.damage(world, name);
    for (const scope of ['all', 'latest', full.snapshot, next.id]) {
      const { findings, record, answer } = await present(world, scope, `v-${scope}`);
      const told = findings.filter(({ kind }) => kind === each.kind);
      expect(told.map((finding) => finding.snapshot).sort()).toEqual([full.snapshot, next.snapshot]);
      for (const finding of told) {
        expect(finding).toMatchObject({ rank: 1, ...name, detail: expect.stringMatching(each.detail) });
      }
      expect(record.findings).toMatchObject({ [each.kind]: 1 });
      expect(record.state.open.map(({ snapshot, severity }) => ({ snapshot, severity }))).toEqual(
        [full, next].map(({ snapshot }) => ({ snapshot, severity: each.severity })),
      );
      expect(answer.failure?.error).toBe(each.severity === 'damage' ? 'DamageFound' : 'ProtectionWeakened');
    }
  });

  it.each(['STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR', 'REDUCED_REDUNDANCY', 'EXPRESS_ONEZONE'])(
    'has nothing against %s, which S3 reads in milliseconds',
    async (storageClass) => {
      const { world, next } = await taken();
      world.vault.damage(await world.version(next, 1, A), { storageClass });
      expect((await present(world)).findings).toEqual([]);
    },
  );

  it('notes what nothing names, wherever it lies in a rank of the snapshot that is there', async () => {
    const { world, full } = await taken();
    const stray = ['tom-0/0.seg', 'tom-0/a.seg.tmp', 'tom-9/z.seg'];
    for (const path of stray) {
      await world.vault.put(partKey('prod', full.snapshot, 1, path), Buffer.from('stray'));
    }
    await world.vault.hide(partKey('prod', full.snapshot, 1, 'tom-0/b.seg'));
    const { findings, record, answer } = await present(world);
    expect(findings.map(({ kind, key, detail }) => [kind, key, detail])).toEqual([
      ['ExtraObject', partKey('prod', full.snapshot, 1, 'tom-0/0.seg'), '5 bytes that nothing names.'],
      ['ExtraObject', partKey('prod', full.snapshot, 1, 'tom-0/a.seg.tmp'), '5 bytes that nothing names.'],
      ['ExtraObject', partKey('prod', full.snapshot, 1, 'tom-0/b.seg'), 'A delete marker over nothing that is named.'],
      ['ExtraObject', partKey('prod', full.snapshot, 1, 'tom-9/z.seg'), '5 bytes that nothing names.'],
    ]);
    // A note: nothing suffers from it.
    expect(record.state.open).toEqual([]);
    expect(record.state.verified).toHaveLength(2);
    expect(answer.failure).toBeUndefined();
    expect(answer.verification.next).toContain('Extra objects go with the next collect.');
  });

  it('looks a rewritten part up where it lies', async () => {
    const world = new VerifyWorld();
    // After the warm pass has copied: the quiesced pass finds the natural key taken.
    const writes = [() => undefined, () => world.write('rank-1/tom-0/a.seg', 'again')];
    const meanwhile = () => writes.shift()?.();
    const record = await world.snapshot({ backup: 'held', type: 'full', execution: 's1', meanwhile });
    const line = await world.line(record, 1, A);
    expect(line.key).toContain('.rewritten/');
    const input = { level: 'present', backup: 'held' };
    const first = await world.verify({ execution: 'v1', input });
    // The copy of the warm pass lies at the natural key, and nothing names it.
    expect(first.findings.map(({ kind, key }) => [kind, key])).toEqual([
      ['ExtraObject', partKey('held', record.snapshot, 1, A)],
    ]);
    world.vault.lose({ key: line.key ?? '', versionId: line.versionId });
    const second = await world.verify({ execution: 'v2', input });
    expect(second.record.findings).toEqual({ ExtraObject: 1, MissingObject: 1 });
    expect(second.findings.find(({ kind }) => kind === 'MissingObject')?.key).toBe(line.key);
  });
});

describe('a present verification of the catalog', () => {
  it.each([
    [
      'is gone',
      /is missing: no version of it is left\.$/,
      (w: VerifyWorld, key: string) => w.vault.lose(w.vault.currentVersion(key)),
    ],
    [
      'lies under a delete marker',
      /is missing: a delete marker lies over it\.$/,
      (w: VerifyWorld, key: string) => w.vault.hide(key),
    ],
    [
      'is another',
      /has digest [0-9a-f]{64}, but [0-9a-f]{64} was recorded\.$/,
      (w: VerifyWorld, key: string) => w.breakObject(key),
    ],
  ] as const)('tells a manifest that %s, and looks at the other ranks', async (_does, detail, damage) => {
    const { world, full, next } = await taken();
    await damage(world, manifestKey('prod', next.snapshot, 1));
    world.vault.lose(await world.version(next, 2, 'tom-0/c.seg'));
    const { findings, record } = await present(world);
    const broken = findings.filter(({ kind }) => kind === 'BrokenCatalog');
    expect(broken[0]).toMatchObject({ snapshot: next.snapshot, rank: 1, detail: expect.stringMatching(detail) });
    expect(new Set(broken.map(({ snapshot }) => snapshot))).toEqual(new Set([next.snapshot]));
    expect(findings.filter(({ kind }) => kind === 'MissingObject').map(({ snapshot }) => snapshot)).toEqual([
      full.snapshot,
      next.snapshot,
    ]);
    expect(record.snapshots).toEqual([full.snapshot]);
  });

  it('reads a broken manifest as far as it can be read', async () => {
    const { world, next } = await taken();
    const key = manifestKey('prod', next.snapshot, 'cluster');
    const bytes = await storeBytes(world.vault, key);
    world.breakObject(key, bytes.slice(0, -8));
    const { findings } = await present(world, next.snapshot);
    expect(findings.map(({ kind, detail }) => [kind, detail])).toEqual([
      ['BrokenCatalog', expect.stringContaining('was recorded')],
      ['BrokenCatalog', expect.stringContaining('its gzip is broken')],
    ]);
  });

  it('tells a list of ranks that is another, and looks at what it still lists', async () => {
    const { world, full } = await taken();
    const key = ranksKey('prod', full.snapshot);
    await world.reword(full, { ranksSha256: 'f'.repeat(64) });
    world.vault.lose(await world.version(full, 2, 'tom-0/c.seg'));
    const { findings, record } = await present(world);
    expect(findings.map(({ kind, snapshot, key: named }) => [kind, snapshot, named === key])).toContainEqual([
      'BrokenCatalog',
      full.snapshot,
      true,
    ]);
    expect(record.findings).toMatchObject({ BrokenCatalog: 1 });
    expect(findings.filter(({ kind }) => kind === 'MissingObject').length).toBeGreaterThan(0);
    expect(record.snapshots).not.toContain(full.snapshot);
  });

  it('tells a list of ranks that is gone', async () => {
    const { world, full, next } = await taken();
    world.vault.lose(world.vault.currentVersion(ranksKey('prod', full.snapshot)));
    const { findings, record } = await present(world);
    expect(findings).toEqual([
      {
        kind: 'BrokenCatalog',
        snapshot: full.snapshot,
        key: ranksKey('prod', full.snapshot),
        detail: `${ranksKey('prod', full.snapshot)} is missing: no version of it is left.`,
      },
    ]);
    // What the full stored is looked at through the other one's manifests.
    expect(record.snapshots).toEqual([next.snapshot]);
    expect(record.checked.parts).toBe(next.totals.parts);
  });

  it.each(['all', 'latest', 'named'])('tells a record that is none, and verifies the others (%s)', async (scope) => {
    const { world, full, next } = await taken();
    world.breakObject(recordKey('prod', next.snapshot), Buffer.from('{"formatVersion":1}'));
    const { findings, record, answer } = await present(world, scope === 'named' ? next.snapshot : scope);
    expect(findings).toEqual([
      {
        kind: 'BrokenCatalog',
        snapshot: next.snapshot,
        key: recordKey('prod', next.snapshot),
        detail: expect.stringContaining('is not what it should be'),
      },
    ]);
    expect(record.snapshots).toEqual(scope === 'named' ? [] : [full.snapshot]);
    expect(record.state.open.map(({ snapshot }) => snapshot)).toEqual([next.snapshot]);
    expect(answer.failure).toMatchObject({ error: 'DamageFound' });
  });

  it('tells a record that lies under a delete marker, but not one of a snapshot with a tombstone', async () => {
    const { world, full, next } = await taken();
    await world.vault.hide(recordKey('prod', next.snapshot));
    await world.vault.hide(recordKey('prod', full.snapshot));
    await world.vault.create(tombstoneKey('prod', full.snapshot), jsonBytes({}));
    const { findings, answer } = await present(world);
    expect(findings).toEqual([
      {
        kind: 'HiddenRecord',
        snapshot: next.snapshot,
        key: recordKey('prod', next.snapshot),
        detail: 'A delete marker lies over the record of the snapshot.',
      },
    ]);
    expect(answer.verification.next).toContain('the action repair');
  });

  it('tells a record of which only the delete marker is left', async () => {
    const { world, next } = await taken();
    const version = world.vault.currentVersion(recordKey('prod', next.snapshot));
    await world.vault.hide(version.key);
    world.vault.lose(version);
    expect((await present(world)).findings).toMatchObject([
      { kind: 'BrokenCatalog', detail: 'Only a delete marker is left of the record.' },
    ]);
  });

  it('tells a record that has vanished without a trace, once, and keeps it open until a tombstone says that it shall be gone', async () => {
    const { world, next } = await taken();
    await present(world);
    world.vault.lose(world.vault.currentVersion(recordKey('prod', next.snapshot)));
    const second = await present(world, 'all', 'v2');
    expect(second.findings).toMatchObject([{ kind: 'BrokenCatalog', snapshot: next.snapshot }]);
    const third = await present(world, 'all', 'v3');
    expect(third.findings).toEqual([]);
    expect(third.answer.failure).toBeUndefined();
    expect(third.answer.verification.next).toBe(`Still open from earlier verifications: ${next.snapshot}.`);
    await world.vault.create(tombstoneKey('prod', next.snapshot), jsonBytes({}));
    expect((await present(world, 'all', 'v4')).record.state.open).toEqual([]);
  });

  it.each([
    ['lines out of order', 1, '"tom-0/a.seg" comes after "tom-1/b.seg".'],
    ['bytes of another chain', 1, 'names bytes of snapshot.2020-01-01.00-00-00, which is not in its chain.'],
    ['fewer parts than recorded', 1, 'It has parts 1; recorded are 2.'],
  ])('tells a manifest with %s', async (what, rank, detail) => {
    const { world, next } = await taken();
    await world.forge(next, rank, (lines) => {
      const changed = {
        'lines out of order': lines.toReversed(),
        'bytes of another chain': lines.map((line) =>
          isDirectoryLine(line) ? line : { ...line, in: 'snapshot.2020-01-01.00-00-00' },
        ),
        'fewer parts than recorded': lines.slice(0, 1),
      };
      return changed[what as keyof typeof changed];
    });
    const { findings, record } = await present(world, next.snapshot);
    expect(findings.filter(({ kind }) => kind === 'BrokenManifest').map((each) => each.detail)).toContainEqual(
      expect.stringContaining(detail),
    );
    expect(record.snapshots).toEqual([]);
    expect(record.state.open).toMatchObject([{ snapshot: next.snapshot, severity: 'damage' }]);
  });

  it('tells a full that names another snapshot, and a differential that names more than its full', async () => {
    const { world, full } = await taken();
    const differential = await world.snapshot({ type: 'differential', execution: 's3' });
    for (const record of [full, differential]) {
      await world.forge(record, 2, (lines) =>
        lines.map((line) => (isDirectoryLine(line) ? line : { ...line, in: 'snapshot.2026-01-31.22-02-00' })),
      );
      const { findings } = await present(world, record.snapshot, `v-${record.type}`);
      expect(findings.map(({ detail }) => detail)).toContainEqual(
        `"tom-0/c.seg" of this ${record.type} names bytes of snapshot.2026-01-31.22-02-00, which is not in its chain.`,
      );
    }
  });

  it('tells a chain whose locks end before the snapshot’s promise, until that is over', async () => {
    const { world, next } = await taken();
    const lock = {
      mode: 'GOVERNANCE' as const,
      promisedUntil: '2026-02-20T00:00:00.000Z',
      earliest: '2026-03-01T00:00:00.000Z',
      latest: '2026-03-01T00:00:00.000Z',
      chainUntil: '2026-02-10T00:00:00.000Z',
    };
    await world.reword(next, { lock });
    for (const scope of ['all', 'latest']) {
      const { findings, answer } = await present(world, scope, `v-${scope}`);
      expect(findings).toMatchObject([
        {
          kind: 'LockEndsEarly',
          snapshot: next.snapshot,
          detail: 'Bytes of its chain are locked until 2026-02-10T00:00:00.000Z; it promises 2026-02-20T00:00:00.000Z.',
        },
      ]);
      expect(answer.failure?.error).toBe('ProtectionWeakened');
    }
    world.clock.advanceMinutes(30 * 24 * 60);
    expect((await present(world, 'all', 'v2')).findings).toEqual([]);
  });

  it('stops at a newer format, which is no damage', async () => {
    const { world, next } = await taken();
    const key = recordKey('prod', next.snapshot);
    const bytes = await storeBytes(world.vault, key);
    world.breakObject(key, jsonBytes({ ...JSON.parse(Buffer.from(bytes).toString()), formatVersion: 2 }));
    await expect(present(world)).rejects.toThrow(FormatTooNew);
  });

  it('stops when the store does not answer, and goes on when it does', async () => {
    const { world } = await taken();
    const away = new StoreUnavailable('S3 is away.', { hint: 'Wait.' });
    world.vault.before('listVersions', '/rank-1/', () => Promise.reject(away));
    const run = await world.planned({ execution: 'v1', input: { level: 'present' } });
    await expect(world.lookAtAll(run)).rejects.toThrow(away);
    await world.lookAtAll(run);
    expect((await world.conclude(run)).verification.found).toBe('nothing');
  });
});
