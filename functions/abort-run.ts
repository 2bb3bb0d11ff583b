import { abortRequestSchema, abortRun } from '../core/jobs/end-run.ts';
import { defineFunction } from './runtime/define-function.ts';
import { work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'abort-run',
  input: abortRequestSchema,
  run: (request) => abortRun(work, request),
});
