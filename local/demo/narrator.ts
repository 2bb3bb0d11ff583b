import Table from 'cli-table3';
import pc from 'picocolors';

/** Everything that the demo prints goes through here; colors only where the terminal takes them. */
export class Narrator {
  #chapter = 0;

  title(text: string, lines: readonly string[]): void {
    console.log(`${pc.bold(text)}\n`);
    for (const line of lines) {
      console.log(pc.dim(line));
    }
  }

  chapter(text: string): void {
    this.#chapter += 1;
    console.log(`\n${pc.bold(pc.cyan(`${this.#chapter}. ${text}`))}`);
  }

  say(text: string): void {
    console.log(`   ${text}`);
  }

  good(text: string): void {
    console.log(`   ${pc.green('✓')} ${text}`);
  }

  bad(text: string): void {
    console.log(`   ${pc.red('✗')} ${text}`);
  }

  table(head: readonly string[], rows: readonly (readonly string[])[], numbers: readonly number[]): void {
    const table = new Table({
      head: head.map((text) => pc.dim(text)),
      colAligns: head.map((_, index) => (numbers.includes(index) ? 'right' : 'left')),
      style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
      chars: NO_LINES,
    });
    table.push(...rows.map((row) => [...row]));
    for (const line of table.toString().split('\n')) {
      console.log(`   ${line.trimEnd()}`);
    }
  }
}

const NO_LINES = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle',
  ].map((name) => [name, '']),
);

/** `17.6 MB`, decimal as storage is sold. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[power]}`;
}

export function countText(count: number): string {
  return count.toLocaleString('en-US');
}
