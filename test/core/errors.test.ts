import { describe, expect, it } from 'vitest';
import * as errors from '../../core/errors.ts';
import { ControlAmbiguous, ControlRefused } from '../../core/ports/cluster-control.ts';

/** Every exported class but the abstract one. */
const classes = [
  ...Object.entries(errors).flatMap(([name, value]) =>
    typeof value === 'function' && name !== 'RankvaultError' ? [[name, value] as const] : [],
  ),
  ['ControlAmbiguous', ControlAmbiguous] as const,
  ['ControlRefused', ControlRefused] as const,
];

describe('the named errors', () => {
  it.each(classes)('%s has its own name, a family, and a message that ends in what to do', (name, Class) => {
    const cause = new Error('below');
    const error: unknown = Reflect.construct(Class, ['It broke.', { hint: 'Mend it.', cause }]);
    expect(error).toBeInstanceOf(errors.RankvaultError);
    expect(error).toMatchObject({ name, message: 'It broke. Mend it.', problem: 'It broke.', hint: 'Mend it.', cause });
    expect(error).toMatchObject({ family: expect.stringMatching(/^(transient|conflict|fatal)$/) });
  });

  it('without a cause have none', () => {
    expect('cause' in new errors.PartMissing('a', { hint: 'b' })).toBe(false);
  });

  it('that are retried are the transient ones', () => {
    const transient = classes.flatMap(([name, Class]) => {
      const error: unknown = Reflect.construct(Class, ['x', { hint: 'y' }]);
      return error instanceof errors.RankvaultError && error.family === 'transient' ? [name] : [];
    });
    expect(errors.TRANSIENT_ERROR_NAMES).toEqual(expect.arrayContaining(transient));
  });
});
