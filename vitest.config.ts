import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // The laptop imports synthesized bundles: they run as they are shipped, not as vite would transform them.
    server: { deps: { external: [/\/cdk\.out\//] } },
  },
});
