/** The portable executor, on TensorFlow.js. See README.md. */
import { PRIMITIVE_TARGET } from '../../compile/schedule.ts';
import type { Executor } from '../executor.ts';
import { activate, describeBackend, startBackend } from './backend.ts';
import type { TfjsKind } from './backend.ts';
import { FAST_KERNELS, TFJS_FAST_TARGET } from './fast/index.ts';
import { PRIMITIVES } from './primitives.ts';
import { TfjsSession } from './session.ts';

export { probeTfjs, TFJS_KINDS } from './backend.ts';
export type { TfjsKind } from './backend.ts';

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
      policies: ['fp32', 'bf16', 'fp16', 'pure-bf16'],
    },
    open: (states) =>
      plain
        ? new TfjsSession(kind, { target: PRIMITIVE_TARGET, kernels: PRIMITIVES, fused: false }, states)
        : new TfjsSession(kind, { target: TFJS_FAST_TARGET, kernels: FAST_KERNELS, fused: true }, states),
  };
}

export { TFJS_FAST_TARGET } from './fast/index.ts';
