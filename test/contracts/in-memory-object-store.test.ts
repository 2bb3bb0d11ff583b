import { InMemoryObjectStore } from '../support/in-memory-object-store.ts';
import { describeObjectStore } from './object-store.contract.ts';

describeObjectStore('the in-memory store', () => Promise.resolve(new InMemoryObjectStore()));
describeObjectStore('the in-memory store of a vault', () =>
  Promise.resolve(new InMemoryObjectStore({ versioned: true })),
);
