import type * as z from 'zod/mini';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** `clusters.prod.roots[0].url`; the name of the whole for the whole. */
function pathText(path: Path, whole: string): string {
  const text = path.map((segment) => (typeof segment === 'number' ? `[${segment}]` : `.${String(segment)}`)).join('');
  return text === '' ? whole : text.replace(/^\./, '');
}

/** What zod found, one sentence each, in an operator's words. Parse with `reportInput: true`, or "missing" is not told. */
export function shapeFindings(issues: readonly Issue[], whole = 'the configuration'): readonly string[] {
  return issues.map((issue) => `${pathText(issue.path, whole)} ${sayIssue(issue)}`);
}

function sayIssue(issue: Issue): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return `has ${issue.keys.map((key) => `'${key}'`).join(', ')}, which is no setting of Rankvault`;
    case 'invalid_key':
      return issue.issues.map((inner) => inner.message).join(' and ');
    case 'invalid_value':
      return `${sayInput(issue.input)}; it must be ${oneOf(issue.values)}`;
    case 'invalid_union':
      return sayUnion(issue);
    case 'too_small':
      return `${sayInput(issue.input)}; ${sayBound(issue, 'least', issue.minimum)}`;
    case 'too_big':
      return `${sayInput(issue.input)}; ${sayBound(issue, 'most', issue.maximum)}`;
    case 'invalid_type':
      return issue.input === undefined
        ? 'is missing'
        : `${sayInput(issue.input)}; it must be ${EXPECTED[issue.expected] ?? issue.expected}`;
    case 'invalid_format':
      return issue.format === 'email'
        ? `${sayInput(issue.input)}, which is no e-mail address`
        : `${sayInput(issue.input)}; it ${issue.message}`;
    default:
      return issue.message;
  }
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object of names',
};

function sayUnion(issue: Issue & { readonly code: 'invalid_union' }): string {
  if (issue.discriminator !== undefined && 'options' in issue && Array.isArray(issue.options)) {
    return `is not one that Rankvault knows; it must be ${oneOf(issue.options)}`;
  }
  return issue.message;
}

function sayBound(
  issue: { origin: string; inclusive?: boolean | undefined },
  side: 'least' | 'most',
  bound: number | bigint,
): string {
  if (issue.origin === 'array') {
    return `it needs at ${side} ${bound} ${bound === 1 ? 'entry' : 'entries'}`;
  }
  if (issue.origin === 'string') {
    return side === 'least' && bound === 1 ? 'it must not be empty' : `it must have at ${side} ${bound} characters`;
  }
  return issue.inclusive === false
    ? `it must be ${side === 'least' ? 'more' : 'less'} than ${bound}`
    : `it must be at ${side} ${bound}`;
}

function oneOf(values: readonly unknown[]): string {
  const texts = values.map((value) => `'${String(value)}'`);
  return texts.length === 1 ? `${texts[0]}` : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`;
}

/** Messages get into logs; a password that somebody wrote into a URL must not. */
function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/\s]*@/, '//...@');
}

function sayInput(input: unknown): string {
  if (typeof input === 'string') {
    return `is '${withoutCredentials(input)}'`;
  }
  if (typeof input === 'number' || typeof input === 'boolean' || input === null) {
    return `is ${input}`;
  }
  if (input === undefined) {
    return 'is missing';
  }
  return Array.isArray(input) ? `is a list of ${input.length}` : 'is an object';
}
