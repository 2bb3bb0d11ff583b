import { describe, expect, it } from 'vitest';
import { clusterSchema } from '../../core/config/schema.ts';
import { definitionOf, digestOf } from '../../core/definition.ts';

const root = { name: 'main', url: 's3://clusters/prod' };
const digest = (cluster: unknown, name = 'prod') => digestOf(definitionOf(name, clusterSchema.parse(cluster)));
const files = { control: { kind: 'none' }, roots: [root] };
const kagent = { control: { kind: 'none' }, source: { kind: 'kagent', path: 's3://clusters/kagent' } };

describe('the digest of what a backup covers', () => {
  it('does not depend on the order of keys', () => {
    expect(digestOf({ a: 1, b: { c: [{ d: 1, e: 2 }], f: null } })).toBe(
      digestOf({ b: { f: null, c: [{ e: 2, d: 1 }] }, a: 1 }),
    );
  });

  it('depends on the order of lists', () => {
    expect(digestOf([1, 2])).not.toBe(digestOf([2, 1]));
  });

  it.each([
    ['another URL', { ...files, roots: [{ ...root, url: 's3://clusters/other' }] }],
    ['another pattern', { ...files, roots: [{ ...root, pattern: 'r{rank}' }] }],
    ['another exclude', { ...files, roots: [{ ...root, exclude: ['tmp/**'] }] }],
    ['another root', { ...files, roots: [root, { name: 'more', url: 's3://clusters/more' }] }],
    ['another source', kagent],
  ])('changes with %s', (_what, cluster) => {
    expect(digest(cluster)).not.toBe(digest(files));
  });

  it('changes with the cluster', () => {
    expect(digest(files, 'dr')).not.toBe(digest(files, 'prod'));
  });

  it.each([
    ['the control endpoint', files, { ...files, control: { kind: 'kinetica', url: 'http://head:9191' } }],
    [
      'the key of a root',
      files,
      { ...files, roots: [{ ...root, kmsKeyArn: 'arn:aws:kms:eu-west-1:123456789012:key/k' }] },
    ],
    ['a given topology', files, { ...files, topology: { ranks: [0, 1] } }],
    ['how long KAgent is waited for', kagent, { ...kagent, source: { ...kagent.source, settleMinutes: 60 } }],
  ])('does not change with %s', (_what, before, after) => {
    expect(digest(after)).toBe(digest(before));
  });
});
