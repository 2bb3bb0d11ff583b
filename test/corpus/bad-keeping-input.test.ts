import { describe, expect, test } from 'vitest';
import type * as z from 'zod/mini';
import { InputInvalid } from '../../core/errors.ts';
import { maintainInputSchema, parseInput, verifyInputSchema } from '../../core/execution-input.ts';

const ID = '1767225600123';
const DIRECTORY = 'snapshot.2026-01-31.23-59-59';
const EXACTLY = `an id of 13 digits, or a directory like ${DIRECTORY}`;
const NAME = 'must begin with a letter and hold only letters, digits and "_", 63 characters at most';
const DROPPED = "must be the name of a backup, the beginning of names like 'test_*', or '*' for all";
const PATTERN = "backup is a pattern; to drop every backup that it fits, say 'deleteAllBackups': true";
const ACTIONS =
  "action is not one that Rankvault knows; it must be 'purge', 'merge', 'expire', 'drop', 'pin', 'unpin', 'freeze', 'thaw', 'undelete', 'collect' or 'repair'";
const LEVELS = "level is not one that Rankvault knows; it must be 'present', 'read' or 'restored'";

type Bad = readonly [what: string, input: unknown, says: string];

const maintain: readonly Bad[] = [
  ['nothing', undefined, 'it is missing'],
  ['null', null, 'it is null; it must be an object'],
  ['a text', 'purge', "it is 'purge'; it must be an object"],
  ['a list', [{ action: 'purge' }], 'it is a list of 1; it must be an object'],
  ['no action', { backup: 'prod' }, ACTIONS],
  ['an unknown action', { action: 'prune', backup: 'prod' }, ACTIONS],
  ['an action in capitals', { action: 'EXPIRE', backup: 'prod' }, ACTIONS],
  ['two actions', { action: ['pin', 'purge'], backup: 'prod', snapshot: ID }, ACTIONS],
  ['no backup', { action: 'collect' }, 'backup is missing'],
  ['a pattern where it is not taken', { action: 'collect', backup: '*' }, `backup is '*'; it ${NAME}`],
  ['purge of an empty name', { action: 'purge', backup: '', snapshot: ID }, `backup is ''; it ${NAME}`],
  ['purge of no snapshot', { action: 'purge', backup: 'prod' }, 'snapshot is missing'],
  ['purge of the latest', purge({ snapshot: 'latest' }), `snapshot is 'latest'; it must be ${EXACTLY}`],
  ['purge of all', purge({ snapshot: 'all' }), `snapshot is 'all'; it must be ${EXACTLY}`],
  ['purge of a day', purge({ snapshot: '2026-01-31' }), `snapshot is '2026-01-31'; it must be ${EXACTLY}`],
  ['purge of an id and more', purge({ snapshot: `${ID}|all` }), `snapshot is '${ID}|all'; it must be ${EXACTLY}`],
  ['purge of a directory and more', purge({ snapshot: `${DIRECTORY}/` }), `it must be ${EXACTLY}`],
  ['purge of several', purge({ snapshot: [ID] }), 'snapshot is a list of 1; it must be a text'],
  ['purge of a number', purge({ snapshot: Number(ID) }), `snapshot is ${ID}; it must be a text`],
  ['purge by force', purge({ force: true }), "it has 'force', which is no setting of Rankvault"],
  ['purge "now"', purge({ immediately: 'now' }), "immediately is 'now'; it must be true or false"],
  ['an empty reason', purge({ reason: '' }), "reason is ''; it must not be empty"],
  ['a reason like a novel', purge({ reason: 'x'.repeat(501) }), 'it must have at most 500 characters'],
  ['a dry run of 1', purge({ dryRun: 1 }), 'dryRun is 1; it must be true or false'],
  ['waiting for an hour', purge({ wait: 3600 }), 'wait is 3600; it must be true or false'],
  ['merge of all', { action: 'merge', backup: 'prod', snapshot: 'all' }, `it must be "latest", ${EXACTLY}`],
  ['expiry of one', { action: 'expire', backup: 'prod', snapshot: ID }, "it has 'snapshot', which is no setting"],
  ['drop of an empty name', drop(''), `backup is ''; it ${DROPPED}`],
  ['drop of an empty name of all', drop('', true), `backup is ''; it ${DROPPED}`],
  ['drop of a space', drop(' ', true), `backup is ' '; it ${DROPPED}`],
  ['drop of nothing', { action: 'drop', deleteAllBackups: true }, 'backup is missing'],
  ['drop of all, said once', drop('*'), PATTERN],
  ['drop of many, said once', drop('prod*'), PATTERN],
  ['drop of ends of names', drop('*prod', true), `backup is '*prod'; it ${DROPPED}`],
  ['drop of two patterns', drop('prod*,dr*', true), `backup is 'prod*,dr*'; it ${DROPPED}`],
  ['drop of the catalog', drop('.rankvault', true), `backup is '.rankvault'; it ${DROPPED}`],
  ['drop of a prefix', drop('prod/', true), `backup is 'prod/'; it ${DROPPED}`],
  [
    'drop with "yes"',
    { action: 'drop', backup: 'prod', deleteAllBackups: 'yes' },
    "deleteAllBackups is 'yes'; it must be true or false",
  ],
  ['a pin on nothing', { action: 'pin', backup: 'prod' }, 'snapshot is missing'],
  ['unpin of the latest', { action: 'unpin', backup: 'prod', snapshot: 'latest' }, `it must be ${EXACTLY}`],
  ['undelete of the latest', { action: 'undelete', backup: 'prod', snapshot: 'latest' }, `it must be ${EXACTLY}`],
  ['repair of the latest', { action: 'repair', backup: 'prod', snapshot: 'latest' }, `it must be ${EXACTLY}`],
  [
    'a freeze of one snapshot',
    { action: 'freeze', backup: 'prod', snapshot: ID },
    "it has 'snapshot', which is no setting",
  ],
];

