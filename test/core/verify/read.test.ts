import { describe, expect, it } from 'vitest';
import { SourceUnreadable, StoreUnavailable } from '../../../core/errors.ts';
import type { ReadPart } from '../../../core/ports/part-reader.ts';
import type { VersionName } from '../../../core/ports/vault-versions.ts';
import type { SnapshotRecord } from '../../../core/records.ts';
import { isoOfEpochMillis } from '../../../core/utc.ts';
import { manifestKey } from '../../../core/vault-layout.ts';
import { LARGEST_READ_BYTES } from '../../../core/verify/look-read.ts';
import { InMemoryPartReader } from '../../support/in-memory-part-reader.ts';
import { smallTree, VerifyWorld } from '../../support/verify-world.ts';

const A = 'tom-0/a.seg';
const DAY_MILLIS = 86_400_000;

async function taken(world = new VerifyWorld()) {
  const full = await world.snapshot({ type: 'full', execution: 's1' });
  world.write('rank-1/tom-1/b.seg', 'second b');
  const next = await world.snapshot({ type: 'incremental', execution: 's2' });
  return { world, full, next };
}

const read = (world: VerifyWorld, input: Readonly<Record<string, unknown>> = {}, execution = 'v1') =>
  world.verify({ execution, input: { level: 'read', ...input } });

/** Reads nothing of some versions, or fails. */
class StrangeReader extends InMemoryPartReader {
  readonly asked: VersionName[] = [];
  act: (name: VersionName) => void = () => undefined;

  override read(
    name: VersionName,
    ...rest: [Parameters<InMemoryPartReader['read']>[1]]
  ): Promise<ReadPart | undefined> {
    this.asked.push(name);
    this.act(name);
    return super.read(name, ...rest);
  }
}

class StrangeWorld extends VerifyWorld {
  override readonly reader = new StrangeReader(this.vault);
}

const DAMAGES: readonly {
  readonly kind: string;
  readonly does: string;
  readonly detail: RegExp;
  readonly damage: (world: StrangeWorld, name: VersionName) => void;
}[] = [
  {
    kind: 'ChangedObject',
    does: 'has other bytes of the same length',
    detail: /^It reads as CRC64NVME:\S+; recorded is CRC64NVME:\S+\.$/,
    damage: (world, name) => world.vault.damage(name, { body: Buffer.alloc(24) }),
  },
  {
    kind: 'TruncatedObject',
    does: 'is shorter',
    detail: /^It has 3 bytes; recorded are 24\.$/,
    damage: (world, name) => world.vault.damage(name, { body: Buffer.from('sho') }),
  },
  {
    kind: 'MissingObject',
    does: 'is gone',
    detail: /^The version is not there\.$/,
    damage: (world, name) => world.vault.lose(name),
  },
  {
    kind: 'ArchivedObject',
    does: 'cannot be read, because it is archived',
    detail: /^It is archived\.$/,
    damage: (world, name) => {
      world.reader.act = ({ versionId }) => {
        if (versionId === name.versionId) {
          throw new SourceUnreadable('It is archived.', { hint: 'Bring it back.' });
        }
      };
    },
  },
];

describe('a read verification', () => {
  it('reads every version once, and says so', async () => {
    const { world, full, next } = await taken(new StrangeWorld());
    const { record, answer, findings } = await read(world);
    expect(new Set(world.reader instanceof StrangeReader ? world.reader.asked.map(({ key }) => key) : [])).toHaveLength(
      6,
    );
    expect(record).toMatchObject({
      level: 'read',
      scope: 'all',
      findings: {},
      snapshots: [full.snapshot, next.snapshot],
    });
    expect(record.checked).toEqual({ parts: 6, bytes: full.totals.bytes + 'second b'.length });
    expect(findings).toEqual([]);
    expect(answer.verification.coverage).toMatchObject({
      present: 'listed within 30 days: 0 % of 6 parts',
      read: 'read within 30 days: 100 % of 6 parts',
    });
    expect(record.state.verified).toEqual([full, next].map(({ snapshot }) => ({ snapshot, read: record.finishedAt })));
  });

  it.each(DAMAGES)('tells a part that $does as $kind, at every scope', async ({ kind, detail, damage }) => {
    const world = new StrangeWorld();
    const { full, next } = await taken(world);
    const name = await world.version(next, 1, A);
    damage(world, name);
    for (const input of [{}, { snapshot: 'latest' }, { snapshot: full.id }, { budget: { parts: 1_000 } }]) {
      const { findings, record, answer } = await read(world, input, `v-${JSON.stringify(input).replaceAll(/\W/g, '')}`);
      expect(findings.map((finding) => finding.snapshot).sort()).toEqual([full.snapshot, next.snapshot]);
      for (const finding of findings) {
        expect(finding).toMatchObject({ kind, rank: 1, ...name, detail: expect.stringMatching(detail) });
      }
      expect(record.findings).toEqual({ [kind]: 1 });
      expect(answer.failure?.error).toBe('DamageFound');
    }
  });

  it('follows the chain of digests', async () => {
    const { world, full, next } = await taken();
    world.breakObject(manifestKey('prod', next.snapshot, 1));
    const { findings, record } = await read(world);
    expect(findings.map(({ kind, snapshot }) => [kind, snapshot])).toEqual([
      ['BrokenCatalog', next.snapshot],
      ['BrokenCatalog', next.snapshot],
    ]);
    expect(record.snapshots).toEqual([full.snapshot]);
  });

  it('goes on with a batch after the last window that is written down, and reads nothing twice', async () => {
    const world = new StrangeWorld({ tree: smallTree(600) });
    await world.snapshot({ type: 'full', execution: 's1' });
    const run = await world.planned({ execution: 'v1', input: { level: 'read' } });
    await world.lookAtAll(run);
    await world.readAll(run, { shouldStop: () => true });
    await world.readAll(run);
    const { record } = await world.verified(run, await world.conclude(run));
    expect(record.checked.parts).toBe(601);
    expect(world.reader.asked).toHaveLength(601);
    // The conclusion reads one record a batch, not one a window.
    const of = (map: string) => world.work.keys().filter((key) => key.includes(`/${map}/done/`));
    expect(of('read')).toHaveLength(4);
    expect(of('read-batch')).toHaveLength(2);
  });

  it('stops when the store does not answer', async () => {
    const world = new StrangeWorld();
    await taken(world);
    world.reader.act = () => {
      throw new StoreUnavailable('S3 is away.', { hint: 'Wait.' });
    };
    await expect(read(world)).rejects.toThrow('S3 is away.');
  });

  it('leaves out parts that no function can read, and calls their snapshots unread', async () => {
    const { world, full, next } = await taken();
    await world.forge(full, 2, (lines) => lines.map((line) => ({ ...line, sizeBytes: LARGEST_READ_BYTES + 1 })));
    const { record, slices } = await read(world);
    expect(record.checked.parts).toBe(5);
    expect(record.snapshots).toEqual([]);
    expect(slices.filter(({ tooLarge }) => tooLarge !== undefined)).toMatchObject([{ rank: 2, parts: 0, tooLarge: 1 }]);
    const without = await read(world, { snapshot: next.snapshot }, 'v2');
    expect(without.record.snapshots).toEqual([next.snapshot]);
    expect((await read(world, { snapshot: full.snapshot }, 'v3')).record.snapshots).toEqual([]);
  });
});

