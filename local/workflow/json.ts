import { dataLimitExceeded } from './state-failure.ts';

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/** The most that a state's input or output, or an execution's, may have as UTF-8 (Step Functions quotas). */
const PAYLOAD_MAX_BYTES = 262_144;

/**
 * What AWS would see of a value: JSON and nothing else, and no more than a state may carry. Every boundary passes
 * through here, so that a Date, an undefined or a shared object cannot survive on a laptop alone.
 *
 * @param where names the boundary in the error: "the output of state CopyParts"
 * @throws StateFailure `States.DataLimitExceeded`
 */
export function roundTrip(value: unknown, where: string): JsonValue {
  const text = JSON.stringify(value) ?? 'null';
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > PAYLOAD_MAX_BYTES) throw dataLimitExceeded(where, sizeBytes);
  return parseJson(text);
}

/** @throws SyntaxError when the text is no JSON */
export function parseJson(text: string): JsonValue {
  const value: JsonValue = JSON.parse(text);
  return value;
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
