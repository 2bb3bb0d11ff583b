import { intrinsicFailure } from './state-failure.ts';

/** An argument of an intrinsic function, or the function itself. */
export type Expression =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  /** `text` still has its backslashes: what `\{` means depends on the function. */
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'literal'; readonly value: number | boolean | null };

/**
 * Parses what stands behind a key that ends in `.$`: a path, or `States.Format('{} of {}', $.a, States.ArrayLength($.b))`.
 * The package parses intrinsics too, but loses every backslash of their results and trips over parentheses in strings.
 *
 * @throws StateFailure `States.IntrinsicFailure`
 */
export function parseExpression(source: string): Expression {
  if (source.startsWith('$')) return { kind: 'path', path: source };
  const parser = new Parser(source);
  const expression = parser.expression();
  parser.end();
  return expression;
}

class Parser {
  readonly #source: string;
  #position = 0;

  constructor(source: string) {
    this.#source = source;
  }

  expression(): Expression {
    this.#skipSpace();
    const next = this.#source[this.#position];
    if (next === "'") return this.#string();
    if (next === '$') return { kind: 'path', path: this.#path() };
    const word = this.#take(/[\w.+-]+/y);
    if (word === undefined) return this.#refuse('expected an argument');
    if (this.#source[this.#position] === '(') return { kind: 'call', name: word, args: this.#args() };
    return this.#literal(word);
  }

  end(): void {
    this.#skipSpace();
    if (this.#position < this.#source.length) this.#refuse('text after the end');
  }

  #args(): Expression[] {
    this.#position += 1;
    const args: Expression[] = [];
    this.#skipSpace();
    if (this.#source[this.#position] === ')') {
      this.#position += 1;
      return args;
    }
    for (;;) {
      args.push(this.expression());
      this.#skipSpace();
      const separator = this.#source[this.#position];
      this.#position += 1;
      if (separator === ')') return args;
      if (separator !== ',') this.#refuse('expected a comma or a closing parenthesis');
    }
  }

  #string(): Expression {
    const quoted = this.#take(/'(?:[^'\\]|\\.)*'/sy);
    if (quoted === undefined) return this.#refuse('a string without its closing quote');
    return { kind: 'string', text: quoted.slice(1, -1) };
  }

  /** Up to a comma, space or parenthesis outside of brackets and quotes. */
  #path(): string {
    return this.#take(/\$(?:\[(?:'[^']*'|"[^"]*"|[^\]'"])*\]|[^,\s()[\]])*/y) ?? this.#refuse('a broken path');
  }

  #literal(word: string): Expression {
    if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' };
    if (word === 'null') return { kind: 'literal', value: null };
    const number = Number(word);
    return Number.isNaN(number) ? this.#refuse(`unknown word ${word}`) : { kind: 'literal', value: number };
  }

  #skipSpace(): void {
    this.#take(/\s*/y);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#source)?.[0];
    if (match !== undefined) this.#position += match.length;
    return match;
  }

  #refuse(problem: string): never {
    throw intrinsicFailure(`${problem} at ${this.#position} of: ${this.#source}`);
  }
}
