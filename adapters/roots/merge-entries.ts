import { PathCollision } from '../../core/errors.ts';
import { compareUtf8 } from '../../core/utf8-order.ts';

interface Located {
  readonly path: string;
  readonly root: string;
}

interface Head<Entry> {
  readonly entry: Entry;
  readonly rest: AsyncIterator<Entry>;
}

/**
 * Merges streams that are ordered by UTF-8 path into one. Holds one entry of each; the number of streams is the number of roots,
 * so the smallest is looked for from the start each time.
 *
 * Directories that several roots have are one place on every target: the first root's entry is kept.
 * @throws PathCollision when two streams have the same part
 */
export async function* mergeByPath<Entry extends Located>(
  streams: readonly AsyncIterable<Entry>[],
): AsyncGenerator<Entry, void, undefined> {
  const iterators = streams.map((stream) => stream[Symbol.asyncIterator]());
  try {
    let heads = (await Promise.all(iterators.map(async (iterator) => headOf(iterator)))).flat();
    let last: Entry | undefined;
    for (let first = smallest(heads); first !== undefined; first = smallest(heads)) {
      const { entry } = first;
      if (last?.path === entry.path) {
        assertNoCollision(last, entry);
      } else {
        yield entry;
        last = entry;
      }
      const next = await headOf(first.rest);
      heads = heads.flatMap((head) => (head === first ? next : [head]));
    }
  } finally {
    await Promise.all(iterators.map(async (iterator) => iterator.return?.()));
  }
}

async function headOf<Entry>(iterator: AsyncIterator<Entry>): Promise<readonly Head<Entry>[]> {
  const next = await iterator.next();
  return next.done === true ? [] : [{ entry: next.value, rest: iterator }];
}

function smallest<Entry extends Located>(heads: readonly Head<Entry>[]): Head<Entry> | undefined {
  const [first, ...others] = heads;
  return first === undefined
    ? undefined
    : others.reduce((least, head) => (compareUtf8(head.entry.path, least.entry.path) < 0 ? head : least), first);
}

function assertNoCollision(first: Located, second: Located): void {
  if (first.path.endsWith('/')) {
    return;
  }
  throw new PathCollision(`${JSON.stringify(first.path)} is in root ${first.root} and in root ${second.root}.`, {
    hint: 'Exclude it in one of the two roots, or correct the URL or the pattern of one.',
  });
}
