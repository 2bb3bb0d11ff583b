// cspell:words Redrive
import * as z from 'zod/mini';
import { working } from '../clock/local-clock.ts';
import type { MapState, ResultWriter } from './definition.ts';
import type { ExecutionView } from './execution.ts';
import { type JsonObject, type JsonValue, roundTrip } from './json.ts';
import { parseWith } from './parse-with.ts';
import { fillTemplate } from './payload-template.ts';
import { pathScope, type StateRun } from './run-state.ts';
import { resultWriterFailed, unsupported } from './state-failure.ts';

/** AWS begins a new result file at 5 GB; here earlier, because a file is built in memory. Readers follow the manifest. */
const RESULT_FILE_MAX_BYTES = 8 * 1024 * 1024;

/** What becomes of the children's results. */
export interface MapResults {
  add(child: ExecutionView, itemIndex: number): Promise<void>;
  /** The state's result. */
  close(): Promise<JsonValue>;
}

interface MapRunIds {
  readonly mapRunArn: string;
  readonly mapRunId: string;
}

type Transformation = 'NONE' | 'COMPACT' | 'FLATTEN';

/** Outputs in the order of the items, or files in S3 where the state has a ResultWriter. */
export async function openResults(state: MapState, run: StateRun, ids: MapRunIds): Promise<MapResults> {
  const writer = state.ResultWriter;
  if (writer?.Resource === undefined) return collectOutputs(run, writer?.WriterConfig?.Transformation ?? 'COMPACT');
  if (!writer.Resource.endsWith(':states:::s3:putObject')) {
    throw unsupported(`The ResultWriter of "${run.name}" uses ${writer.Resource}.`);
  }
  return await openFiles(writer, run, ids);
}

function collectOutputs(run: StateRun, transformation: Transformation): MapResults {
  const outputs: JsonValue[][] = [];
  return {
    add: async (child, itemIndex) => {
      outputs[itemIndex] = transform(child, transformation);
    },
    close: async () => roundTrip(outputs.flat(), `The result of state "${run.name}"`),
  };
}

/** A failed child keeps its record whatever the transformation, so that its error is not lost. */
function transform(child: ExecutionView, transformation: Transformation): JsonValue[] {
  if (transformation === 'NONE' || child.status !== 'SUCCEEDED') return [recordOf(child)];
  const output = child.output ?? null;
  return transformation === 'FLATTEN' && Array.isArray(output) ? output : [output];
}

/** A line of SUCCEEDED_0.json or FAILED_0.json (Step Functions developer guide, "ResultWriter"). */
function recordOf(child: ExecutionView): JsonObject {
  return {
    ExecutionArn: child.executionArn,
    Input: JSON.stringify(child.input),
    InputDetails: { Included: true },
    Name: child.name,
    ...(child.output === undefined ? {} : { Output: JSON.stringify(child.output), OutputDetails: { Included: true } }),
    ...(child.error === undefined ? {} : { Error: child.error }),
    ...(child.cause === undefined ? {} : { Cause: child.cause }),
    RedriveCount: 0,
    StartDate: new Date(child.startedAtEpochMillis).toISOString(),
    StateMachineArn: child.stateMachineArn,
    Status: child.status,
    StopDate: new Date(child.stoppedAtEpochMillis ?? child.startedAtEpochMillis).toISOString(),
  };
}

interface ResultFile {
  readonly Key: string;
  readonly Size: number;
}
type ResultKind = 'SUCCEEDED' | 'FAILED';

const writerParameters = z.strictObject({ Bucket: z.string(), Prefix: z.optional(z.string()) });

async function openFiles(writer: ResultWriter, run: StateRun, ids: MapRunIds): Promise<MapResults> {
  const parameters = await fillTemplate(writer.Parameters ?? {}, pathScope(run));
  const { Bucket: bucket, Prefix: prefix = '' } = parseWith(writerParameters, parameters, (problem) =>
    resultWriterFailed(`Parameters: ${problem}`),
  );
  const folder = prefix === '' ? ids.mapRunId : `${prefix.replace(/\/$/, '')}/${ids.mapRunId}`;
  const write = async (key: string, body: string) => {
    try {
      await working(run.scope.services.clock, () => run.scope.services.items.write(bucket, key, body));
    } catch (error) {
      throw resultWriterFailed(`Could not write ${key} to ${bucket}. ${String(error)}`);
    }
  };
  const files: Readonly<Record<ResultKind, ResultFileSeries>> = {
    SUCCEEDED: new ResultFileSeries('SUCCEEDED', { folder, writer, write }),
    FAILED: new ResultFileSeries('FAILED', { folder, writer, write }),
  };
  return {
    add: async (child) => {
      const kind = child.status === 'SUCCEEDED' ? 'SUCCEEDED' : 'FAILED';
      await files[kind].add(transform(child, writer.WriterConfig?.Transformation ?? 'NONE'));
    },
    close: async () => {
      const resultFiles = { FAILED: await files.FAILED.close(), PENDING: [], SUCCEEDED: await files.SUCCEEDED.close() };
      const manifest = { DestinationBucket: bucket, MapRunArn: ids.mapRunArn, ResultFiles: resultFiles };
      await write(`${folder}/manifest.json`, JSON.stringify(manifest));
      return { MapRunArn: ids.mapRunArn, ResultWriterDetails: { Bucket: bucket, Key: `${folder}/manifest.json` } };
    },
  };
}

interface SeriesTarget {
  readonly folder: string;
  readonly writer: ResultWriter;
  readonly write: (key: string, body: string) => Promise<void>;
}

/** SUCCEEDED_0.json, SUCCEEDED_1.json and so on. */
class ResultFileSeries {
  readonly #kind: ResultKind;
  readonly #target: SeriesTarget;
  readonly #files: ResultFile[] = [];
  #lines: string[] = [];
  #sizeBytes = 0;
  #started = 0;

  constructor(kind: ResultKind, target: SeriesTarget) {
    this.#kind = kind;
    this.#target = target;
  }

  async add(values: readonly JsonValue[]): Promise<void> {
    for (const value of values) {
      const line = JSON.stringify(value);
      this.#lines.push(line);
      this.#sizeBytes += Buffer.byteLength(line);
    }
    if (this.#sizeBytes >= RESULT_FILE_MAX_BYTES) await this.#flush();
  }

  async close(): Promise<ResultFile[]> {
    if (this.#lines.length > 0) await this.#flush();
    return this.#files.map((file) => ({ ...file }));
  }

  async #flush(): Promise<void> {
    const isLines = this.#target.writer.WriterConfig?.OutputType === 'JSONL';
    const body = isLines ? this.#lines.map((line) => `${line}\n`).join('') : `[${this.#lines.join(',')}]`;
    const key = `${this.#target.folder}/${this.#kind}_${this.#started}.${isLines ? 'jsonl' : 'json'}`;
    this.#started += 1;
    this.#lines = [];
    this.#sizeBytes = 0;
    await this.#target.write(key, body);
    this.#files.push({ Key: key, Size: Buffer.byteLength(body) });
  }
}
