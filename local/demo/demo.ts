import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { agree, kagentSource, lakeSource, prodSource } from './acts.ts';
import { keepAndTrust } from './keeping.ts';
import { Narrator } from './narrator.ts';
import { DemoFailed, Runs } from './runs.ts';
import { setStage } from './stage.ts';

const options = new Command('npm run demo --')
  .description('Snapshots sample clusters, destroys them and restores them, with the workflows that cdk deploy ships.')
  .option('--keep', 'leave the vault and the clusters behind, for looking around')
  .parse()
  .opts<{ keep?: boolean }>();

const narrator = new Narrator();
const directory = await mkdtemp(join(tmpdir(), 'rankvault-demo-'));
process.exitCode = (await play()) ? 0 : 1;

async function play(): Promise<boolean> {
  narrator.title('Rankvault: snapshot a cluster, lose it, restore it', [
    'The state machines and Lambda bundles below are those that `cdk deploy` ships, synthesized just now.',
    'Emulated on this machine: S3, Step Functions, EventBridge Scheduler, Kinetica’s control endpoint.',
    'Nothing here touches AWS or a real database. Nights pass on a simulated clock, so dates run ahead.',
  ]);
  narrator.chapter('Synthesize the stacks and start the laptop services');
  const before = performance.now();
  const stage = await setStage(directory);
  try {
    const { stateMachines, functions } = stage.laptop.assembly;
    narrator.good(
      `${stateMachines.length} state machines, ${functions.length} functions, in ${((performance.now() - before) / 1000).toFixed(1)} s`,
    );
    const runs = new Runs(stage, narrator);
    const verdicts = [
      await prodSource({ stage, runs, narrator }),
      await lakeSource({ stage, runs, narrator }),
      await kagentSource({ stage, runs, narrator }),
      await keepAndTrust({ stage, runs, narrator }),
    ];
    return agree(narrator, verdicts);
  } catch (error) {
    if (!(error instanceof DemoFailed)) {
      throw error;
    }
    narrator.bad(error.message);
    return false;
  } finally {
    await stage.close();
    await leave();
  }
}

async function leave(): Promise<void> {
  if (options.keep !== true) {
    await rm(directory, { recursive: true, force: true });
    return;
  }
  const server = relative(process.cwd(), new URL('../s3/serve.ts', import.meta.url).pathname);
  narrator.chapter('Look around');
  narrator.say(`Everything is in ${directory}`);
  narrator.say(`Serve its S3:  node ${server} ${join(directory, 's3')}`);
  narrator.say('Then:          AWS_ENDPOINT_URL_S3=<endpoint> aws s3 ls --recursive s3://<vault bucket>/');
}
