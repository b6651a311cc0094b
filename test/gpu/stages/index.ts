/** The stages, in the order of their value: what comes late is left out when time is short. */
import type { Stage } from '../stage.ts';
import { ceilings } from './ceilings.ts';
import { machine } from './machine.ts';
import { memory } from './memory.ts';
import { modules } from './modules.ts';
import { operations } from './operations.ts';
import { peers } from './peers.ts';
import { sanitizer } from './sanitizer.ts';
import { steps } from './steps.ts';
import { training } from './training.ts';

export const STAGES: readonly Stage[] = [
  machine,
  modules,
  ceilings,
  operations,
  training,
  memory,
  steps,
  peers,
  sanitizer,
];
