/** First values of the weights of a gpt and its like, as `model.init` says. */
import type { Initial, ModelContext } from '../model.ts';

/**
 * Of a matrix with these numbers of outputs and inputs. `divisor` shrinks the deviation further, for projections that end in the residual
 * stream. normal: `model.init_std`. xavier: √(2/(in + out)) (Glorot & Bengio 2010), kaiming: √(2/in) (He et al. 2015), both normal. uniform:
 * within ±1/√`model.width`.
 */
export function firstWeights(m: ModelContext, outputs: number, inputs: number, divisor = 1): Initial {
  const { config } = m;
  switch (config['model.init']) {
    case 'xavier':
      return { kind: 'normal', std: Math.sqrt(2 / (inputs + outputs)) / divisor };
    case 'kaiming':
      return { kind: 'normal', std: Math.sqrt(2 / inputs) / divisor };
    case 'uniform':
      return { kind: 'uniform', limit: 1 / Math.sqrt(config['model.width'] as number) / divisor };
    default:
      return { kind: 'normal', std: (config['model.init_std'] as number) / divisor };
  }
}

/** Of a table with a row of `width` for each of so many tokens or positions. */
export const firstRows = (m: ModelContext, rows: number, width: number): Initial => firstWeights(m, rows, width);

/** GPT-2: residual projections shrink with depth, so that the sum of 2·layers of them keeps its scale. */
export function residualDivisor(m: ModelContext, layers: number): number {
  return m.config['model.residual_scale'] === true ? Math.sqrt(2 * m.initialDepth(layers)) : 1;
}
