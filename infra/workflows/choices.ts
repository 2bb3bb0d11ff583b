import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/** Takes the detour when the state says true at `path`, and goes on from its end, or at once. */
export function whenTrue(scope: Construct, name: string, path: string, detour: sfn.IChainable): sfn.Chain {
  return new sfn.Choice(scope, name)
    .when(sfn.Condition.booleanEquals(path, true), detour)
    .afterwards({ includeOtherwise: true });
}

/** Takes the detour when there is something to do: a Map over an empty list would still cost a Map run. */
export function whenAny(scope: Construct, name: string, countPath: string, detour: sfn.IChainable): sfn.Chain {
  return new sfn.Choice(scope, name)
    .when(sfn.Condition.numberGreaterThan(countPath, 0), detour)
    .afterwards({ includeOtherwise: true });
}