/** A vault with Object Lock: `retainDays` 10, and so many days more for what later snapshots carry. */
async function lockedWorld(chainDays: number) {
  const world = new VerifyWorld();
  world.vault.lockedUntil = () => world.clock.nowEpochMillis() + (10 + chainDays) * DAY_MILLIS;
  const full = await world.snapshot({ type: 'full', execution: 's1' });
  world.clock.advanceMillis(5 * DAY_MILLIS);
  world.write('rank-1/tom-1/b.seg', 'second b');
  const next = await world.snapshot({ type: 'incremental', execution: 's2' });
  const promise = async (record: SnapshotRecord, takenAtEpochMillis: number) => {
    const promisedUntil = isoOfEpochMillis(takenAtEpochMillis + 10 * DAY_MILLIS);
    const latest = isoOfEpochMillis(takenAtEpochMillis + 100 * DAY_MILLIS);
    const lock = { mode: 'COMPLIANCE' as const, promisedUntil, earliest: latest, latest, chainUntil: latest };
    await world.reword(record, { lock });
  };
  await promise(next, world.clock.nowEpochMillis());
  await promise(full, world.clock.nowEpochMillis() - 5 * DAY_MILLIS);
  return { world, full, next };
}

describe('locks as a read verification sees them', () => {
  it('are fine when they cover every promise', async () => {
    const { world } = await lockedWorld(14);
    expect((await read(world)).findings).toEqual([]);
  });

  it('that end before a later snapshot’s promise put that one at risk, and not the one that stored the bytes', async () => {
    const { world, full, next } = await lockedWorld(1);
    const { findings, record, answer } = await read(world);
    expect(new Set(findings.map(({ kind, snapshot }) => `${kind} ${snapshot}`))).toEqual(
      new Set([`LockEndsEarly ${next.snapshot}`]),
    );
    // All but the part that the second snapshot stored itself.
    expect(record.findings).toEqual({ LockEndsEarly: 4 });
    expect(findings).toHaveLength(4);
    expect(findings[0]?.detail).toMatch(/^It is locked until \S+Z\. The snapshot promises \S+Z\.$/);
    expect(record.state.open).toMatchObject([
      { snapshot: next.snapshot, severity: 'risk', kinds: { LockEndsEarly: 4 } },
    ]);
    expect(record.state.verified).toEqual([{ snapshot: full.snapshot, read: record.finishedAt }]);
    expect(answer.failure?.error).toBe('ProtectionWeakened');
  });

  it('that were taken off are told for every snapshot that promises something', async () => {
    const { world, full, next } = await lockedWorld(14);
    world.vault.damage(await world.version(full, 1, A), { lockedUntilEpochMillis: undefined });
    const { findings } = await read(world);
    expect(findings.map(({ kind, snapshot, detail }) => [kind, snapshot, detail.slice(0, 17)])).toEqual([
      ['LockEndsEarly', full.snapshot, 'It is not locked.'],
      ['LockEndsEarly', next.snapshot, 'It is not locked.'],
    ]);
  });

  it('do not matter any more when the promise is over', async () => {
    const { world } = await lockedWorld(1);
    world.clock.advanceMillis(11 * DAY_MILLIS);
    expect((await read(world)).findings).toEqual([]);
  });
});
