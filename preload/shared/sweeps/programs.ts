import type { Draft } from '../../contract/draft.ts';

/** Whether a sweep starts programs instead of training models of Sweeplab. */
export const startsPrograms = ({ program, command, recipe, settings }: Draft): boolean =>
  (program !== undefined || command !== undefined) && recipe === null && Object.keys(settings).length === 0;
