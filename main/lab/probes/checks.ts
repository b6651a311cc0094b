/** The checks that a page can ask for, each with its usual length, and what they found in words. */
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

type Asked = Omit<ProbeRequest, 'steps' | 'kinds'> & { readonly kinds: Catalog };
type Check = (request: Asked) => Promise<CheckAnswer | undefined>;

/** What it found, unless it was ended. */
async function told<T>(
  found: Promise<T | undefined>,
  tell: (found: T) => Omit<CheckAnswer, 'plot'> & Partial<Pick<CheckAnswer, 'plot'>>,
) {
  const answer = await found;
  return answer === undefined ? undefined : { plot: null, ...tell(answer) };
}

const CHECKS: Readonly<Record<CheckName, Check>> = {
  preflight: (request) =>
    told(checkPreflight({ ...request, steps: 2 }), (found) => ({
      ok: found.problem === undefined,
      lines: preflightWords(found),
    })),
  overfit: (request) =>
    told(checkOverfit({ ...request, steps: 500 }), (found) => ({
      ok: found.hindered === undefined,
      lines: overfitWords(found),
      plot: overfitPlot(found),
    })),
  'lr-range': (request) =>
    told(checkRates({ ...request, steps: 100, from: 1e-5, to: 1 }), (found) => ({
      ok: found.suggested !== undefined,
      lines: rateWords(found, 1),
      plot: ratePlot(found),
    })),
  'batch-frontier': async (request) =>
    told(checkFrontier({ ...request, steps: 3, device: await deviceFor(request.config), longest: 20 }), (found) => ({
      ok: found.largest !== null,
      lines: frontierWords(found),
      plot: frontierPlot(found),
    })),
  'noise-scale': (request) =>
    told(checkNoise({ ...request, steps: 100 }), (found) => ({
      ok: found.scale !== undefined,
      lines: noiseWords(found),
      plot: noisePlot(found),
    })),
};

/** Undefined when it was ended. @throws whatever keeps the check from being made, in words */
export const runCheck = (name: CheckName, request: Asked): Promise<CheckAnswer | undefined> => CHECKS[name](request);
