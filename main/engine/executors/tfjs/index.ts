/** The portable executor, on TensorFlow.js. See README.md. */
import { PRIMITIVE_TARGET } from '../../compile/schedule.ts';
import type { Executor } from '../executor.ts';
import { activate, describeBackend, startBackend } from './backend.ts';
import type { TfjsKind } from './backend.ts';
import { PRIMITIVES } from './primitives.ts';
import { TfjsSession } from './session.ts';

export { probeTfjs, TFJS_KINDS } from './backend.ts';
export type { TfjsKind } from './backend.ts';

/** Opens an executor. Throws ExecutorUnavailableError where the backend cannot start. */
export async function openTfjsExecutor(kind: TfjsKind): Promise<Executor> {
  await startBackend(kind);
  activate(kind);
  return {
    device: {
      executor: kind,
      name: await describeBackend(kind),
      threads: 1,
      policies: ['fp32', 'bf16', 'fp16', 'pure-bf16'],
    },
    open: (states) => new TfjsSession(kind, PRIMITIVE_TARGET, PRIMITIVES, states),
  };
}
