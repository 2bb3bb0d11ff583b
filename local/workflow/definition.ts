import * as z from 'zod/mini';

/** The States Language as far as this runtime runs it. Every object is strict: what it does not know it refuses. */

const path = z.nullable(z.string());
const template = z.json();

const retrier = z.strictObject({
  ErrorEquals: z.array(z.string()),
  IntervalSeconds: z.optional(z.number()),
  MaxAttempts: z.optional(z.number()),
  BackoffRate: z.optional(z.number()),
  MaxDelaySeconds: z.optional(z.number()),
  JitterStrategy: z.optional(z.enum(['NONE', 'FULL'])),
  Comment: z.optional(z.string()),
});
const catcher = z.strictObject({
  ErrorEquals: z.array(z.string()),
  Next: z.string(),
  ResultPath: z.optional(path),
  Comment: z.optional(z.string()),
});

const common = {
  Comment: z.optional(z.string()),
  QueryLanguage: z.optional(z.literal('JSONPath')),
  InputPath: z.optional(path),
  OutputPath: z.optional(path),
};
const step = { ...common, Next: z.optional(z.string()), End: z.optional(z.boolean()) };
const withResult = { ...step, ResultPath: z.optional(path) };
const fallible = {
  ...withResult,
  ResultSelector: z.optional(template),
  Retry: z.optional(z.array(retrier)),
  Catch: z.optional(z.array(catcher)),
};

const pass = z.strictObject({
  ...withResult,
  Type: z.literal('Pass'),
  Result: z.optional(template),
  Parameters: z.optional(template),
});
const task = z.strictObject({
  ...fallible,
  Type: z.literal('Task'),
  Resource: z.string(),
  Parameters: z.optional(template),
  TimeoutSeconds: z.optional(z.number()),
  TimeoutSecondsPath: z.optional(z.string()),
});
const wait = z.strictObject({
  ...step,
  Type: z.literal('Wait'),
  Seconds: z.optional(z.number()),
  SecondsPath: z.optional(z.string()),
  Timestamp: z.optional(z.string()),
  TimestampPath: z.optional(z.string()),
});
const choice = z.strictObject({
  ...common,
  Type: z.literal('Choice'),
  Choices: z.array(z.record(z.string(), template)),
  Default: z.optional(z.string()),
});
const succeed = z.strictObject({ ...common, Type: z.literal('Succeed') });
const fail = z.strictObject({
  Type: z.literal('Fail'),
  Comment: z.optional(z.string()),
  QueryLanguage: z.optional(z.literal('JSONPath')),
  Error: z.optional(z.string()),
  ErrorPath: z.optional(z.string()),
  Cause: z.optional(z.string()),
  CausePath: z.optional(z.string()),
});
const parallel = z.strictObject({
  ...fallible,
  Type: z.literal('Parallel'),
  Parameters: z.optional(template),
  Branches: z.array(z.unknown()),
});

const itemReader = z.strictObject({
  Resource: z.string(),
  Parameters: template,
  ReaderConfig: z.optional(
    z.strictObject({
      InputType: z.optional(z.enum(['JSON', 'JSONL'])),
      MaxItems: z.optional(z.number()),
      MaxItemsPath: z.optional(z.string()),
    }),
  ),
});
const resultWriter = z.strictObject({
  Resource: z.optional(z.string()),
  Parameters: z.optional(template),
  WriterConfig: z.optional(
    z.strictObject({
      Transformation: z.optional(z.enum(['NONE', 'COMPACT', 'FLATTEN'])),
      OutputType: z.optional(z.enum(['JSON', 'JSONL'])),
    }),
  ),
});
const map = z.strictObject({
  ...fallible,
  Type: z.literal('Map'),
  ItemProcessor: z.optional(z.unknown()),
  Iterator: z.optional(z.unknown()),
  ItemsPath: z.optional(z.string()),
  ItemSelector: z.optional(template),
  Parameters: z.optional(template),
  ItemReader: z.optional(itemReader),
  ResultWriter: z.optional(resultWriter),
  MaxConcurrency: z.optional(z.number()),
  MaxConcurrencyPath: z.optional(z.string()),
  ToleratedFailurePercentage: z.optional(z.number()),
  ToleratedFailurePercentagePath: z.optional(z.string()),
  ToleratedFailureCount: z.optional(z.number()),
  ToleratedFailureCountPath: z.optional(z.string()),
  Label: z.optional(z.string()),
});

export const stateSchema = z.discriminatedUnion('Type', [pass, task, wait, choice, succeed, fail, parallel, map]);
export const flowSchema = z.strictObject({
  StartAt: z.string(),
  States: z.record(z.string(), z.unknown()),
  Comment: z.optional(z.string()),
  QueryLanguage: z.optional(z.literal('JSONPath')),
  Version: z.optional(z.string()),
  TimeoutSeconds: z.optional(z.number()),
  ProcessorConfig: z.optional(
    z.strictObject({
      Mode: z.optional(z.enum(['INLINE', 'DISTRIBUTED'])),
      ExecutionType: z.optional(z.enum(['STANDARD', 'EXPRESS'])),
    }),
  ),
});

export type Retrier = z.infer<typeof retrier>;
export type Catcher = z.infer<typeof catcher>;
export type PassState = z.infer<typeof pass>;
export type TaskState = z.infer<typeof task>;
export type WaitState = z.infer<typeof wait>;
export type ChoiceState = z.infer<typeof choice>;
export type SucceedState = z.infer<typeof succeed>;
export type FailState = z.infer<typeof fail>;
export type ItemReader = z.infer<typeof itemReader>;
export type ResultWriter = z.infer<typeof resultWriter>;
export type ParallelState = z.infer<typeof parallel> & { readonly branches: readonly Flow[] };
export type MapState = z.infer<typeof map> & { readonly processor: Flow };
export type State =
  | PassState
  | TaskState
  | WaitState
  | ChoiceState
  | SucceedState
  | FailState
  | ParallelState
  | MapState;

/** A machine, a branch, or the processor of a Map: states and where they start. */
export interface Flow {
  readonly startAt: string;
  readonly states: ReadonlyMap<string, State>;
  readonly timeoutSeconds: number | undefined;
  readonly mode: 'INLINE' | 'DISTRIBUTED';
  readonly executionType: 'STANDARD' | 'EXPRESS';
}
