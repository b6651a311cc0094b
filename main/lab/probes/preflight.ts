/** The rehearsal that long runs begin with (engine/train/preflight.ts), asked for by itself. */
import { formatDuration, plural } from '../../../preload/shared/format.ts';
import { gibibytes } from '../fit/index.ts';
import { TrainingControl } from '../../engine/train/control.ts';
import { prepareData } from '../../engine/train/dataset.ts';
import { rehearse } from '../../engine/train/preflight.ts';
import type { Rehearsal } from '../../engine/train/preflight.ts';
import { run } from '../../engine/train/run.ts';
import type { ProbeRequest } from './prepare.ts';

export interface Preflight extends Rehearsal {
  readonly seconds: number;
  /** Of the configuration; undefined where another rule ends it. */
  readonly plannedSteps: number | undefined;
}

/** Undefined when it was ended. @throws DataError */
export async function checkPreflight(request: ProbeRequest): Promise<Preflight | undefined> {
  const { config, kinds, cache } = request;
  const begun = performance.now();
  let ended = false;
  const said = (what: string, share?: number): void => {
    if (request.onProgress?.(what, share) === false) ended = true;
  };
  const data = await prepareData({ config, kinds, cache, onProgress: said });
  const what = 'two steps, an evaluation, a checkpoint';
  said(what);
  if (ended) return undefined;
  const found = await rehearse(run, {
    config,
    data,
    onProgress: (share) => said(what, share),
    options: {
      start: {
        type: 'start',
        runId: 'preflight',
        config,
        // In the data folder, and not where a lab that trains clears up when it opens.
        paths: { checkpoints: cache, cache },
        resume: false,
        plugins: [],
      },
      control: new TrainingControl(),
      loadKinds: () => Promise.resolve(kinds),
    },
  });
  return {
    ...found,
    seconds: (performance.now() - begun) / 1000,
    plannedSteps: (config['stop.steps'] as number) || undefined,
  };
}

/** For people. */
export function preflightWords(found: Preflight): string[] {
  const { problem, stepSeconds, evaluationSeconds, checkpointBytes, plannedBytes, seconds, plannedSteps } = found;
  if (problem !== undefined) return [`It would fail: ${problem}`];
  const long = stepSeconds === undefined || plannedSteps === undefined ? undefined : stepSeconds * plannedSteps;
  return [
    `Ready: two steps, an evaluation and a checkpoint went well, in ${formatDuration(seconds)}.`,
    ...(stepSeconds === undefined
      ? []
      : [
          `A step takes about ${formatDuration(stepSeconds)}${long === undefined ? '' : `; ${plural(plannedSteps!, 'step')} about ${formatDuration(long)}`}.`,
        ]),
    ...(evaluationSeconds === undefined
      ? []
      : [`The first batch of an evaluation took ${formatDuration(evaluationSeconds)}.`]),
    ...(checkpointBytes === undefined
      ? []
      : [`A checkpoint takes ${gibibytes(checkpointBytes)} (and the best one as much again, without moments).`]),
    ...(plannedBytes === undefined ? [] : [`State and temporaries take ${gibibytes(plannedBytes)}, as planned.`]),
  ];
}
