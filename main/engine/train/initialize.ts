/** First values of the parameters, from the run's seed and each parameter's name alone: equal on every executor. */
import type { ParameterSpec } from '../nn/model.ts';
import { fillNormal, fillUniform, seedKey, streamId } from '../random/philox.ts';
import { sizeOf } from '../graph/value.ts';

/** Normal numbers are made in 64 bits, so many at a time. */
const NORMALS = 4096;

/** Row-major values [from, from + out.length) of a new parameter. `from` must be a multiple of 4. */
export function initialValues(spec: ParameterSpec, seed: number, from: number, out: Float32Array): Float32Array {
  const stream = `parameter ${spec.name}`;
  const { initial } = spec;
  switch (initial.kind) {
    case 'normal': {
      const normal = new Float64Array(Math.min(out.length, NORMALS));
      for (let at = 0; at < out.length; at += NORMALS) {
        const some = normal.subarray(0, Math.min(NORMALS, out.length - at));
        fillNormal(some, seed, stream, from + at);
        for (let i = 0; i < some.length; i++) out[at + i] = initial.std * some[i]!;
      }
      return out;
    }
    case 'uniform':
      fillUniform(out, seedKey(seed), streamId(stream), 0, 0, from);
      return spread(out, initial.limit, initial.least);
    case 'constant':
      return out.fill(initial.value);
    case 'values': {
      const size = sizeOf(spec.shape);
      if (initial.values.length !== size)
        throw new Error(
          `parameter ${spec.name} has [${spec.shape.join(', ')}] and ${initial.values.length} initial values`,
        );
      for (let i = 0; i < out.length; i++) out[i] = initial.values[from + i]!;
      return out;
    }
  }
}

/** Numbers from [0, 1) to [least, limit). */
function spread(out: Float32Array, limit: number, least?: number): Float32Array {
  const at = least === undefined ? (u: number) => limit * (2 * u - 1) : (u: number) => least + (limit - least) * u;
  for (let i = 0; i < out.length; i++) out[i] = at(out[i]!);
  return out;
}
