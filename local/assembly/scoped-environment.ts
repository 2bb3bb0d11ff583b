import { AsyncLocalStorage } from 'node:async_hooks';

type Environment = Record<string, string | undefined>;

const current = new AsyncLocalStorage<Environment>();
let outer: Environment | undefined;

/**
 * Runs something so that `process.env` is exactly the given environment for it and for everything it awaits, while
 * others in the same process keep theirs. Lambda gives every function a process; the SDK looks up endpoints and
 * credentials as late as at its first request, so setting variables around the import alone would not do.
 */
export function runUnderEnvironment<T>(environment: Readonly<Record<string, string>>, work: () => T): T {
  install();
  return current.run({ ...hostVariables(), ...environment }, work);
}

/** Done once: from then on `process.env` is whatever the running code's environment is. */
function install(): void {
  if (outer !== undefined) return;
  const original = process.env;
  outer = original;
  const environment = () => current.getStore() ?? original;
  process.env = new Proxy<NodeJS.ProcessEnv>(
    {},
    {
      get: (_target, key) => (typeof key === 'string' ? environment()[key] : undefined),
      has: (_target, key) => typeof key === 'string' && key in environment(),
      ownKeys: () => Object.keys(environment()),
      getOwnPropertyDescriptor: (_target, key) => {
        const value = typeof key === 'string' ? environment()[key] : undefined;
        return value === undefined ? undefined : { value, writable: true, enumerable: true, configurable: true };
      },
      set: (_target, key, value: unknown) => {
        if (typeof key === 'string') environment()[key] = String(value);
        return true;
      },
      deleteProperty: (_target, key) => (typeof key === 'string' ? delete environment()[key] : true),
      defineProperty: (_target, key, { value }) => {
        if (typeof key === 'string') environment()[key] = String(value);
        return true;
      },
    },
  );
}

/** What a process needs to run at all; nothing of the developer's AWS configuration reaches a handler. */
function hostVariables(): Environment {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS'];
  return Object.fromEntries(kept.flatMap((name) => (outer?.[name] === undefined ? [] : [[name, outer[name]]])));
}
