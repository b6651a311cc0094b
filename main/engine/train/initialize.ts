/** First values of the parameters, from the run's seed and each parameter's name alone: equal on every executor. */
import type { ParameterSpec } from '../nn/model.ts';
import { fillNormal, fillUniform, seedKey, streamId } from '../random/philox.ts';
import { sizeOf } from '../graph/value.ts';

/** Row-major values of a new parameter. */
export function initialValues(spec: ParameterSpec, seed: number): Float32Array {
  const out = new Float32Array(sizeOf(spec.shape));
  const stream = `parameter ${spec.name}`;
  const { initial } = spec;
  switch (initial.kind) {
    case 'normal': {
      const normal = new Float64Array(out.length);
      fillNormal(normal, seed, stream);
      for (let i = 0; i < out.length; i++) out[i] = initial.std * normal[i]!;
      return out;
    }
    case 'uniform':
      fillUniform(out, seedKey(seed), streamId(stream), 0, 0);
      for (let i = 0; i < out.length; i++) out[i] = initial.limit * (2 * out[i]! - 1);
      return out;
    case 'constant':
      return out.fill(initial.value);
    case 'values':
      if (initial.values.length !== out.length)
        throw new Error(
          `parameter ${spec.name} has [${spec.shape.join(', ')}] and ${initial.values.length} initial values`,
        );
      return Float32Array.from(initial.values);
  }
}
