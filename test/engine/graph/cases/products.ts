/** Examples of reductions, matrix products and norms. */
import * as ops from '../../../../main/engine/graph/ops/index.ts';
import type { Random } from '../../../oracles/random.ts';
import { bad, f32, normal, odd, separated, shapeOf } from './case.ts';
import type { CaseInput, OperationCase } from './case.ts';

const reduceBy = { reduceSum: ops.reduceSum, reduceMax: ops.reduceMax };
export const reductionCases: OperationCase[] = [
  ...(['reduceSum', 'reduceMax'] as const).flatMap((op): OperationCase[] =>
    [[2], [0], [0, 2], [1], [0, 1, 2], []].map((axes) => ({
      op,
      title: `${op} over [${axes}]`,
      make: (r) => ({
        inputs: { x: op === 'reduceMax' ? separated(r, [3, 5, 7]) : normal(r, [odd(r), 5, odd(r)]) },
        build: ({ x }) => [reduceBy[op](x!, axes)],
      }),
      bad: [bad([2, 3])((x) => reduceBy[op](x!, [2])), bad([2, 3])((x) => reduceBy[op](x!, [0, 0]))],
    })),
  ),
  {
    op: 'argMax',
    title: 'argMax, first of equals',
    make: (r) => ({
      inputs: { x: f32([3, 5, 7], Float32Array.from(r.integers(105, 0, 3)), false) },
      build: ({ x }) => [ops.argMax(x!)],
    }),
    bad: [bad([])((x) => ops.argMax(x!))],
  },
];

export const productCases: OperationCase[] = [
  ...[false, true].flatMap((transposeA) =>
    [false, true].flatMap((transposeB) =>
      [0, 1, 2].map((batchAxes): OperationCase => ({
        op: 'matmul',
        title: `matmul ${transposeA ? 'aᵀ' : 'a'}${transposeB ? 'bᵀ' : 'b'}, ${batchAxes} batch axes`,
        make: (r) => {
          const [m, n, k] = shapeOf(r, 3) as [number, number, number];
          const batch = shapeOf(r, batchAxes);
          return {
            inputs: {
              a: normal(r, [...batch, ...(transposeA ? [k, m] : [m, k])]),
              b: normal(r, [...batch, ...(transposeB ? [n, k] : [k, n])]),
            },
            build: ({ a, b }) => [ops.matmul(a!, b!, { transposeA, transposeB })],
          };
        },
        bad: [
          bad([2, 3], [2, 3])((a, b) => ops.matmul(a!, b!)),
          bad([2, 3], [4, 2, 3])((a, b) => ops.matmul(a!, b!, { transposeB: true })),
          bad([3, 2, 3], [4, 3, 2])((a, b) => ops.matmul(a!, b!)),
          bad([3], [3])((a, b) => ops.matmul(a!, b!)),
        ],
      })),
    ),
  ),
  ...[false, true].map((withBias): OperationCase => ({
    op: 'linear',
    title: `linear${withBias ? ' with bias' : ''}`,
    make: (r) => {
      const [from, to] = shapeOf(r, 2) as [number, number];
      const inputs: Record<string, CaseInput> = { x: normal(r, [3, 5, from]), w: normal(r, [to, from]) };
      if (withBias) inputs.b = normal(r, [to]);
      return { inputs, build: ({ x, w, b }) => [ops.linear(x!, w!, b)] };
    },
    bad: [
      bad([2, 3], [3, 2])((x, w) => ops.linear(x!, w!)),
      bad([2, 3], [4, 3], [3])((x, w, b) => ops.linear(x!, w!, b)),
    ],
  })),
];

/** Rows of numbers around 1 that spread from −2 to 2: where a row hardly spreads, normalising it magnifies every rounding without bound. */
function spread(r: Random, rows: number, width: number): Float32Array {
  const data = r.normals(rows * width, 0.3, 1);
  for (let row = 0; row < rows; row++) {
    const first = r.integer(0, width - 1);
    for (let i = 0; i < width; i++) data[row * width + i]! += (4 * ((first + i) % width)) / (width - 1) - 2;
  }
  return data;
}

export const normCases: OperationCase[] = (['layer', 'rms'] as const).flatMap((kind) =>
  [false, true].flatMap((withBias): OperationCase[] => {
    const make = (r: Random) => {
      const width = r.pick([3, 5, 7, 17]);
      const inputs: Record<string, CaseInput> = {
        x: f32([3, 5, width], spread(r, 15, width)),
        gain: normal(r, [width], 0.3, 1),
      };
      if (withBias) inputs.bias = normal(r, [width]);
      return { width, inputs };
    };
    const name = `${kind}${withBias ? ' with bias' : ''}`;
    return [
      {
        op: 'norm',
        title: `norm ${name}`,
        make: (r) => ({
          inputs: make(r).inputs,
          build: ({ x, gain, bias }) => [ops.norm(x!, gain!, { kind, eps: 1e-5, bias })],
        }),
        bad: [
          bad([2, 3], [2])((x, gain) => ops.norm(x!, gain!, { kind, eps: 1e-5 })),
          bad([2, 3], [3], [2])((x, gain, bias) => ops.norm(x!, gain!, { kind, eps: 1e-5, bias })),
        ],
      },
      {
        op: 'normGrad',
        title: `normGrad ${name}`,
        make: (r) => {
          const { width, inputs } = make(r);
          delete inputs.bias;
          return {
            inputs: { ...inputs, g: normal(r, [3, 5, width]) },
            build: ({ x, gain, g }, graph) =>
              graph.add('normGrad', [x!, gain!, g!], { kind, eps: 1e-5, bias: withBias }),
          };
        },
      },
    ];
  }),
);
