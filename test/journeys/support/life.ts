import type { Journey } from './journey.ts';
import { Oracle } from './oracle.ts';
import type { Committed } from './outcomes.ts';
import type { Place } from './places.ts';

/** A tiny cluster that changes from day to day, the oracle that remembers its moments, and the names to speak of them. */
export class Life {
  readonly source: Place;
  readonly target: Place;
  readonly oracle: Oracle;
  readonly backup: string;

  /**
   * @param source taken by nobody else
   * @param target emptied when the life begins
   */
  constructor(journey: Journey, source: Place, target: Place, oracle = new Oracle(journey, source, target)) {
    this.source = source;
    this.target = target;
    this.oracle = oracle;
    this.backup = source.backup;
  }

  /** Rank 0 with its metadata, and rank 1 with three segments that stay as they are unless they are written again. */
  async begin(): Promise<void> {
    await this.target.wipe();
    await this.write('rank-0/catalog.mdb', 'catalog');
    for (const name of ['a', 'b', 'c']) {
      await this.write(segment(name), `first ${name}`);
    }
  }

  async write(path: string, text: string): Promise<void> {
    await this.source.tree.write(path, [Buffer.from(text)]);
  }

  /** Changes what is named, then takes a snapshot. */
  async day(type: Committed['type'], changed: readonly string[] = []): Promise<string> {
    for (const name of changed) {
      await this.write(segment(name), `${name} at ${performance.now()}`);
    }
    return (await this.oracle.snapshot(type)).snapshot;
  }
}

export function segment(name: string): string {
  return `rank-1/tom-0/${name}.seg`;
}
