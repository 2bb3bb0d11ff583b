/**
 * What every mutation of a sample cluster passes through, so that backup mode can hold the writers: it runs the mutation once the cluster
 * may write, and whoever holds the cluster can wait for the mutations under way. The stand-in control endpoint's is
 * `(mutation) => kinetica.write(mutation)`.
 */
export type WriteGate = (mutation: () => Promise<void>) => Promise<void>;

/** For clusters that nobody holds. */
export const alwaysOpen: WriteGate = async (mutation) => await mutation();

/** A gate for clusters without a control endpoint. */
interface HoldableGate {
  readonly gate: WriteGate;
  /** Mutations hang from now on; resolves when none is under way any more. */
  readonly hold: () => Promise<void>;
  readonly release: () => void;
}

export function createHoldableGate(): HoldableGate {
  const underWay = new Set<Promise<void>>();
  let shut: PromiseWithResolvers<void> | undefined;
  return {
    gate: async (mutation) => {
      // A loop, because the gate may be shut again before the waiting writer gets its turn.
      while (shut !== undefined) {
        await shut.promise;
      }
      const done = mutation();
      underWay.add(done);
      try {
        await done;
      } finally {
        underWay.delete(done);
      }
    },
    hold: async () => {
      shut ??= Promise.withResolvers<void>();
      await Promise.allSettled(underWay);
    },
    release: () => {
      shut?.resolve();
      shut = undefined;
    },
  };
}
