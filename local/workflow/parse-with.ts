import * as z from 'zod/mini';

/** zod/mini has no messages of its own. */
const messages = z.locales.en().localeError;

/**
 * Parses what comes from outside.
 *
 * @param refuse makes the error to throw of the problems, one a line, each with its path
 */
export function parseWith<T extends z.ZodMiniType>(
  schema: T,
  value: unknown,
  refuse: (problem: string) => Error,
): z.output<T> {
  const parsed = z.safeParse(schema, value, { error: messages });
  if (parsed.success) return parsed.data;
  throw refuse(z.prettifyError(parsed.error));
}
