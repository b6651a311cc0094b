import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Threads and processes that tests start compile the same hundreds of files each: where commands keep them compiled, too.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'node-compile-cache');

/** `npm run test:long`: kill -9 rounds, soak runs, large grids. Minutes to hours. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    // Those of `npm test` that take more cases here, by `repeated`.
    include: ['test/long/**/*.test.ts', 'test/engine/native/gemm.test.ts', 'test/engine/nn/models/training.test.ts'],
    env: { SWEEPLAB_TEST_REPEATS: '5' },
    pool: 'forks',
    execArgv: ['--disable-warning=ExperimentalWarning'],
    maxWorkers: 1,
    testTimeout: 3_600_000,
    hookTimeout: 600_000,
  },
});
