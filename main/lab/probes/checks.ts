/** The checks that a page can ask for, each with its usual length, and what they found in words. */
import { MOST_CHECK_STEPS } from '../../../preload/contract/shapes.ts';
import type { CheckAnswer, CheckName } from '../../../preload/contract/shapes.ts';
import type { Catalog } from '../../engine/catalog.ts';
import { deviceFor } from '../fit/index.ts';
import { checkFrontier, frontierWords } from './frontier.ts';
import { checkRates, rateWords } from './lrRange.ts';
import { checkNoise, noiseWords } from './noiseScale.ts';
import { checkOverfit, overfitWords } from './overfit.ts';
import { frontierPlot, noisePlot, overfitPlot, ratePlot } from './plots.ts';
import type { ProbeRequest } from './prepare.ts';
import { checkPreflight, preflightWords } from './preflight.ts';

interface Asked extends Omit<ProbeRequest, 'steps' | 'kinds'> {
  readonly kinds: Catalog;
  /** Undefined: as many as usual. */
  readonly steps: number | undefined;
}
type Check = (request: Asked) => Promise<CheckAnswer | undefined>;

/** What it found, unless it was ended. */
async function told<T>(
  found: Promise<T | undefined>,
  tell: (found: T) => Pick<CheckAnswer, 'ok' | 'lines'> & Partial<CheckAnswer>,
) {
  const answer = await found;
  return answer === undefined ? undefined : { plot: null, moreSteps: null, ...tell(answer) };
}

/** Several times as many tell clearly more. */
const more = (steps: number): number | null => (4 * steps <= MOST_CHECK_STEPS ? 4 * steps : null);

const CHECKS: Readonly<Record<CheckName, Check>> = {
  preflight: (request) =>
    told(checkPreflight({ ...request, steps: 2 }), (found) => ({
      ok: found.problem === undefined,
      lines: preflightWords(found),
    })),
  overfit({ steps = 500, ...request }) {
    return told(checkOverfit({ ...request, steps }), (found) => ({
      ok: found.hindered === undefined,
      lines: overfitWords(found, 'app'),
      plot: overfitPlot(found),
      moreSteps: found.unfinished ? more(steps) : null,
    }));
  },
  'lr-range'({ steps = 100, ...request }) {
    return told(checkRates({ ...request, steps, from: 1e-5, to: 1 }), (found) => ({
      ok: found.suggested !== undefined,
      lines: rateWords(found, 1, 'app'),
      plot: ratePlot(found),
      moreSteps: found.suggested === undefined ? more(steps) : null,
    }));
  },
  'batch-frontier': async (request) =>
    told(checkFrontier({ ...request, steps: 3, device: await deviceFor(request.config), longest: 20 }), (found) => ({
      ok: found.largest !== null,
      lines: frontierWords(found, 'app'),
      plot: frontierPlot(found),
    })),
  'noise-scale'({ steps = 100, ...request }) {
    return told(checkNoise({ ...request, steps }), (found) => ({
      ok: found.scale !== undefined,
      lines: noiseWords(found, 'app'),
      plot: noisePlot(found),
      moreSteps: found.high === undefined ? more(steps) : null,
    }));
  },
};

/** Undefined when it was ended. @throws whatever keeps the check from being made, in words */
export const runCheck = (name: CheckName, request: Asked): Promise<CheckAnswer | undefined> => CHECKS[name](request);
