/** Runs of programs in this host: on which cards, where they report, and what of their output is shown. */
import type { RunRecord } from '../../../preload/contract/runs.ts';
import { installedGpus } from '../../engine/executors/nvidia.ts';
import type { OutsideLine } from '../../lab/outside/outsideRun.ts';
import { startProgram } from '../../lab/programs/programRun.ts';
import type { ProgramStarter } from '../../lab/queue/places/local.ts';
import type { Lab } from '../lab.ts';
import { programLauncher } from '../programProcess.ts';
import type { WandbDoor } from './wandbDoor.ts';

/** Cards that programs may have, one each: those that this lab was given, or all. */
export async function findCards(visible = process.env.CUDA_VISIBLE_DEVICES): Promise<string[]> {
  const names =
    visible === undefined
      ? (await installedGpus()).map(({ index }) => String(index))
      : visible.split(',').map((name) => name.trim());
  return names.filter((name) => name !== '' && name !== '-1').map((name) => `cuda:${name}`);
}

export interface ProgramsOptions {
  readonly lab: Pick<Lab, 'store' | 'paths'>;
  readonly door: WandbDoor;
  readonly cards: readonly string[];
  readonly onLine?: (run: RunRecord, line: OutsideLine) => void;
}

export function programStarter({ lab, door, cards, onLine }: ProgramsOptions): ProgramStarter {
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
  return { cards, start: (run, slot, onMessage) => startProgram(options, run, slot, onMessage) };
}
