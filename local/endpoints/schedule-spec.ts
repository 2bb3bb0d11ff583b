import * as z from 'zod/mini';
import type { ScheduleModel } from '../assembly/assembly-model.ts';
import { parseWith } from '../workflow/parse-with.ts';
import { ApiError, validationError } from './api-error.ts';

/** A schedule in the shape of the Scheduler API; its dates are epoch seconds. */
export const scheduleSpec = z.object({
  Name: z.string().check(z.regex(/^[0-9a-zA-Z\-_.]{1,64}$/)),
  GroupName: z._default(z.string().check(z.regex(/^[0-9a-zA-Z\-_.]{1,64}$/)), 'default'),
  ScheduleExpression: z.string().check(z.maxLength(256)),
  ScheduleExpressionTimezone: z._default(z.string(), 'UTC'),
  State: z._default(z.enum(['ENABLED', 'DISABLED']), 'ENABLED'),
  Description: z.optional(z.string()),
  StartDate: z.optional(z.number()),
  EndDate: z.optional(z.number()),
  ActionAfterCompletion: z._default(z.enum(['NONE', 'DELETE']), 'NONE'),
  FlexibleTimeWindow: z.object({
    Mode: z.enum(['OFF', 'FLEXIBLE']),
    MaximumWindowInMinutes: z.optional(z.number()),
  }),
  Target: z.object({
    Arn: z.string(),
    RoleArn: z.string(),
    Input: z.optional(z.string()),
    DeadLetterConfig: z.optional(z.object({ Arn: z.optional(z.string()) })),
    RetryPolicy: z.optional(
      z.object({
        MaximumEventAgeInSeconds: z.optional(z.number()),
        MaximumRetryAttempts: z.optional(z.number()),
      }),
    ),
  }),
});

export type ScheduleSpec = z.infer<typeof scheduleSpec>;

/** @throws ApiError ValidationException */
export function parseScheduleSpec(body: unknown): ScheduleSpec {
  return parseWith(scheduleSpec, body, validationError);
}

/** A schedule of the templates as if it had been created through the API. */
export function specOfModel(model: ScheduleModel): ScheduleSpec {
  const { target, startAt, endAt } = model;
  return parseScheduleSpec({
    Name: model.name,
    GroupName: model.groupName,
    ScheduleExpression: model.expression,
    ScheduleExpressionTimezone: model.timeZone,
    State: model.isEnabled ? 'ENABLED' : 'DISABLED',
    StartDate: startAt === undefined ? undefined : epochSeconds(startAt),
    EndDate: endAt === undefined ? undefined : epochSeconds(endAt),
    FlexibleTimeWindow:
      model.flexibleWindowMinutes === 0
        ? { Mode: 'OFF' }
        : { Mode: 'FLEXIBLE', MaximumWindowInMinutes: model.flexibleWindowMinutes },
    Target: {
      Arn: target.arn,
      RoleArn: target.roleArn,
      Input: target.input,
      DeadLetterConfig: target.deadLetterArn === undefined ? undefined : { Arn: target.deadLetterArn },
      RetryPolicy: {
        MaximumEventAgeInSeconds: target.maximumEventAgeSeconds,
        MaximumRetryAttempts: target.maximumRetryAttempts,
      },
    },
  });
}

export function scheduleNotFound(name: string): ApiError {
  return new ApiError('ResourceNotFoundException', `Schedule ${name} does not exist.`, 404);
}

export function groupNotFound(name: string): ApiError {
  return new ApiError('ResourceNotFoundException', `Schedule group ${name} does not exist.`, 404);
}

export function scheduleExists(name: string): ApiError {
  return new ApiError('ConflictException', `Schedule ${name} already exists.`, 409);
}

function epochSeconds(timestamp: string): number {
  return Date.parse(timestamp) / 1000;
}
