/** Where Node keeps compiled code. Threads and processes do not take that from whoever starts them: without it each compiles all of its modules anew. */
import { flushCompileCache, getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';

/** For the environment of what is started. Empty where this process keeps none. */
export function compiledCodeEnv(): { readonly NODE_COMPILE_CACHE?: string } {
  // Below the folder that is named there is one for each version of Node.
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}

/** For a `Worker`: it takes compiled code as well, and is quiet about what Node calls experimental. */
export const threadOptions = () => ({
  execArgv: ['--disable-warning=ExperimentalWarning'],
  env: { ...process.env, ...compiledCodeEnv() },
});

/** A thread that is ended from outside would keep nothing of what it compiled. */
export function keepCompiledCode(): void {
  setTimeout(flushCompileCache, 3000).unref();
}
