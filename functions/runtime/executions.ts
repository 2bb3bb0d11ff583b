import { StepFunctionsExecutions } from '../../adapters/step-functions/step-functions-executions.ts';
import type { Executions } from '../../core/ports/executions.ts';
import { environment } from './environment.ts';

const endpoint = environment.AWS_ENDPOINT_URL_SFN;

export const executions: Executions = new StepFunctionsExecutions({
  caller: environment.AWS_LAMBDA_FUNCTION_NAME,
  ...(endpoint === undefined ? {} : { endpoint }),
});
