import { concludeRequestSchema, concludeVerification } from '../core/jobs/conclude-verification.ts';
import { clock } from './runtime/clock.ts';
import { defineFunction } from './runtime/define-function.ts';
import { vault, work } from './runtime/stores.ts';

export const handler = defineFunction({
  name: 'conclude-verification',
  input: concludeRequestSchema,
  run: (request) => concludeVerification({ vault, work, clock }, request),
});
