/** The native CPU executor. See README.md. */
import { cpus } from 'node:os';
import type { Executor } from '../executor.ts';
import { ExecutorUnavailableError } from '../executor.ts';
import { ALL_POLICIES } from '../executorKind.ts';
import { loadNative } from '../../native/addon.ts';
import { CpuSession } from './session.ts';

export { CpuSession } from './session.ts';

export interface CpuOptions {
  /** Worker threads; the cores that this process may use unless given. */
  threads?: number;
}

/** Opens the executor. Throws ExecutorUnavailableError when the addon is not built or does not load. */
export function openCpuExecutor(options: CpuOptions = {}): Executor {
  const { native: addon, reason, mend } = loadNative();
  if (addon === undefined) throw new ExecutorUnavailableError(`cpu: ${reason}`, { mend });
  if (options.threads !== undefined) addon.setThreads(options.threads);
  const { level, threads } = addon.info();
  return {
    device: {
      executor: 'cpu',
      name: `${cpus()[0]?.model.trim() ?? 'CPU'}, ${level}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      threads,
      policies: ALL_POLICIES,
    },
    open: (states) => new CpuSession(addon, states),
  };
}
