/** Runs of programs in this host: where they report, and what of their output is shown. */
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { OutsideLine } from '../../lab/outside/outsideRun.ts';
import { startProgram } from '../../lab/programs/programRun.ts';
import type { ProgramStarter } from '../../lab/queue/places/local.ts';
import type { Lab } from '../lab.ts';
import { programLauncher } from '../programProcess.ts';
import type { WandbDoor } from './wandbDoor.ts';

export interface ProgramsOptions {
  readonly lab: Pick<Lab, 'store' | 'paths'>;
  readonly door: WandbDoor;
  readonly onLine?: (run: RunRecord, line: OutsideLine) => void;
}

export function programStarter({ lab, door, onLine }: ProgramsOptions): ProgramStarter {
  const { store, paths } = lab;
  const options = {
    store,
    runs: door.runs,
    launch: programLauncher(paths.engines),
    files: paths.files,
    env: process.env,
    reporting: door.reporting,
    ...(onLine === undefined ? {} : { onLine }),
  };
  return { start: (run, slot, onMessage) => startProgram(options, run, slot, onMessage) };
}
