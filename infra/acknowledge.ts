import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, type IApplyRule } from 'cdk-nag';
import type { IConstruct } from 'constructs';

/** Accepts a finding on this construct and what is below it. `rule` is the short name of a rule of cdk-nag: S1. */
export function acknowledge(construct: IConstruct, rule: string, reason: string): void {
  Validations.of(construct).acknowledge({ id: `AwsSolutions-${rule}`, reason });
}

/** Accepts resources that end in a wildcard: objects below a prefix, versions of a function. */
export function acknowledgeOpenEnds(construct: IConstruct, reason: string): void {
  acknowledge(construct, `IAM5[${OPEN_END}]`, reason);
}

/** Accepts `*` as the resource, for the few actions that take no other. */
export function acknowledgeAnyResource(construct: IConstruct, reason: string): void {
  acknowledge(construct, `IAM5[${ANY_RESOURCE}]`, reason);
}

const ANY_RESOURCE = 'Resource::*';
const OPEN_END = 'Resource::...*';

/**
 * cdk-nag's checks, with the findings of IAM5 in two kinds. It names each by its whole ARN, full of logical ids of which some exist
 * only in the finished template, so that nobody could acknowledge them where they are granted. A wildcard in an action keeps its
 * own name, and nothing here acknowledges one.
 */
export class RankvaultChecks extends AwsSolutionsChecks {
  protected override applyRule(params: IApplyRule): void {
    super.applyRule({
      ...params,
      ruleSuffixOverride: params.ruleSuffixOverride ?? params.rule.name,
      rule: (node) => {
        const result = params.rule(node);
        return Array.isArray(result) ? [...new Set(result.map(kindOfFinding))] : result;
      },
    });
  }
}

function kindOfFinding(finding: string): string {
  return finding.startsWith('Resource::') && finding !== ANY_RESOURCE ? OPEN_END : finding;
}
