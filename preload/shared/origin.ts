/** Who trained a run, in words: one list for every table. */
import type { RunOrigin } from '../contract/runs.ts';

export const ORIGIN_WORDS: Readonly<Record<RunOrigin, string>> = {
  sweeplab: 'Sweeplab',
  program: 'a program',
  wandb: 'a script (W&B)',
  import: 'imported',
};
