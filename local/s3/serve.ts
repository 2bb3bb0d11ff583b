import { startLocalS3 } from './local-s3.ts';

/** `node local/s3/serve.ts <directory> [port]`: a local S3 to look around in, until Ctrl-C. */
const [directory, port = '0'] = process.argv.slice(2);
if (directory === undefined || !/^\d{1,5}$/.test(port)) {
  console.error('usage: node local/s3/serve.ts <directory> [port]');
  process.exitCode = 2;
} else {
  const s3 = await startLocalS3({ directory, port: Number(port) });
  console.log(s3.endpoint);
  console.log(`Try: aws --endpoint-url ${s3.endpoint} s3 ls   (any credentials; region us-east-1)`);
  const stop = () => void s3.close().then(() => process.exit());
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}
