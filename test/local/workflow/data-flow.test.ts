// cspell:words Redrive
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../local/workflow/json.ts';
import { fixture, flow, lambda, MACHINE_ARN, pass } from './workflow-fixture.ts';

async function outputOf(state: JsonObject, input: JsonValue): Promise<JsonValue | undefined> {
  const ended = await fixture(flow({ Only: state })).run(input);
  expect(ended.error).toBeUndefined();
  return ended.output;
}

async function errorOf(state: JsonObject, input: JsonValue): Promise<string | undefined> {
  return (await fixture(flow({ Only: state })).run(input)).error;
}

describe('shapes data as the States Language says', () => {
  const cases: readonly [what: string, state: JsonObject, input: JsonValue, output: JsonValue][] = [
    ['everything by default', lambda(), { a: 1 }, { a: 1 }],
    ['InputPath', lambda({ End: true, InputPath: '$.a' }), { a: { b: 1 } }, { b: 1 }],
    ['InputPath null', lambda({ End: true, InputPath: null }), { a: 1 }, {}],
    ['InputPath into the context', lambda({ End: true, InputPath: '$$.Execution.Input.a' }), { a: [1] }, [1]],
    ['ResultPath', lambda({ End: true, InputPath: '$.a', ResultPath: '$.x.y' }), { a: 1 }, { a: 1, x: { y: 1 } }],
    ['ResultPath $', lambda({ End: true, InputPath: '$.a', ResultPath: '$' }), { a: 1 }, 1],
    ['ResultPath null', lambda({ End: true, InputPath: '$.a', ResultPath: null }), { a: 1 }, { a: 1 }],
    ['ResultPath in brackets', lambda({ End: true, InputPath: '$.a', ResultPath: "$['x']" }), { a: 1 }, { a: 1, x: 1 }],
    ['OutputPath', lambda({ End: true, OutputPath: '$.a' }), { a: { b: 1 } }, { b: 1 }],
    ['OutputPath null', lambda({ End: true, OutputPath: null }), { a: 1 }, {}],
    [
      'Parameters',
      lambda({ End: true, Parameters: { 'a.$': '$.x', fixed: [1, { 'b.$': '$.y' }], text: '$.x' } }),
      { x: null, y: false },
      { a: null, fixed: [1, { b: false }], text: '$.x' },
    ],
    [
      'ResultSelector before ResultPath',
      lambda({ End: true, ResultSelector: { 'n.$': '$.list.length()' }, ResultPath: '$.r' }),
      { list: { 'length()': 2 } },
      { list: { 'length()': 2 }, r: { n: 2 } },
    ],
    ['a Pass with a false Result', pass({ Result: false }), {}, false],
    [
      'a Pass with Parameters',
      pass({ Parameters: { 'b.$': '$.a' }, ResultPath: '$.c' }),
      { a: 0 },
      { a: 0, c: { b: 0 } },
    ],
    ['a wildcard with one match as a list', pass({ Parameters: { 'x.$': '$.l[*].n' } }), { l: [{ n: 1 }] }, { x: [1] }],
    ['a wildcard without a match as an empty list', pass({ Parameters: { 'x.$': '$.l[*].n' } }), { l: [] }, { x: [] }],
    ['an index', pass({ Parameters: { 'x.$': '$.l[1]' } }), { l: [1, 2] }, { x: 2 }],
    ['keys with spaces', pass({ Parameters: { 'x.$': "$['a b'].c" } }), { 'a b': { c: 1 } }, { x: 1 }],
  ];

  test.each(cases)('%s', async (_what, state, input, output) => {
    expect(await outputOf(state, input)).toEqual(output);
  });

  test('and fails by name where it cannot', async () => {
    expect(await errorOf(lambda({ End: true, InputPath: '$.nope' }), {})).toBe('States.Runtime');
    expect(await errorOf(pass({ Parameters: { 'x.$': '$.nope' } }), {})).toBe('States.Runtime');
    expect(await errorOf(pass({ ResultPath: '$.x' }), [1])).toBe('States.ResultPathMatchFailure');
  });

  test('says which path it was in the words of the definition', async () => {
    const ended = await fixture(flow({ Only: pass({ Parameters: { 'x.$': '$.nope' } }) })).run({});

    expect(ended.cause).toContain("'$.nope'");
  });
});

