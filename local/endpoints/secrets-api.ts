// cspell:words AWSCURRENT
import * as z from 'zod/mini';
import { ACCOUNT, PARTITION, REGION } from '../assembly/assembly-model.ts';
import type { JsonObject, JsonValue } from '../workflow/json.ts';
import { parseWith } from '../workflow/parse-with.ts';
import { ApiError, notImplemented, validationError } from './api-error.ts';

const request = z.looseObject({ SecretId: z.string() });

/** `secretsmanager`: GetSecretValue by name, by ARN, and by ARN without its random end. */
export function secretsApi(secrets: ReadonlyMap<string, string>) {
  return (operation: string, body: JsonValue): JsonObject => {
    if (operation !== 'GetSecretValue') throw notImplemented(`secretsmanager:${operation}`);
    const { SecretId: id } = parseWith(request, body, validationError);
    const name = [id, id.replace(/^arn:.*:secret:/, ''), id.replace(/^arn:.*:secret:/, '').replace(/-\w{6}$/, '')].find(
      (candidate) => secrets.has(candidate),
    );
    const value = name === undefined ? undefined : secrets.get(name);
    if (name === undefined || value === undefined) {
      throw new ApiError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    }
    return {
      ARN: `arn:${PARTITION}:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}-local0`,
      Name: name,
      SecretString: value,
      VersionId: '00000000-0000-0000-0000-000000000000',
      VersionStages: ['AWSCURRENT'],
      CreatedDate: 0,
    };
  };
}
