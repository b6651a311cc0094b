/**
 * What `precision.policy: auto` means. Everything but which executor `device: auto` takes is known at once; that is found when it is first
 * asked for, and for the rest of the process: a plan and its launch must not differ.
 */
import { parseDevice } from './cards.ts';
import { ExecutorUnavailableError } from './executor.ts';
import type { ExecutorKind, FastestPolicy } from './executorKind.ts';
import { AUTO, executorKind, ON_THE_PROCESSOR } from './index.ts';
import { meant, selectExecutor } from './select.ts';

export interface FastestOnDevice extends FastestPolicy {
  /** Name of the executor. */
  readonly executor: string;
}

/** @param device as the setting */
export type FastestOn = (device: string) => FastestOnDevice;

let taken: ExecutorKind | undefined;
let asked = false;

/** On this machine. Before it is known what `auto` takes, as on the processor: see {@link knowing}. */
export const fastestHere: FastestOn = (device) => {
  const { name } = parseDevice(device);
  if (name === AUTO) {
    asked ||= taken === undefined;
    return on(taken ?? ON_THE_PROCESSOR);
  }
  return on(meant(name)[0] ?? ON_THE_PROCESSOR);
};

/** Whatever `device` says, on a device that is planned for. */
export const fastestOn = (kind: string, multipliesBf16?: boolean): FastestOn => {
  const found = on(executorKind(kind), multipliesBf16);
  return () => found;
};

const on = (kind: ExecutorKind, multipliesBf16?: boolean): FastestOnDevice => ({
  executor: kind.name,
  ...kind.fastest(multipliesBf16),
});

/** What `work` says once {@link fastestHere} knows what it is asked for there: it is done again where it asked too early. */
export async function knowing<T>(work: () => T): Promise<T> {
  asked = false;
  const first = work();
  if (!asked) return first;
  try {
    taken = executorKind((await selectExecutor(AUTO)).executor.device.executor);
  } catch (error) {
    // A launch says so.
    if (!(error instanceof ExecutorUnavailableError)) throw error;
  }
  return work();
}
