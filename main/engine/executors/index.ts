/** The executors, the fastest first: the order in which `auto` tries them. */
import type { SettingSpec } from '../../../preload/contract/settings.ts';
import type { Family } from '../kind.ts';
import { cpu } from './cpu/kind.ts';
import { cuda } from './cuda/kind.ts';
import type { ExecutorKind } from './executorKind.ts';
import { tfjsCpu, tfjsGpu, tfjsWasm } from './tfjs/kind.ts';

/** The choice that takes the fastest executor found. */
export const AUTO = 'auto';

export const EXECUTORS: readonly ExecutorKind[] = [cuda, cpu, tfjsGpu, tfjsWasm, tfjsCpu];

/** The fastest of those that need no card. */
export const ON_THE_PROCESSOR = EXECUTORS.find(({ memory }) => memory === 'host')!;

/** What would train on a GPU that need not be here. */
export const ON_A_GPU = EXECUTORS.find(({ memory }) => memory === 'gpu')!.name;

/** Choices that mean one of several kinds. */
export const GROUPS: readonly string[] = [...new Set(EXECUTORS.flatMap(({ group }) => group ?? []))];

const device: SettingSpec = {
  name: 'device',
  type: { kind: 'enum', values: [AUTO, ...GROUPS], numbered: [ON_A_GPU] },
  default: AUTO,
  help: 'Executor that trains: auto takes the fastest one found here (`sweeplab doctor` lists them); cuda:1 takes one of several cards.',
  question: 'budget',
  touches: ['memory', 'time'],
  plan: 'none',
};

export const executorFamily: Family<ExecutorKind> = {
  name: 'executor',
  setting: 'device',
  shared: [device],
  kinds: EXECUTORS,
};

/** A kind by its name. @throws Error naming what there is */
export function executorKind(name: string): ExecutorKind {
  const kind = EXECUTORS.find((each) => each.name === name);
  if (kind === undefined)
    throw new Error(`there is no executor ${name}; there are ${EXECUTORS.map((each) => each.name).join(', ')}`);
  return kind;
}

export const isExecutor = (name: string): boolean => EXECUTORS.some((each) => each.name === name);
