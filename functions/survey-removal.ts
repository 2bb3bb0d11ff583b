import * as z from 'zod/mini';
import { surveyProgressSchema, surveyRemoval } from '../core/jobs/survey-removal.ts';
import { unitItemSchema } from '../core/maintain/units.ts';
import { maintainRunSchema } from '../core/run.ts';
import { defineFunction } from './runtime/define-function.ts';
import { keysOf } from './runtime/maintain-run.ts';
import { vault, work } from './runtime/stores.ts';
import { versions } from './runtime/versions.ts';

export const handler = defineFunction({
  name: 'survey-removal',
  input: z.object({ run: maintainRunSchema, item: unitItemSchema, progress: surveyProgressSchema }),
  run: ({ run, item, progress }, { id, shouldStop }) =>
    surveyRemoval({ vault, versions, work, keys: keysOf(run) }, { run, item, progress, invocation: id, shouldStop }),
});
