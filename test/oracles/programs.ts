/** Random programs for tests of rewrites and memory plans: views, broadcasts, mixed types, composites, state read and updated in every way. */
import { newGraph } from '../../main/engine/graph/operation.ts';
import * as ops from '../../main/engine/graph/ops/index.ts';
import { program } from '../../main/engine/graph/program.ts';
import type { Program, StateUpdate } from '../../main/engine/graph/program.ts';
import { sameShape, sizeOf } from '../../main/engine/graph/value.ts';
import type { Shape, Value } from '../../main/engine/graph/value.ts';
import type { Random } from './random.ts';

export interface RandomProgram {
  program: Program;
  feeds: Record<string, Float32Array>;
}

export interface RandomProgramOptions {
  nodes?: number;
  /** Only f32 values. */
  wide?: boolean;
}

const SHAPES: readonly Shape[] = [[4, 6], [6, 4], [2, 3, 4], [1, 24], [6], [4], [], [1, 6], [4, 1]];

export function randomProgram(r: Random, options: RandomProgramOptions = {}): RandomProgram {
  const graph = newGraph();
  const feeds: Record<string, Float32Array> = {};
  const pool: Value[] = [];
  const feed = (name: string, shape: Shape) => (feeds[name] = r.normals(sizeOf(shape)));
  for (let i = 0; i < 4; i++) {
    const shape = i === 0 ? [4, 6] : r.pick(SHAPES);
    feed(`in${i}`, shape);
    pool.push(ops.input(graph, `in${i}`, shape, 'f32'));
  }
  const states: { name: string; value: Value }[] = [];
  for (let i = 0; i < 5; i++) {
    const shape = i === 0 ? [4, 6] : r.pick(SHAPES);
    feed(`state${i}`, shape);
    const value = ops.state(graph, `state${i}`, shape, 'f32');
    states.push({ name: `state${i}`, value });
    pool.push(value);
  }
  // Recent values are used more, so that long chains and long lives both occur.
  const any = () => pool[Math.floor(pool.length * (r() < 0.6 ? 1 - r() ** 2 * 0.5 : r()) * 0.9999)]!;
  const like = (x: Value) => pool.filter((y) => sameShape(x.shape, y.shape));
  const total = options.nodes ?? 60;
  for (let i = 0; i < total; i++) {
    try {
      const made = step(r, any, like, options.wide === true);
      for (const value of made) pool.push(value);
    } catch (error) {
      // Random inputs often do not fit together; only that is expected to be refused.
      if ((error as Error).name !== 'ShapeError') throw error;
    }
  }
  const updates: StateUpdate[] = [];
  for (const { name, value } of states) {
    if (r() < 0.15) continue;
    const fitting = pool.filter((x) => sameShape(x.shape, value.shape) && x.dtype === 'f32' && x.node.op !== 'state');
    const chain = () => {
      let sum = value;
      for (let i = r.integer(1, 3); i > 0; i--) sum = ops.add(sum, ops.cast(r.pick(like(value)), 'f32'));
      return r() < 0.3 ? ops.reshape(ops.reshape(sum, [-1]), value.shape) : sum;
    };
    updates.push({ state: name, value: r() < 0.5 && fitting.length > 0 ? r.pick(fitting) : chain() });
  }
  const outputs: Record<string, Value> = {};
  for (let i = 0; i < 4; i++) outputs[`out${i}`] = r() < 0.2 ? r.pick(states).value : any();
  return { program: program('random', graph, outputs, updates), feeds };
}

function step(r: Random, any: () => Value, like: (x: Value) => Value[], wide: boolean): readonly Value[] {
  const x = any();
  const unary = [ops.neg, ops.tanh, ops.relu, ops.sigmoid, ops.sin];
  const binary = [ops.add, ops.sub, ops.mul, ops.maximum];
  switch (r.integer(0, 12)) {
    case 0:
    case 1:
      return [r.pick(unary)(x)];
    case 2:
    case 3:
    case 4:
      return [r.pick(binary)(x, r() < 0.7 ? r.pick(like(x)) : any())];
    case 5:
      return [ops.reshape(x, r.pick([[-1], [1, -1], [2, -1]]))];
    case 6:
      return x.shape.length < 2
        ? [ops.cos(x)]
        : [
            ops.transpose(
              x,
              x.shape.map((_, axis) => x.shape.length - 1 - axis),
            ),
          ];
    case 7:
      return [ops.tanh(ops.reduceSum(x, x.shape.length === 0 ? [] : [r.integer(0, x.shape.length - 1)]))];
    case 8:
      return wide ? [ops.square(ops.tanh(x))] : [ops.cast(x, r.pick(['bf16', 'f32', 'bf16']))];
    case 9: {
      const y = any();
      return [ops.tanh(ops.matmul(x, y, { transposeA: r() < 0.5, transposeB: r() < 0.5, out: 'f32' }))];
    }
    case 10:
      return [r() < 0.5 ? ops.concat([x, r.pick(like(x))], 0) : ops.slice(x, 0, 0, Math.ceil(x.shape[0]! / 2))];
    case 11: {
      const other = r.pick(like(x));
      return [ops.select(ops.greater(x, other), other, ops.neg(x))];
    }
    default: {
      if (x.shape.length === 0) return [ops.sin(x)];
      const gain = ops.fill(x.graph, [x.shape.at(-1)!], 1.1);
      const both = r.pick(like(x));
      return r.pick([
        () => [ops.activation(x, 'gelu')],
        () => [ops.gatedActivation(x, both, 'silu')],
        () => x.graph.add('gatedActivationGrad', [x, both, r.pick(like(x))], { fn: 'gelu_tanh' }),
        () => [ops.norm(x, gain, { kind: 'layer', eps: 0.1 })],
        () => x.graph.add('normGrad', [x, gain, both], { kind: 'rms', eps: 0.1, bias: false }),
      ])();
    }
  }
}
