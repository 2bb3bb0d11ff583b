import type { ClusterModel } from './cluster-model.ts';
import type { LocalKineticaFaults } from './faults.ts';
import { checkRequest, type IncomingCall } from './request-checks.ts';

interface EndpointAnswer {
  readonly httpStatus: number;
  readonly body: string;
}

/** Answers one POST to the head with the documented envelope. @throws LocalKineticaGone */
export async function answerHead(
  call: IncomingCall,
  model: ClusterModel,
  faults: LocalKineticaFaults,
): Promise<EndpointAnswer> {
  const request = checkRequest(call);
  if ('message' in request) return failure(request.httpStatus, request.message);
  const done = (record: Record<string, unknown>) => success(call.endpoint, record, model);
  switch (call.endpoint) {
    case '/show/system/properties':
      return done({ property_map: choose(model.properties(), request.options.properties) });
    case '/show/system/status':
      return done({ status_map: model.statusMap() });
    case '/admin/show/shards':
      return done(model.shards());
    case '/admin/show/cluster/operations':
      return done(model.operations(request.historyIndex));
    case '/admin/backup/begin': {
      const outcome = await model.backupMode.begin(faults.passBegin());
      return outcome === 'begun' ? done({}) : failure(400, 'The cluster is in backup mode already');
    }
    default: {
      if (faults.takeFailingEnd()) return failure(400, 'Unable to end the backup');
      const outcome = await model.backupMode.end();
      return outcome === 'ended' ? done({}) : failure(400, 'The cluster is not in backup mode');
    }
  }
}

/** All of them when none is named; names that do not exist are left out. */
function choose(properties: Record<string, string>, names: string | undefined): Record<string, string> {
  if (names === undefined || names === '') return properties;
  const wanted = new Set(names.split(',').map((name) => name.trim()));
  return Object.fromEntries(Object.entries(properties).filter(([key]) => wanted.has(key)));
}

function success(endpoint: string, fields: Record<string, unknown>, model: ClusterModel): EndpointAnswer {
  const record = { ...fields, info: {} };
  const envelope = {
    status: 'OK',
    message: '',
    data_type: `${endpoint.slice(1).replaceAll('/', '_')}_response`,
    data: '',
    data_str: model.switches.dataStr === 'string' ? JSON.stringify(record) : record,
  };
  return { httpStatus: 200, body: JSON.stringify(envelope) };
}

export function failure(httpStatus: number, message: string): EndpointAnswer {
  return { httpStatus, body: JSON.stringify({ status: 'ERROR', message, data_type: 'none', data: '', data_str: '' }) };
}
