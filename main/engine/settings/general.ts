/** Settings that belong to the run as a whole. */
import type { SettingSpec } from '../../../preload/contract/settings.ts';
import type { Common } from '../kind.ts';

const settings: readonly SettingSpec[] = [
  {
    name: 'seed',
    type: { kind: 'int', min: 0 },
    default: 1,
    help: 'Seed of initialisation, data order and dropout. Run several seeds before believing a small difference.',
    question: 'stability',
    plan: 'none',
  },
  {
    name: 'device',
    type: { kind: 'enum', values: ['auto', 'tfjs', 'tfjs-cpu', 'tfjs-wasm', 'tfjs-gpu', 'cpu', 'cuda'] },
    default: 'auto',
    help: 'Executor that trains: auto takes the fastest one found here (`sweeplab doctor` lists them).',
    question: 'budget',
    touches: ['memory', 'time'],
    plan: 'none',
  },
];

export const generalSettings: Common = { settings };
