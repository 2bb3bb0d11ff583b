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
    for (const line of wrapped(text)) {
      console.log(`   ${line}`);
    }
  }

  good(text: string): void {
    this.#mark(pc.green('✓'), text);
  }

  bad(text: string): void {
    this.#mark(pc.red('✗'), text);
  }

  #mark(mark: string, text: string): void {
    const [first = '', ...more] = wrapped(text);
    console.log(`   ${mark} ${first}`);
    for (const line of more) {
      console.log(`     ${line}`);
    }
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

/** What a wide terminal shows in a line. */
const LINE_CHARACTERS = 150;

/** At spaces; further lines are indented as the first is. */
function wrapped(text: string): readonly string[] {
  const indent = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  let line = '';
  for (const word of text.slice(indent.length).split(' ')) {
    if (line !== '' && `${line} ${word}`.length > LINE_CHARACTERS) {
      lines.push(line);
      line = indent;
    }
    line = line.trim() === '' ? `${indent}${word}` : `${line} ${word}`;
  }
  return [...lines, line];
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
