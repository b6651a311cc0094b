/** The executors, the fastest first: the order in which `auto` tries them. */
import { cpu } from './cpu/kind.ts';
import { cuda } from './cuda/kind.ts';
import type { ExecutorKind } from './executorKind.ts';
import { tfjsCpu, tfjsGpu, tfjsWasm } from './tfjs/kind.ts';

/** The choice that takes the fastest executor found. */
export const AUTO = 'auto';

export const EXECUTORS: readonly ExecutorKind[] = [cuda, cpu, tfjsGpu, tfjsWasm, tfjsCpu];

/** Choices that mean one of several kinds. */
export const GROUPS: readonly string[] = [...new Set(EXECUTORS.flatMap(({ group }) => group ?? []))];

/** A kind by its name. @throws Error naming what there is */
export function executorKind(name: string): ExecutorKind {
  const kind = EXECUTORS.find((each) => each.name === name);
  if (kind === undefined)
    throw new Error(`there is no executor ${name}; there are ${EXECUTORS.map((each) => each.name).join(', ')}`);
  return kind;
}

export const isExecutor = (name: string): boolean => EXECUTORS.some((each) => each.name === name);
