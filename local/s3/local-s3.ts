import { createServer, type Server } from 'node:http';
import { Counters } from './control/counters.ts';
import { Damage } from './control/damage.ts';
import { Faults } from './control/faults.ts';
import { type Observer, Observers } from './control/observers.ts';
import { exchange } from './exchange-server.ts';
import type { Context } from './protocol/exchange.ts';
import { type Checkpoint, checkpointOf } from './store/checkpoint.ts';
import { openStore } from './store/store.ts';

export interface LocalS3Options {
  /** Where everything is kept; made if missing, and good for another start after `close`. One server at a time. */
  readonly directory: string;
  /** Epoch milliseconds: times of writes, and what locks are judged by. @default Date.now */
  readonly clock?: () => number;
  /**
   * Whether objects sent without a checksum get a CRC64NVME, as S3 does since December 2024; by bucket, if a
   * function. Turn it off to make objects like those of before. @default true
   */
  readonly storeDefaultChecksum?: boolean | ((bucket: string) => boolean);
  /** @default any free port */
  readonly port?: number;
}

export interface LocalS3 {
  /** `http://127.0.0.1:<port>`; use it with `forcePathStyle: true`. */
  readonly endpoint: string;
  readonly faults: Faults;
  readonly counters: Counters;
  readonly damage: Damage;
  /** Remembers everything in the buckets, so that tests can go back to it. */
  checkpoint(): Checkpoint;
  /** Calls the observer before and after each request, until the returned function is called. */
  observe(observer: Observer): () => void;
  /** Breaks every connection, waits for the work under way, and closes the store. */
  close(): Promise<void>;
}

/** Starts an S3 on loopback that keeps its objects in a directory. Credentials may be anything: signatures are not checked. */
export async function startLocalS3(options: LocalS3Options): Promise<LocalS3> {
  const store = openStore(options.directory);
  const { clock = Date.now, storeDefaultChecksum = true } = options;
  const context: Context = {
    store,
    clock,
    storesDefaultChecksum:
      typeof storeDefaultChecksum === 'function' ? storeDefaultChecksum : () => storeDefaultChecksum,
  };
  const control = { faults: new Faults(), counters: new Counters(), observers: new Observers() };
  const underWay = new Set<Promise<void>>();
  const server = createServer((message, response) => {
    const running = exchange(message, response, context, control)
      .catch((error: unknown) => {
        console.error(error);
        response.destroy();
      })
      .finally(() => underWay.delete(running));
    underWay.add(running);
  });
  // An idle connection of an SDK must not be closed under it: that is a reset it would have to retry.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  const port = await listen(server, options.port ?? 0);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    faults: control.faults,
    counters: control.counters,
    damage: new Damage(store),
    checkpoint: () => checkpointOf(store),
    observe: (observer) => control.observers.add(observer),
    async close() {
      control.faults.clear();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await Promise.allSettled(underWay);
      store.database.close();
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('The local S3 got no TCP port.'));
      else resolve(address.port);
    });
  });
}
