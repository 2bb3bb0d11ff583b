import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/** Takes the detour when the state says true at `path`, and goes on from its end, or at once. */
export function whenTrue(scope: Construct, name: string, path: string, detour: sfn.IChainable): sfn.Chain {
  return detourWhen(new sfn.Choice(scope, name), sfn.Condition.booleanEquals(path, true), detour);
}

/** Takes the detour when there is something to do: a Map over an empty list would still cost a Map run. */
export function whenAny(scope: Construct, name: string, countPath: string, detour: sfn.IChainable): sfn.Chain {
  return detourWhen(new sfn.Choice(scope, name), sfn.Condition.numberGreaterThan(countPath, 0), detour);
}

/** As `whenTrue`, of several conditions that must all hold. */
export function whenAll(
  scope: Construct,
  name: string,
  conditions: readonly sfn.Condition[],
  detour: sfn.IChainable,
): sfn.Chain {
  return detourWhen(new sfn.Choice(scope, name), sfn.Condition.and(...conditions), detour);
}

/**
 * Comes back to a step as long as the condition holds, and goes on otherwise.
 * @param back the step itself, or what comes before it again
 */
export function loopWhile(choice: sfn.Choice, condition: sfn.Condition, back: sfn.IChainable): sfn.Chain {
  const ends = otherwiseOf(choice);
  choice.when(condition, back);
  return sfn.Chain.custom(choice, ends, choice);
}

/** `Choice.afterwards` looks for open ends by following states, and misses the open default of a choice inside the detour. */
function detourWhen(choice: sfn.Choice, condition: sfn.Condition, detour: sfn.IChainable): sfn.Chain {
  const ends = [...detour.endStates, ...otherwiseOf(choice)];
  choice.when(condition, detour);
  return sfn.Chain.custom(choice, ends, choice);
}

function otherwiseOf(choice: sfn.Choice): sfn.INextable[] {
  return choice.afterwards({ includeOtherwise: true }).endStates;
}
