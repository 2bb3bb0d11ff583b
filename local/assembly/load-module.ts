/** Imports happen one after the other, because each has the process's environment to itself. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * Imports a module while `process.env` is exactly what Lambda would give it; afterwards the environment is as before.
 * Whatever a handler reads of its environment it must read while it is imported.
 */
export async function loadHandlers(url: string, environment: Readonly<Record<string, string>>): Promise<object> {
  const mine = turn.then(() => importUnder(url, environment));
  turn = mine.catch(() => undefined);
  return await mine;
}

async function importUnder(url: string, environment: Readonly<Record<string, string>>): Promise<object> {
  const before = process.env;
  process.env = { ...hostVariables(before), ...environment };
  try {
    const loaded: object = await import(/* @vite-ignore */ url);
    return loaded;
  } finally {
    process.env = before;
  }
}

/** What a process needs to run at all; nothing of the developer's AWS configuration reaches a handler. */
function hostVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS'];
  return Object.fromEntries(kept.map((name) => [name, environment[name]]).filter(([, value]) => value !== undefined));
}
