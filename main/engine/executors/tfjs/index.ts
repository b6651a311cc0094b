/** The portable executor, on TensorFlow.js. See README.md. */
import type { Executor } from '../executor.ts';
import { ALL_POLICIES } from '../executorKind.ts';
import { activate, describeBackend, startBackend } from './backend.ts';
import type { TfjsKind } from './backend.ts';
import { FAST_KERNELS } from './fast/index.ts';
import { PRIMITIVES } from './primitives.ts';
import { TfjsSession } from './session.ts';
import { FAST, PLAIN } from './target.ts';

export interface TfjsOptions {
  /** Decompose everything: the oracle. Slower on `cpu` and `wasm`; `gpu` always works so. */
  readonly plain?: boolean;
}

/** Opens an executor. Throws ExecutorUnavailableError where the backend cannot start. */
export async function openTfjsExecutor(kind: TfjsKind, options: TfjsOptions = {}): Promise<Executor> {
  await startBackend(kind);
  activate(kind);
  const plain = options.plain === true || kind === 'tfjs-gpu';
  return {
    device: {
      executor: kind,
      name: await describeBackend(kind),
      threads: 1,
      policies: ALL_POLICIES,
    },
    open: (states) =>
      plain
        ? new TfjsSession(kind, { ...PLAIN, kernels: PRIMITIVES }, states)
        : new TfjsSession(kind, { ...FAST, kernels: FAST_KERNELS }, states),
  };
}
