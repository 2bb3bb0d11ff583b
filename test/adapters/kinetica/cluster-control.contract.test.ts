import { KineticaClient } from '../../../adapters/kinetica/kinetica-client.ts';
import { KineticaControl } from '../../../adapters/kinetica/kinetica-control.ts';
import { startLocalKinetica } from '../../../local/kinetica/local-kinetica.ts';
import { type ClusterControlHarness, clusterControlContract } from '../../contracts/cluster-control.contract.ts';
import { InMemoryClusterControl } from '../../support/in-memory-cluster-control.ts';

clusterControlContract('in memory', openInMemory);
clusterControlContract('Kinetica, direct', () => openKinetica(false));
clusterControlContract('Kinetica behind its proxy', () => openKinetica(true));

async function openInMemory(): Promise<ClusterControlHarness> {
  const control = new InMemoryClusterControl({ workers: 2, tomsPerRank: 2 });
  return {
    control,
    mode: () => control.mode,
    sent: (what) => control.sent.filter((sent) => sent === what).length,
    loseNextReply: (what) => (what === 'begin' ? control.nextBegins : control.nextEnds).push('lost_after'),
    refuseSecondBegin: () => {
      control.refusesSecondBegin = true;
    },
    refuseStrayEnd: () => {
      control.refusesStrayEnd = true;
    },
    hideBackupMode: () => {
      control.visibility = 'hidden';
    },
    silenceHostManager: async () => {
      control.visibility = 'silent';
    },
    setOperationInProgress: (inProgress) => {
      control.operationInProgress = inProgress;
    },
    setDraining: () => {
      control.draining = true;
    },
    stop: async () => {
      control.stopped = true;
    },
    start: async () => {
      control.stopped = false;
    },
    close: async () => undefined,
  };
}

async function openKinetica(proxied: boolean): Promise<ClusterControlHarness> {
  const local = await startLocalKinetica({ ranks: 2, tomsPerRank: 2, proxied });
  const client = new KineticaClient({ baseUrl: local.baseUrl, sleep: async () => undefined });
  // Behind the proxy the address follows from the base URL, direct the port has to be known while the cluster is down.
  const control = new KineticaControl(client, proxied ? {} : { hostManagerPort: local.hostManagerPort });
  return {
    control,
    mode: () => (local.mode === 'backing_up' ? 'backing_up' : 'normal'),
    sent: (what) => local.requests.count(`/admin/backup/${what}`),
    loseNextReply: (what) => local.faults.loseNextReply(`/admin/backup/${what}`),
    refuseSecondBegin: () => {
      local.switches.nesting = 'refused';
    },
    refuseStrayEnd: () => {
      local.switches.strayEnd = 'refused';
    },
    hideBackupMode: () => {
      local.switches.hostManagerShowsBackupMode = false;
    },
    silenceHostManager: () => local.stopHostManager(),
    setOperationInProgress: (inProgress) => local.setClusterOperation(inProgress ? 'rebalancing' : 'none'),
    setDraining: () => {
      local.switches.haStatus = 'draining';
    },
    stop: () => local.stop(),
    start: () => local.start(),
    close: () => local.close(),
  };
}
