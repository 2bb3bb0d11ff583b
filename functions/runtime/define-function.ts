import { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import type * as z from 'zod/mini';
import { shapeFindings } from '../../core/config/shape-findings.ts';
import { InputInvalid, RankvaultError } from '../../core/errors.ts';
import { recordFailure } from '../../core/failures.ts';
import { type Machine, RunKeys } from '../../core/work-layout.ts';
import { clock } from './clock.ts';
import { logKeysOf, type Subject, subjectOf } from './log-keys.ts';
import { work } from './stores.ts';

const logger = new Logger({ serviceName: 'rankvault' });

/** A Lambda that has less time left than this stops cleanly and says where to go on: 60 s cover a copy or a range of one; a part that is
 * streamed into a file may take longer, see the limits in the README. */
const STOP_BEFORE_END_MILLIS = 60_000;

export interface Invocation {
  /** Unique to this invocation. */
  readonly id: string;
  /** True when it is time to stop cleanly. */
  readonly shouldStop: () => boolean;
  readonly logger: Logger;
}

export interface FunctionDefinition<S extends z.ZodMiniType, Answer> {
  /** Name of the file, as logs and failure records show it. */
  readonly name: string;
  readonly input: S;
  readonly run: (request: z.output<S>, invocation: Invocation) => Promise<Answer>;
}

/** The shell of every Lambda: parses the request, logs with the run's names, writes a failure record before it fails. */
export function defineFunction<S extends z.ZodMiniType, Answer>(definition: FunctionDefinition<S, Answer>) {
  return async (event: unknown, context: Context): Promise<Answer> => {
    const subject = subjectOf(event);
    const log = logger.createChild({
      persistentKeys: { function: definition.name, requestId: context.awsRequestId, ...logKeysOf(subject) },
    });
    const invocation: Invocation = {
      id: context.awsRequestId,
      shouldStop: () => context.getRemainingTimeInMillis() < STOP_BEFORE_END_MILLIS,
      logger: log,
    };
    try {
      const answer = await definition.run(parse(definition, event), invocation);
      log.info('done', { answer });
      return answer;
    } catch (error) {
      log.error('failed', { error });
      await leaveRecord(definition.name, subject, { error, id: context.awsRequestId, log });
      throw error;
    }
  };
}

function parse<S extends z.ZodMiniType, Answer>(
  definition: FunctionDefinition<S, Answer>,
  event: unknown,
): z.output<S> {
  const result = definition.input.safeParse(event, { reportInput: true });
  if (!result.success) {
    const findings = shapeFindings(result.error.issues, 'it');
    throw new InputInvalid(
      `${definition.name} was called with something else than its state machine sends: ${findings.join('; ')}.`,
      {
        hint: 'Deploy the stacks again: state machine and functions are from different deployments.',
      },
    );
  }
  return result.data;
}

/** Never hides the error itself: a record that cannot be written is only logged. */
async function leaveRecord(
  name: string,
  { run }: Subject,
  failed: { readonly error: unknown; readonly id: string; readonly log: Logger },
): Promise<void> {
  if (run === undefined) {
    return;
  }
  const machine: Machine = run.machine;
  const { error } = failed;
  try {
    await recordFailure(work, new RunKeys(machine, run.execution), {
      id: failed.id,
      atEpochMillis: clock.nowEpochMillis(),
      facts: {
        error: error instanceof Error ? error.name : 'Error',
        message: error instanceof Error ? error.message : String(error),
        function: name,
        transient: error instanceof RankvaultError && error.family === 'transient',
      },
    });
  } catch (recordError) {
    failed.log.warn('the failure could not be recorded', { error: recordError });
  }
}
