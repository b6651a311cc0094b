/** The stages, in the order of their value: what comes late is left out when time is short. */
import type { Stage } from '../stage.ts';
import { ceilings } from './ceilings.ts';
import { machine } from './machine.ts';
import { modules } from './modules.ts';

export const STAGES: readonly Stage[] = [machine, modules, ceilings];
