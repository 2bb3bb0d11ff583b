import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import type { SiteFunctionName } from '../functions/function-names.ts';
import type { RankvaultFunction } from '../functions/rankvault-function.ts';
import type { SiteFunctions } from '../functions/site-functions.ts';
import { KEY_OF } from '../functions/sites.ts';
import { retryFunction } from './retries.ts';

/** A minute longer than the longest function, so that an answer that got lost is noticed. */
const TASK_TIMEOUT = sfn.Timeout.duration(Duration.minutes(16));

interface FixedCall {
  readonly call: RankvaultFunction;
  readonly payload: Readonly<Record<string, unknown>>;
  /** @default '$' - the answer is the whole state from here on */
  readonly resultPath?: string;
}

const FIXED = { payloadResponseOnly: true, retryOnServiceExceptions: false, taskTimeout: TASK_TIMEOUT } as const;

/** Calls a function that exists once, with the usual retries. */
export function callFunction(scope: Construct, name: string, props: FixedCall): tasks.LambdaInvoke {
  const task = tasks.LambdaInvoke.jsonPath(scope, name, {
    ...FIXED,
    lambdaFunction: props.call.function,
    payload: sfn.TaskInput.fromObject({ ...props.payload }),
    ...(props.resultPath === undefined ? {} : { resultPath: props.resultPath }),
  });
  retryFunction(task);
  return task;
}

/** As `callFunction`; the function is given the whole state, because what there is in it depends on the way that was taken. */
export function callWithState(scope: Construct, name: string, call: RankvaultFunction): tasks.LambdaInvoke {
  const task = tasks.LambdaInvoke.jsonPath(scope, name, { ...FIXED, lambdaFunction: call.function });
  retryFunction(task);
  return task;
}

interface SiteCall {
  readonly call: SiteFunctionName;
  readonly sites: readonly SiteFunctions[];
  readonly payload: Readonly<Record<string, unknown>>;
  /** Where the names of the site's functions are. @default '$.run.functions' */
  readonly functionsPath?: string;
  /**
   * Name of the answer in `$.site`: 'poll' puts it at `$.site.poll`. Every call to a site replaces `$.site`.
   * @default - the answer is dropped
   */
  readonly answer?: string;
}

/** Calls the cluster's own function, chosen at run time by its name in the run, with the usual retries. */
export function callSiteFunction(scope: Construct, name: string, props: SiteCall): SiteTask {
  const task = new SiteTask(scope, name, props);
  retryFunction(task);
  return task;
}

/**
 * `lambda:invoke` with a name from the state. Its result is an envelope around the answer, and a ResultSelector can only make an
 * object; so the answer gets a name in `$.site`.
 */
export class SiteTask extends sfn.TaskStateBase {
  protected readonly taskMetrics = {};
  protected readonly taskPolicies: iam.PolicyStatement[];
  readonly #call: SiteCall;

  constructor(scope: Construct, name: string, props: SiteCall) {
    super(scope, name, {
      taskTimeout: TASK_TIMEOUT,
      ...(props.answer === undefined
        ? { resultPath: sfn.JsonPath.DISCARD }
        : { resultPath: '$.site', resultSelector: { [`${props.answer}.$`]: '$.Payload' } }),
    });
    this.#call = props;
    this.taskPolicies = [
      new iam.PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: props.sites.map((site) => site.get(props.call).function.functionArn),
      }),
    ];
  }

  protected override _renderTask(): object {
    const functionsPath = this.#call.functionsPath ?? '$.run.functions';
    return {
      Resource: Stack.of(this).formatArn({
        service: 'states',
        region: '',
        account: '',
        resource: 'lambda',
        resourceName: 'invoke',
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
      Parameters: sfn.FieldUtils.renderObject({
        FunctionName: sfn.JsonPath.stringAt(`${functionsPath}.${KEY_OF[this.#call.call]}`),
        Payload: { ...this.#call.payload },
      }),
    };
  }
}
