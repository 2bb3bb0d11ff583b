import { describe, expect, it } from 'vitest';
import type { ProbeResult } from '../../../adapters/kinetica/client-calls.ts';
import type { HostManagerAnswer } from '../../../adapters/kinetica/host-manager.ts';
import { decideBackupMode, decideStopped, showsOtherOperation } from '../../../adapters/kinetica/observation.ts';

const closed = { kind: 'closed' } as const;
const silent = { kind: 'silent', reason: 'timeout (time limit)' } as const;

function manager(record: Record<string, string>): HostManagerAnswer {
  return { kind: 'answered', record };
}

function http(httpStatus: number): ProbeResult {
  return { kind: 'answered', httpStatus, bodyText: '' };
}

describe('decideBackupMode', () => {
  it.each<[string, HostManagerAnswer, number[], string]>([
    ['backing_up', manager({ cluster_operation: 'backing_up' }), [], 'backing_up'],
    ['backing_up in capitals', manager({ cluster_operation: ' BACKING_UP ' }), [1], 'backing_up'],
    ['none', manager({ cluster_operation: 'none' }), [], 'normal'],
    ['an empty word', manager({ cluster_operation: '' }), [], 'normal'],
    ['another operation', manager({ cluster_operation: 'rebalancing' }), [], 'normal'],
    ['none beside read-only workers', manager({ cluster_operation: 'none' }), [1], 'unknown'],
    ['no such field', manager({ system_status: 'running' }), [], 'unknown'],
    ['a closed port', closed, [], 'unknown'],
    ['a closed port beside read-only workers', closed, [1, 2], 'unknown'],
    ['silence', silent, [], 'unknown'],
  ])('concludes from %s', (_title, answer, readOnly, expected) => {
    expect(decideBackupMode(answer, readOnly).backupMode).toBe(expected);
  });
});

describe('showsOtherOperation', () => {
  it.each<[HostManagerAnswer, boolean]>([
    [manager({ cluster_operation: 'none' }), false],
    [manager({ cluster_operation: 'backing_up' }), false],
    [manager({ cluster_operation: 'migrating' }), true],
    [manager({ cluster_operation: 'a_word_of_the_future' }), true],
    [manager({}), false],
    [silent, false],
  ])('%j is %s', (answer, expected) => {
    expect(showsOtherOperation(answer)).toBe(expected);
  });
});

describe('decideStopped', () => {
  const stopped = manager({ system_status: 'stopped', rank0_status: 'stopped', rank1_status: 'stopped' });
  const running = manager({ system_status: 'running', rank0_status: 'running' });
  const halfStopped = manager({ system_status: 'stopped', rank0_status: 'stopped', rank2_status: 'running' });
  const shuttingDown = manager({ system_status: 'shutdown' });

  it.each<[string, ProbeResult, HostManagerAnswer, string]>([
    ['head closed, manager says stopped', closed, stopped, 'stopped'],
    ['head closed, manager closed', closed, closed, 'stopped'],
    ['head closed, manager silent', closed, silent, 'unknown'],
    ['head closed, manager says running', closed, running, 'running'],
    ['head closed, one rank runs', closed, halfStopped, 'running'],
    ['head closed, still shutting down', closed, shuttingDown, 'running'],
    ['head closed, manager has no word', closed, manager({ cluster_operation: 'none' }), 'unknown'],
    ['head answers, manager says stopped', http(200), stopped, 'running'],
    ['head dying, manager says stopped', http(503), stopped, 'unknown'],
    ['head silent, manager says stopped', silent, stopped, 'unknown'],
    ['head silent, manager closed', silent, closed, 'unknown'],
  ])('direct: %s', (_title, head, hostManager, expected) => {
    expect(decideStopped({ head, hostManager, hostManagerAddressKnown: true, proxied: false })).toBe(expected);
  });

  it.each<[string, ProbeResult, HostManagerAnswer, string]>([
    ['no backend, manager says stopped', http(502), stopped, 'stopped'],
    ['no backend, manager silent', http(502), silent, 'unknown'],
    ['the proxy itself is closed', closed, closed, 'unknown'],
    ['login required, manager says stopped', http(401), stopped, 'unknown'],
    ['backend answers', http(200), silent, 'running'],
  ])('proxied: %s', (_title, head, hostManager, expected) => {
    expect(decideStopped({ head, hostManager, hostManagerAddressKnown: true, proxied: true })).toBe(expected);
  });

  it('does not take a closed port for a denial where the port is a guess', () => {
    const guessed = { head: closed, hostManagerAddressKnown: false, proxied: false };

    expect(decideStopped({ ...guessed, hostManager: closed })).toBe('unknown');
    expect(decideStopped({ ...guessed, hostManager: stopped })).toBe('stopped');
  });
});
