// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax of Fn::Sub
import { describe, expect, test } from 'vitest';
import { Resolver } from '../../../local/assembly/resolver.ts';
import type { JsonValue } from '../../../local/workflow/json.ts';

function resolver(): Resolver {
  return new Resolver(
    {
      name: 'Sample',
      constructPaths: new Map(),
      template: {
        Resources: {
          Store: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'store' } },
          Work: { Type: 'AWS::Lambda::Function', Properties: {} },
          Live: { Type: 'AWS::Lambda::Alias', Properties: { FunctionName: { Ref: 'Work' }, Name: 'live' } },
        },
        Parameters: { Stage: { Default: 'prod' }, Bare: {} },
        Mappings: { Zones: { 'us-east-1': { first: 'a' } } },
        Conditions: {
          IsProd: { 'Fn::Equals': [{ Ref: 'Stage' }, 'prod'] },
          IsNot: { 'Fn::Not': [{ Condition: 'IsProd' }] },
        },
      },
    },
    {
      importValue: (name) => `imported ${name}`,
      stackOutput: (stackName, outputName) => `${stackName}/${outputName}`,
    },
  );
}

const cases: readonly [what: string, value: JsonValue, expected: JsonValue][] = [
  ['a Ref to a bucket', { Ref: 'Store' }, 'store'],
  ['a Ref to a parameter', { Ref: 'Stage' }, 'prod'],
  ['pseudo parameters', [{ Ref: 'AWS::AccountId' }, { Ref: 'AWS::Region' }], ['000000000000', 'us-east-1']],
  ['an attribute as a list', { 'Fn::GetAtt': ['Store', 'Arn'] }, 'arn:aws:s3:::store'],
  ['an attribute as text', { 'Fn::GetAtt': 'Store.Arn' }, 'arn:aws:s3:::store'],
  ['a Ref to an alias', { Ref: 'Live' }, 'arn:aws:lambda:us-east-1:000000000000:function:Sample-Work:live'],
  ['Join', { 'Fn::Join': ['-', ['a', { Ref: 'Stage' }]] }, 'a-prod'],
  ['Sub with variables', { 'Fn::Sub': ['${x}/${Store.Arn}/${!kept}', { x: 'y' }] }, 'y/arn:aws:s3:::store/${kept}'],
  ['Sub of a text', { 'Fn::Sub': 'b-${AWS::Region}-${Stage}' }, 'b-us-east-1-prod'],
  ['Select of Split', { 'Fn::Select': [1, { 'Fn::Split': [':', 'a:b:c'] }] }, 'b'],
  ['an import', { 'Fn::ImportValue': 'Other:Out' }, 'imported Other:Out'],
  ['an output of another stack', { 'Fn::GetStackOutput': { StackName: 'Other', OutputName: 'Out' } }, 'Other/Out'],
  ['a map', { 'Fn::FindInMap': ['Zones', { Ref: 'AWS::Region' }, 'first'] }, 'a'],
  ['conditions', [{ 'Fn::If': ['IsProd', 1, 2] }, { 'Fn::If': ['IsNot', 1, 2] }], [1, 2]],
  ['NoValue by leaving it out', { a: 1, b: { Ref: 'AWS::NoValue' } }, { a: 1 }],
];

describe('resolves', () => {
  test.each(cases)('%s', (_what, value, expected) => {
    expect(resolver().resolve(value)).toEqual(expected);
  });
});

const refusals: readonly [what: string, value: JsonValue, message: RegExp][] = [
  ['an unknown function', { 'Fn::Cidr': ['10.0.0.0/16', 2, 8] }, /Fn::Cidr is not understood/],
  ['an unknown attribute', { 'Fn::GetAtt': ['Store', 'Color'] }, /Store\.Color \(AWS::S3::Bucket\) is not known/],
  ['an unknown resource', { Ref: 'Nothing' }, /no resource Nothing/],
  ['a parameter without default', { Ref: 'Bare' }, /parameter Bare has no default/],
  ['an unknown pseudo parameter', { Ref: 'AWS::Moon' }, /pseudo parameter AWS::Moon/],
];

describe('refuses by name', () => {
  test.each(refusals)('%s', (_what, value, message) => {
    expect(() => resolver().resolve(value)).toThrow(message);
  });
});
