import { defineConfig } from 'vitest/config';

const LONG = ['deaths', 'maintenance', 'locks'].map((name) => `test/journeys/${name}.test.ts`);

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // `npm run test:long`: what takes longer than five minutes may.
    exclude: process.env['RANKVAULT_LONG'] === undefined ? LONG : [],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // No test keeps anything in a module: loading the SDK and the CDK anew for each file would be a third of the run.
    isolate: false,
    // The laptop imports synthesized bundles: they run as they are shipped, not as vite would transform them.
    server: { deps: { external: [/\/cdk\.out\//] } },
  },
});
