/**
 * Finds a secret in any spelling in which a server may quote it: plain, in JSON inside JSON at any depth, in a URL, in HTML, and
 * each character in a spelling of its own. Letter case is ignored: too much is removed rather than too little.
 */
export function secretPattern(secret: string): RegExp {
  const tokens: string[] = [];
  let afterBackslashes = false;
  for (const piece of secret.match(/\\+|[^\\]/gu) ?? []) {
    if (piece.startsWith('\\')) tokens.push(backslashes(piece.length));
    // One run of backslashes, one quantifier: two side by side would try every way to share the run.
    else tokens.push(`${afterBackslashes ? '' : `\\\\{0,${MAX_ESCAPES}}`}${character(piece)}`);
    afterBackslashes = piece.startsWith('\\');
  }
  return new RegExp(tokens.join(''), 'giu');
}

/** JSON in JSON doubles backslashes: five levels. A bound keeps the search linear in hostile texts. */
const MAX_ESCAPES = 31;

const ENTITIES: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };
const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't' };

function backslashes(count: number): string {
  return `(?:\\\\|%5c|&#92;|&#x5c;|u005c){${count},${count * (MAX_ESCAPES + 1)}}`;
}

function character(piece: string): string {
  const code = (piece.codePointAt(0) ?? 0).toString(16);
  const utf16 = [...Array(piece.length).keys()].map((at) => piece.charCodeAt(at).toString(16).padStart(4, '0'));
  const utf8 = [...Buffer.from(piece, 'utf8')].map((byte) => byte.toString(16).padStart(2, '0'));
  const spellings = [
    `\\u{${code}}`,
    utf16.map((unit) => `u${unit}`).join('\\\\{1,31}'),
    utf8.map((byte) => `%${byte}`).join(''),
    `&(?:amp;){0,3}#(?:x0{0,4}${code}|0{0,4}${piece.codePointAt(0)});`,
  ];
  const entity = ENTITIES[piece];
  if (entity !== undefined) spellings.push(`&(?:amp;){0,3}${entity};`);
  const short = SHORT_ESCAPES[piece];
  if (short !== undefined) spellings.push(short);
  if (piece === ' ') spellings.push('\\+');
  return `(?:${spellings.join('|')})`;
}
