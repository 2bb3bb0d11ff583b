import { isJsonObject, type JsonObject, type JsonValue } from '../workflow/json.ts';
import { notImplemented, validationError } from './api-error.ts';
import type { LocalScheduler, StoredSchedule } from './local-scheduler.ts';
import { parseScheduleSpec } from './schedule-spec.ts';

/** The most that one page of ListSchedules has (EventBridge Scheduler API reference). */
const PAGE_MAX_ITEMS = 100;

interface RestRequest {
  readonly method: string;
  readonly url: URL;
  readonly body: JsonValue;
}

/** The operation of a request to `scheduler`, by method and path; undefined when it is none of these. */
export function schedulerOperation({ method, url }: Pick<RestRequest, 'method' | 'url'>): string | undefined {
  if (url.pathname === '/schedules' && method === 'GET') return 'ListSchedules';
  if (!/^\/schedules\/[^/]+$/.test(url.pathname)) return undefined;
  return { POST: 'CreateSchedule', GET: 'GetSchedule', PUT: 'UpdateSchedule', DELETE: 'DeleteSchedule' }[method];
}

/** The operations of EventBridge Scheduler that handlers call. */
export function schedulerApi(scheduler: LocalScheduler) {
  return (operation: string, request: RestRequest): JsonObject => {
    const { url } = request;
    const name = decodeURIComponent(url.pathname.split('/')[2] ?? '');
    const groupName = url.searchParams.get('groupName') ?? 'default';
    switch (operation) {
      case 'CreateSchedule':
        return { ScheduleArn: scheduler.create(parseScheduleSpec(namedBody(request.body, name))).arn };
      case 'UpdateSchedule':
        return { ScheduleArn: scheduler.update(parseScheduleSpec(namedBody(request.body, name))).arn };
      case 'GetSchedule':
        return describe(scheduler.get(groupName, name));
      case 'DeleteSchedule':
        scheduler.delete(groupName, name);
        return {};
      case 'ListSchedules':
        return list(scheduler, url.searchParams);
      default:
        throw notImplemented(`scheduler:${operation}`);
    }
  };
}

function namedBody(body: JsonValue, name: string): JsonObject {
  if (!isJsonObject(body)) throw validationError('The request has no body.');
  return { ...body, Name: name };
}

function describe({ arn, spec, createdAtEpochMillis, modifiedAtEpochMillis }: StoredSchedule): JsonObject {
  const fields: JsonObject = JSON.parse(JSON.stringify(spec));
  return {
    ...fields,
    Arn: arn,
    CreationDate: createdAtEpochMillis / 1000,
    LastModificationDate: modifiedAtEpochMillis / 1000,
  };
}

function list(scheduler: LocalScheduler, query: URLSearchParams): JsonObject {
  const found = scheduler.list().filter(({ spec }) => {
    const group = query.get('ScheduleGroup');
    const state = query.get('State');
    if (group !== null && spec.GroupName !== group) return false;
    if (state !== null && spec.State !== state) return false;
    return spec.Name.startsWith(query.get('NamePrefix') ?? '');
  });
  const from = Number(query.get('NextToken') ?? 0);
  const until = from + Math.min(Number(query.get('MaxResults') ?? PAGE_MAX_ITEMS), PAGE_MAX_ITEMS);
  return {
    Schedules: found.slice(from, until).map(summarize),
    ...(until < found.length ? { NextToken: String(until) } : {}),
  };
}

function summarize(schedule: StoredSchedule): JsonObject {
  const { spec, arn } = schedule;
  return {
    Arn: arn,
    Name: spec.Name,
    GroupName: spec.GroupName,
    State: spec.State,
    CreationDate: schedule.createdAtEpochMillis / 1000,
    LastModificationDate: schedule.modifiedAtEpochMillis / 1000,
    Target: { Arn: spec.Target.Arn },
  };
}
