/** Examples of operations element by element: arithmetic, comparisons, activations. */
import * as ops from '../../../../main/engine/graph/ops/index.ts';
import { sizeOf } from '../../../../main/engine/graph/value.ts';
import type { Graph, Shape, Value } from '../../../../main/engine/graph/value.ts';
import type { Random } from '../../../oracles/random.ts';
import { apply, away, bad, f32, floats, i32, integers, normal, positive, separated, shapeOf } from './case.ts';
import type { OperationCase } from './case.ts';

export const unaryCases: OperationCase[] = [
  'neg',
  'exp',
  'log',
  'tanh',
  'sigmoid',
  'erf',
  'sqrt',
  'rsqrt',
  'relu',
  'square',
  'softplus',
  'sin',
  'cos',
].map((op) => ({
  op,
  title: op,
  make: (r) => {
    const shape = shapeOf(r, r.integer(0, 4));
    const domain = op === 'log' || op === 'sqrt' || op === 'rsqrt' ? positive : op === 'relu' ? away : normal;
    return { inputs: { x: domain(r, shape) }, build: ({ x }) => [apply(op, x!)] };
  },
  bad: [(graph) => apply(op, integers(graph, [2]))],
}));

/** Two shapes that broadcast together. */
function broadcastPair(r: Random): [Shape, Shape] {
  const full = shapeOf(r, r.integer(1, 4));
  const thin = () => full.map((d) => (r() < 0.4 ? 1 : d)).slice(r() < 0.3 ? 1 : 0);
  return r.pick([
    [full, thin()],
    [thin(), full],
    [full, full],
    [full, []],
    [
      [3, 1],
      [1, 5],
    ],
  ] as [Shape, Shape][]);
}

export const binaryCases: OperationCase[] = (['add', 'sub', 'mul', 'div', 'maximum', 'minimum'] as const).map((op) => ({
  op,
  title: op,
  make: (r) => {
    const [sa, sb] = broadcastPair(r);
    const a = op === 'maximum' || op === 'minimum' ? separated(r, sa) : normal(r, sa);
    let b = op === 'div' ? away(r, sb) : normal(r, sb);
    // Between the separated values of a, so that no pair is near a tie.
    if (op === 'maximum' || op === 'minimum') b = f32(sb, separated(r, sb).data.map((x) => x + 0.15) as Float32Array);
    return { inputs: { a, b }, build: ({ a: x, b: y }) => [apply(op, x!, y!)] };
  },
  bad: [
    bad([2, 3], [2, 4])((x, y) => apply(op, x!, y!)),
    (graph) => apply(op, floats(graph, [2])[0]!, integers(graph, [2])),
  ],
}));

export const comparisonCases: OperationCase[] = (['greater', 'greaterEqual', 'less', 'equal'] as const).flatMap(
  (op) => [
    {
      op,
      title: `${op} of numbers`,
      make: (r: Random) => {
        const [sa, sb] = broadcastPair(r);
        const small = (shape: Shape) => f32(shape, Float32Array.from(r.integers(sizeOf(shape), -1, 1)), false);
        return {
          inputs: { a: small(sa), b: small(sb) },
          build: ({ a, b }: Record<string, Value>) => [apply(op, a!, b!)],
        };
      },
      bad: [
        bad([2, 3], [2, 4])((x: Value, y: Value) => apply(op, x, y)),
        (graph: Graph) => apply(op, floats(graph, [2])[0]!, integers(graph, [2])),
      ],
    },
    {
      op,
      title: `${op} of integers`,
      make: (r: Random) => {
        const shape = shapeOf(r, 2);
        const small = () => i32(shape, r.integers(sizeOf(shape), -1, 1));
        return { inputs: { a: small(), b: small() }, build: ({ a, b }: Record<string, Value>) => [apply(op, a!, b!)] };
      },
    },
  ],
);

export const activationCases: OperationCase[] = (['gelu', 'gelu_tanh', 'silu', 'relu2'] as const).flatMap(
  (fn): OperationCase[] => {
    const domain = fn === 'relu2' ? away : (r: Random, shape: Shape) => normal(r, shape, 2);
    return [
      {
        op: 'activation',
        title: `activation ${fn}`,
        make: (r) => ({ inputs: { x: domain(r, [5, 7]) }, build: ({ x }) => [ops.activation(x!, fn)] }),
        bad: [(g) => ops.activation(integers(g, [3]), fn), bad([2])((x) => ops.activation(x!, 'softsign' as 'gelu'))],
      },
      {
        op: 'activationGrad',
        title: `activationGrad ${fn}`,
        make: (r) => ({
          inputs: { x: domain(r, [5, 7]), g: normal(r, [5, 7]) },
          build: ({ x, g }, graph) => graph.add('activationGrad', [x!, g!], { fn }),
        }),
        bad: [bad([2, 3], [3])((x, g) => x!.graph.add('activationGrad', [x!, g!], { fn }))],
      },
      {
        op: 'gatedActivation',
        title: `gatedActivation ${fn}`,
        make: (r) => ({
          inputs: { a: domain(r, [5, 7]), b: normal(r, [5, 7]) },
          build: ({ a, b }) => [ops.gatedActivation(a!, b!, fn)],
        }),
        bad: [bad([2, 3], [3])((a, b) => ops.gatedActivation(a!, b!, fn))],
      },
      {
        op: 'gatedActivationGrad',
        title: `gatedActivationGrad ${fn}`,
        make: (r) => ({
          inputs: { a: domain(r, [5, 7]), b: normal(r, [5, 7]), g: normal(r, [5, 7]) },
          build: ({ a, b, g }, graph) => graph.add('gatedActivationGrad', [a!, b!, g!], { fn }),
        }),
      },
    ];
  },
);
