/** Position information: learned or sinusoidal vectors added to the embeddings, and slopes of the linear distance bias. */
import { add, concat, cos, exp, iota, mul, reshape, scalar, sin, slice, softplus } from '../../graph/ops/index.ts';
import type { Graph, Value } from '../../graph/value.ts';
import type { ModelContext } from '../model.ts';
import { firstRows } from './initial.ts';

/** Sinusoids of Vaswani et al. 2017, f32 [length, width]: sines in the first half of the features, cosines in the second. */
function sinusoids(graph: Graph, length: number, width: number): Value {
  const half = width / 2;
  const positions = reshape(iota(graph, length), [length, 1]);
  const features = iota(graph, half);
  const frequency = exp(mul(features, scalar(features, -Math.log(10000) / half)));
  const angle = mul(positions, reshape(frequency, [1, half]));
  return concat([sin(angle), cos(angle)], 1);
}

/** Adds learned or sinusoidal positions to embeddings x [rows, length, width]; other schemes leave x alone. */
export function addPositions(m: ModelContext, x: Value): Value {
  const [, length, width] = x.shape as [number, number, number];
  switch (m.config['model.positions']) {
    case 'learned': {
      const table = m.within('positions', () =>
        m.parameter('weight', [m.longest, width], {
          role: 'embedding',
          part: 'position',
          initial: firstRows(m, m.longest, width),
        }),
      );
      return add(x, length < m.longest ? slice(table, 0, 0, length) : table);
    }
    case 'sinusoidal':
      return add(x, sinusoids(m.graph, length, width));
    default:
      return x;
  }
}

/**
 * f32 [heads]: slopes of the distance bias, softplus of a learned number per head. They start at the geometric series
 * 2^(−8(h + 1)/heads) of ALiBi (Press et al. 2021), so that heads begin with different ranges.
 */
export function learnedSlopes(m: ModelContext, heads: number): Value {
  const values = Array.from({ length: heads }, (_, h) => Math.log(Math.expm1(2 ** ((-8 * (h + 1)) / heads))));
  return softplus(
    m.parameter('slope', [heads], { role: 'vector', part: 'position', initial: { kind: 'values', values } }),
  );
}