const verify: readonly Bad[] = [
  ['nothing', undefined, 'it is missing'],
  ['an empty object', {}, LEVELS],
  ['an unknown level', { level: 'deep', backup: 'prod' }, LEVELS],
  ['no backup', { level: 'present' }, 'backup is missing'],
  ['all backups', { level: 'present', backup: '*' }, `backup is '*'; it ${NAME}`],
  [
    'a word for the newest',
    { level: 'present', backup: 'prod', snapshot: 'newest' },
    `it must be "all", "latest", ${EXACTLY}`,
  ],
  ['a snapshot by number', { level: 'present', backup: 'prod', snapshot: 7 }, 'snapshot is 7; it must be a text'],
  [
    'a budget where nothing is read',
    { level: 'present', backup: 'prod', budget: { parts: 1 } },
    "it has 'budget', which is no setting",
  ],
  ['a budget of 0', read(0), 'budget is 0; it must be an object'],
  ['a budget without a limit', read({}), 'budget is empty; it must have parts, bytes or dollars'],
  ['a budget of 0 parts', read({ parts: 0 }), 'budget.parts is 0; it must be more than 0'],
  ['a budget of half a byte', read({ bytes: 0.5 }), 'budget.bytes is 0.5; it must be a whole number'],
  ['a budget of debts', read({ dollars: -1 }), 'budget.dollars is -1; it must be more than 0'],
  ['a budget in words', read({ parts: 'all' }), "budget.parts is 'all'; it must be a number"],
  ['a budget of time', read({ parts: 1, minutes: 10 }), "budget has 'minutes', which is no setting of Rankvault"],
  ['a drill into nowhere', { level: 'restored', backup: 'prod' }, 'cluster is missing'],
  ['a drill that climbs', drill({ cluster: '../prod' }), `cluster is '../prod'; it ${NAME}`],
  ['a drill of all', drill({ snapshot: 'all' }), `snapshot is 'all'; it must be "latest", ${EXACTLY}`],
  [
    'a drill by another policy',
    drill({ options: { policy: 'none' } }),
    "it has 'options', which is no setting of Rankvault",
  ],
  ['a drill of a name with spaces', drill({ drill: 'first of month' }), `drill is 'first of month'; it ${NAME}`],
  ['waiting as a text', { level: 'read', backup: 'prod', wait: 'yes' }, "wait is 'yes'; it must be true or false"],
];

function purge(change: object): unknown {
  return { action: 'purge', backup: 'prod', snapshot: ID, ...change };
}
function drop(backup: string, deleteAllBackups?: boolean): unknown {
  return { action: 'drop', backup, ...(deleteAllBackups === undefined ? {} : { deleteAllBackups }) };
}
function read(budget: unknown): unknown {
  return { level: 'read', backup: 'prod', budget };
}
function drill(change: object): unknown {
  return { level: 'restored', backup: 'prod', cluster: 'scratch', ...change };
}

const EXAMPLE = '{"an":"example"}';

function refusal(schema: z.ZodMiniType, input: unknown, machine: string): unknown {
  try {
    return parseInput(schema, input, machine, EXAMPLE);
  } catch (error) {
    return error;
  }
}

describe.each([
  ['Maintain', maintainInputSchema, maintain],
  ['Verify', verifyInputSchema, verify],
] as const)('Bad input of %s is refused in words that say what is wrong and what to do', (machine, schema, corpus) => {
  test.each(corpus)('%s', (_what, input, says) => {
    const error = refusal(schema, input, machine);
    expect(error).toBeInstanceOf(InputInvalid);
    expect(String(error)).toContain(`The input of ${machine} is not valid: `);
    expect(String(error)).toContain(says);
    expect(String(error)).toMatch(/Start it again with an input like \{"an":"example"\}$/);
  });

  test('each is another case', () => {
    expect(new Set(corpus.map(([what]) => what)).size).toBe(corpus.length);
  });
});

describe('The good neighbors of bad input are taken, with what was left out', () => {
  test.each([
    [drop('prod'), { backup: 'prod', deleteAllBackups: false, immediately: false, dryRun: false, wait: false }],
    [drop('prod*', true), { backup: 'prod*', deleteAllBackups: true }],
    [drop('*', true), { backup: '*' }],
    [drop('prod', true), { backup: 'prod' }],
    [purge({ snapshot: DIRECTORY }), { snapshot: DIRECTORY, immediately: false }],
    [{ action: 'merge', backup: 'prod' }, { snapshot: 'latest' }],
    [{ action: 'pin', backup: 'prod', snapshot: 'latest' }, { snapshot: 'latest' }],
  ])('%j by Maintain', (input, taken) => {
    expect(parseInput(maintainInputSchema, input, 'Maintain', EXAMPLE)).toMatchObject(taken);
  });

  test.each([
    [
      { level: 'present', backup: 'prod' },
      { snapshot: 'all', wait: false },
    ],
    [{ level: 'present', backup: 'prod', snapshot: DIRECTORY }, { snapshot: DIRECTORY }],
    [read({ dollars: 0.01 }), { snapshot: 'all', budget: { dollars: 0.01 } }],
    [drill({}), { snapshot: 'latest', cluster: 'scratch' }],
  ])('%j by Verify', (input, taken) => {
    expect(parseInput(verifyInputSchema, input, 'Verify', EXAMPLE)).toMatchObject(taken);
  });
});
