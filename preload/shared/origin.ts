/** Who trained a run, in words: one list for every table. */
import type { RunOrigin } from '../contract/runs.ts';

export const ORIGIN_WORDS: Readonly<Record<RunOrigin, string>> = {
  sweeplab: 'Sweeplab',
  program: 'a program',
  wandb: 'a script (W&B)',
  import: 'imported',
};

/** Origins whose runs this lab starts, ends and takes up again. */
export const STARTED_HERE: readonly RunOrigin[] = ['sweeplab', 'program'];

export const isStartedHere = ({ origin }: { readonly origin: RunOrigin }): boolean => STARTED_HERE.includes(origin);
