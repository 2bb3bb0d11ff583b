import * as z from 'zod/mini';
import type { ScheduleModel } from './assembly-model.ts';
import { type Found, identity, parse } from './found.ts';

const scheduleProperties = z.looseObject({
  GroupName: z._default(z.string(), 'default'),
  ScheduleExpression: z.string(),
  ScheduleExpressionTimezone: z._default(z.string(), 'UTC'),
  State: z._default(z.enum(['ENABLED', 'DISABLED']), 'ENABLED'),
  StartDate: z.optional(z.string()),
  EndDate: z.optional(z.string()),
  FlexibleTimeWindow: z.looseObject({ MaximumWindowInMinutes: z.optional(z.number()) }),
  Target: z.looseObject({
    Arn: z.string(),
    RoleArn: z.string(),
    Input: z.optional(z.string()),
    DeadLetterConfig: z.optional(z.looseObject({ Arn: z.optional(z.string()) })),
    RetryPolicy: z.optional(
      z.looseObject({
        MaximumEventAgeInSeconds: z.optional(z.number()),
        MaximumRetryAttempts: z.optional(z.number()),
      }),
    ),
  }),
});

export function schedule(found: Found): ScheduleModel {
  const parsed = parse(scheduleProperties, found);
  const { Target: target, StartDate: startAt, EndDate: endAt } = parsed;
  const retry = target.RetryPolicy;
  return {
    ...identity(found),
    groupName: parsed.GroupName,
    expression: parsed.ScheduleExpression,
    timeZone: parsed.ScheduleExpressionTimezone,
    isEnabled: parsed.State === 'ENABLED',
    ...(startAt === undefined ? {} : { startAt }),
    ...(endAt === undefined ? {} : { endAt }),
    flexibleWindowMinutes: parsed.FlexibleTimeWindow.MaximumWindowInMinutes ?? 0,
    target: {
      arn: target.Arn,
      roleArn: target.RoleArn,
      ...(target.Input === undefined ? {} : { input: target.Input }),
      ...(target.DeadLetterConfig?.Arn === undefined ? {} : { deadLetterArn: target.DeadLetterConfig.Arn }),
      ...(retry?.MaximumEventAgeInSeconds === undefined
        ? {}
        : { maximumEventAgeSeconds: retry.MaximumEventAgeInSeconds }),
      ...(retry?.MaximumRetryAttempts === undefined ? {} : { maximumRetryAttempts: retry.MaximumRetryAttempts }),
    },
  };
}
