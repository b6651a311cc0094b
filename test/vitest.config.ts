import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Threads and processes that tests start compile the same hundreds of files each: where commands keep them compiled, too.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'node-compile-cache');

/** Tests of functions: their files may share a process, so that each of the modules under test is read once and not a hundred times. */
const FUNCTIONS = [
  'charts',
  'contract',
  'engine/{compile,data,graph,nn,optim,random,train}',
  'lab/{exchange,figures,fit,imports,probes,search,settings,sweeps}',
  'renderer',
  'shared',
].map((folder) => `test/${folder}/**/*.test.ts`);
/** Puts other modules in the place of some that another file may have loaded by then. */
const ALONE = 'test/renderer/charts/resize.test.ts';

/** `npm test`: everything that finishes in minutes. The long suites have their own configuration. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    pool: 'forks',
    execArgv: ['--disable-warning=ExperimentalWarning'],
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: 'functions', include: FUNCTIONS, exclude: [ALONE], isolate: false } },
      { extends: true, test: { name: 'alone', include: [ALONE] } },
      {
        extends: true,
        test: {
          name: 'processes',
          include: ['test/**/*.test.ts'],
          exclude: [...FUNCTIONS, 'test/long/**', 'test/bench/**', 'node_modules/**'],
        },
      },
    ],
  },
});
