import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { CopyObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { startLocalS3 } from '../local/s3/local-s3.ts';

/**
 * Throughput of the local S3, client and server in one process on one core: `node bench/s3-probe.ts [objects]`.
 * "raw" sends plain HTTP, so that it is the server that is measured; "sdk" is what the engine's own calls cost.
 */
const objects = Number(process.argv[2] ?? '20000');
const partBytes = 64 * 1024 ** 2;
const concurrency = 32;

const directory = mkdtempSync(join(tmpdir(), 'rankvault-s3-probe-'));
const s3 = await startLocalS3({ directory });
const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
const client = new S3Client({
  endpoint: s3.endpoint,
  region: 'us-east-1',
  forcePathStyle: true,
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
});
const bucket = `${s3.endpoint}/probe`;
const body = Buffer.alloc(1024, 7);
const keys = Array.from(
  { length: objects },
  (_, index) => `rank-1/tom-1/t${index % 40}/${String(index).padStart(8, '0')}.seg`,
);

await send('PUT', bucket);
const large = Buffer.alloc(partBytes, 1);
await megabytes('raw put 64 MiB, no checksum sent', () => send('PUT', `${bucket}/large`, { body: large }));
await megabytes('raw put 64 MiB, CRC32 sent', () =>
  send('PUT', `${bucket}/large-crc32`, { body: large, headers: { 'x-amz-checksum-crc32': crc32Of(large) } }),
);
await megabytes('raw copy 64 MiB, CRC64NVME to compute', () =>
  send('PUT', `${bucket}/large-copy`, {
    headers: { 'x-amz-copy-source': 'probe/large-crc32', 'x-amz-checksum-algorithm': 'CRC64NVME' },
  }),
);
await megabytes('raw get 64 MiB', () => send('GET', `${bucket}/large`));
console.log(`resident memory ${(process.memoryUsage().rss / 1024 ** 2).toFixed(0)} MiB`);

agent.destroy();
client.destroy();
await s3.close();
rmSync(directory, { recursive: true });

function crc32Of(data: Buffer): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(data));
  return bytes.toString('base64');
}

/** One request; resolves with the body as text, rejects on any error status. */
function send(
  method: string,
  url: string,
  { body: sent, headers = {} }: { readonly body?: Buffer; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const length = { 'content-length': String(sent?.length ?? 0) };
    const outgoing = request(url, { method, agent, headers: { ...length, ...headers } }, (answer: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let kept = 0;
      answer.on('data', (chunk: Buffer) => {
        // Large objects are only measured, not kept.
        if (kept < 4 * 1024 ** 2) chunks.push(chunk);
        kept += chunk.length;
      });
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString('latin1');
        if ((answer.statusCode ?? 500) < 300) resolve(text);
        else reject(new Error(`${method} ${url}: ${answer.statusCode} ${text}`));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(sent);
  });
}

async function rate(name: string, items: readonly string[], act: (item: string) => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await pMap(items, act, { concurrency });
  report(name, `${perSecond(items.length, start)} requests/s`);
}

async function listAll(name: string, page: (token: string) => Promise<[number, string]>): Promise<void> {
  const start = performance.now();
  let listed = 0;
  let token = '';
  do {
    const [count, next] = await page(token);
    listed += count;
    token = next;
  } while (token !== '');
  report(name, `${perSecond(listed, start)} keys/s (${listed} keys)`);
}

async function megabytes(name: string, act: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await act();
  report(name, `${perSecond(partBytes / 1024 ** 2, start)} MiB/s`);
}

function perSecond(count: number, startMillis: number): string {
  return Math.round(count / ((performance.now() - startMillis) / 1000)).toLocaleString('en-US');
}

function report(name: string, value: string): void {
  console.log(`${name.padEnd(40)} ${value}`);
}
