#!/usr/bin/env node
/**
 * jq itself, compiled to WebAssembly, for machines without a jq: `jq [-r] [--arg name value]... filter`, input on stdin. The same
 * program, so the script's filters are tested and not an imitation of them; only for small inputs, because it reads slowly.
 */
import { text } from 'node:stream/consumers';
import { raw } from 'jq-wasm';

const flags: string[] = [];
const filters: string[] = [];
const args = process.argv.slice(2);
for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
  if (arg === '-r') {
    flags.push(arg);
  } else if (arg === '--arg') {
    flags.push(arg, args.shift() ?? '', args.shift() ?? '');
  } else {
    filters.push(arg);
  }
}

try {
  const [filter, ...more] = filters;
  if (filter === undefined || more.length > 0 || filter.startsWith('-')) {
    throw new Error('only -r, --arg and one filter are known here');
  }
  const output = await raw(await text(process.stdin), filter, flags);
  process.stdout.write(output === '' ? '' : `${output}\n`);
} catch (error) {
  process.exitCode = 5;
  console.error(`jq (stand-in): ${error instanceof Error ? error.message : String(error)}`);
}