describe('intrinsic functions', () => {
  const cases: readonly [expression: string, expected: JsonValue][] = [
    ["States.Format('{} of {}', $.text, States.ArrayLength($.list))", 'a "b" \\ (c of 3'],
    ["States.Format('\\{\\} it\\'s, (really) {}', $.none)", "{} it's, (really) null"],
    ['States.JsonToString($.object)', '{"path":"a\\\\b","quote":"\\""}'],
    ['States.StringToJson($.json)', { path: 'a\\b' }],
    ["States.Array('x', 1, true, null, $.list[0])", ['x', 1, true, null, 1]],
    ['States.ArrayPartition($.list, 2)', [[1, 2], [2]]],
    ['States.ArrayContains($.list, 2)', true],
    ['States.ArrayRange(1, 9, 4)', [1, 5, 9]],
    ['States.ArrayGetItem($.list, 1)', 2],
    ['States.ArrayUnique($.list)', [1, 2]],
    ["States.Base64Decode(States.Base64Encode('h\u00e4'))", 'h\u00e4'],
    ["States.Hash('abc', 'SHA-1')", 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['States.JsonMerge($.object, $.other, false)', { path: 'mine', quote: '"' }],
    ['States.MathAdd(40, $.list[1])', 42],
    ["States.StringSplit('a,b.c', ',.')", ['a', 'b', 'c']],
    ["States.Format('{}', $$.State.Name)", 'Only'],
  ];
  const input = {
    text: 'a "b" \\ (c',
    none: null,
    list: [1, 2, 2],
    object: { path: 'a\\b', quote: '"' },
    other: { path: 'mine' },
    json: '{"path":"a\\\\b"}',
  };

  test.each(cases)('%s', async (expression, expected) => {
    expect(await outputOf(pass({ Parameters: { 'x.$': expression } }), input)).toEqual({ x: expected });
  });

  test('do not change what they read', async () => {
    const state = pass({ Parameters: { 'x.$': 'States.JsonMerge($.object, $.other, false)', 'y.$': '$.object' } });

    expect(await outputOf(state, input)).toMatchObject({ y: input.object });
  });

  test('States.UUID and States.MathRandom give something of their kind', async () => {
    const state = pass({ Parameters: { 'id.$': 'States.UUID()', 'n.$': 'States.MathRandom(3, 5)' } });

    const output = await outputOf(state, {});

    expect(output).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      n: expect.toSatisfy((n) => n === 3 || n === 4),
    });
  });

  test.each([
    'States.Nothing()',
    "States.Format('{}')",
    "States.Format('{}', 1, 2)",
    'States.StringToJson($.text)',
    'States.ArrayGetItem($.list, 9)',
    'States.JsonMerge($.object, $.other, true)',
    'States.ArrayRange(1, 5000, 1)',
    "States.Format('unclosed",
    'States.MathAdd(1, 2) 3',
  ])('%s fails as States.IntrinsicFailure', async (expression) => {
    expect(await errorOf(pass({ Parameters: { 'x.$': expression } }), input)).toBe('States.IntrinsicFailure');
  });
});

test('the context object has the execution, the state and the machine', async () => {
  const output = await outputOf(pass({ Parameters: { 'context.$': '$$' } }), { a: 1 });

  expect(output).toEqual({
    context: {
      Execution: {
        Id: 'arn:aws:states:us-east-1:000000000000:execution:Sample:run',
        Input: { a: 1 },
        Name: 'run',
        RoleArn: 'arn:aws:iam::000000000000:role/sample',
        StartTime: '2026-01-02T03:04:05.000Z',
        RedriveCount: 0,
      },
      State: { Name: 'Only', EnteredTime: '2026-01-02T03:04:05.000Z', RetryCount: 0 },
      StateMachine: { Id: MACHINE_ARN, Name: 'Sample' },
    },
  });
});

test('the context of a branch still has the input of the execution', async () => {
  const branch = flow({ Inner: pass({ Parameters: { 'input.$': '$$.Execution.Input', 'name.$': '$$.State.Name' } }) });
  const output = await outputOf({ Type: 'Parallel', InputPath: '$.a', Branches: [branch], End: true }, { a: 1 });

  expect(output).toEqual([{ input: { a: 1 }, name: 'Inner' }]);
});
