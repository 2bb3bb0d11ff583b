import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../local/workflow/json.ts';
import { fixture, flow, pass } from './workflow-fixture.ts';

function choose(rule: JsonObject): JsonObject {
  return flow({
    Choose: { Type: 'Choice', Choices: [{ ...rule, Next: 'Matched' }], Default: 'Other' },
    Matched: pass({ Result: 'matched' }),
    Other: pass({ Result: 'other' }),
  });
}

const V = '$.v';
const cases: readonly [rule: JsonObject, value: JsonValue, matches: boolean][] = [
  [{ Variable: V, StringEquals: 'a' }, 'a', true],
  [{ Variable: V, StringEquals: 'a' }, 'b', false],
  [{ Variable: V, StringEqualsPath: '$.w' }, 'w', true],
  [{ Variable: V, StringMatches: 'snapshot.*' }, 'snapshot.2026', true],
  [{ Variable: V, StringLessThan: 'b' }, 'a', true],
  [{ Variable: V, StringLessThan: '5' }, 3, false],
  [{ Variable: V, NumericEquals: 0 }, 0, true],
  [{ Variable: V, NumericGreaterThanEquals: 2 }, 2, true],
  [{ Variable: V, NumericGreaterThan: 1 }, '2', false],
  [{ Variable: V, NumericLessThanPath: '$.n' }, 6, true],
  [{ Variable: V, BooleanEquals: false }, false, true],
  [{ Variable: V, TimestampLessThan: '2026-01-02T00:00:00Z' }, '2026-01-01T00:00:00Z', true],
  [{ Variable: V, TimestampLessThan: '2026-01-02T00:00:00Z' }, 'yesterday', false],
  [{ Variable: '$.absent', IsPresent: false }, null, true],
  [{ Variable: '$.absent', IsPresent: true }, null, false],
  [{ Variable: V, IsPresent: true }, null, true],
  [{ Variable: V, IsNull: true }, null, true],
  [{ Variable: V, IsNull: false }, 1, true],
  [{ Variable: V, IsString: false }, 1, true],
  [
    {
      And: [
        { Variable: V, IsPresent: true },
        { Variable: V, StringEquals: 'a' },
      ],
    },
    'a',
    true,
  ],
  [
    {
      And: [
        { Variable: '$.absent', IsPresent: true },
        { Variable: '$.absent', StringEquals: 'a' },
      ],
    },
    'a',
    false,
  ],
  [
    {
      Or: [
        { Variable: V, NumericEquals: 1 },
        { Variable: V, StringEquals: 'a' },
      ],
    },
    'a',
    true,
  ],
  [{ Not: { Variable: V, StringEquals: 'a' } }, 'b', true],
  [{ Variable: '$$.Execution.Name', StringEquals: 'run' }, null, true],
];

test.each(cases)('%j with %j', async (rule, value, matches) => {
  const { output } = await fixture(choose(rule)).run({ v: value, w: 'w', n: 7 });

  expect(output).toBe(matches ? 'matched' : 'other');
});

describe('fails', () => {
  test('with States.Runtime when the variable is absent', async () => {
    expect(await fixture(choose({ Variable: '$.absent', StringEquals: 'a' })).run({})).toMatchObject({
      error: 'States.Runtime',
      cause: expect.stringContaining("'$.absent'"),
    });
  });

  test('with States.NoChoiceMatched without a default', async () => {
    const definition = flow({
      Choose: { Type: 'Choice', Choices: [{ Variable: '$.v', NumericEquals: 1, Next: 'One' }] },
      One: { Type: 'Succeed' },
    });

    expect(await fixture(definition).run({ v: 2 })).toMatchObject({ error: 'States.NoChoiceMatched' });
  });
});

test('passes its effective input on', async () => {
  const definition = flow({
    Choose: { Type: 'Choice', InputPath: '$.in', Choices: [{ Variable: '$.v', NumericEquals: 1, Next: 'One' }] },
    One: { Type: 'Succeed', OutputPath: '$.v' },
  });

  expect(await fixture(definition).run({ in: { v: 1 } })).toMatchObject({ status: 'SUCCEEDED', output: 1 });
});
