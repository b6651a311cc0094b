/** Examples of what fusion makes of several operations. */
import * as ops from '../../../../main/engine/graph/ops/index.ts';
import { bad, i32, normal } from './case.ts';
import type { CaseInput, OperationCase } from './case.ts';

export const fusedCases: OperationCase[] = [
  ...(
    [
      {},
      { residual: true },
      { bias: true, activation: 'gelu_tanh', savePre: true },
      { bias: true, residual: true, activation: 'silu' },
      { aux: true },
      { aux: true, residual: true, transposeA: true },
    ] as {
      residual?: boolean;
      bias?: boolean;
      aux?: boolean;
      savePre?: boolean;
      transposeA?: boolean;
      activation?: 'silu';
    }[]
  ).map((options): OperationCase => ({
    op: 'gemm',
    title: `gemm ${JSON.stringify(options)}`,
    make: (r) => {
      const transposeB = r() < 0.5;
      const { transposeA = false } = options;
      const inputs: Record<string, CaseInput> = {
        a: normal(r, transposeA ? [5, 3] : [3, 5]),
        b: normal(r, transposeB ? [7, 5] : [5, 7]),
      };
      if (options.residual === true) inputs.residual = normal(r, [3, 7]);
      if (options.bias === true) inputs.bias = normal(r, [7]);
      if (options.aux === true) inputs.aux = normal(r, [3, 7]);
      return {
        inputs,
        build: ({ a, b, residual, bias, aux }) => {
          const { y } = ops.gemm(a!, b!, {
            transposeA,
            transposeB,
            out: 'f32',
            residual,
            bias,
            activation: options.activation,
            savePre: options.savePre,
            derivativeOf: aux === undefined ? undefined : { activation: 'gelu', aux },
          });
          return y.node.outputs;
        },
      };
    },
    bad: [
      bad([2, 3], [2, 3])((a, b) => ops.gemm(a!, b!, { out: 'f32' })),
      bad([2, 3], [3, 4], [2, 3])((a, b, residual) => ops.gemm(a!, b!, { out: 'f32', residual })),
    ],
  })),
  {
    op: 'normGradAdd',
    title: 'normGradAdd',
    make: (r) => ({
      inputs: { x: normal(r, [3, 5], 2), gain: normal(r, [5]), g: normal(r, [3, 5]), addend: normal(r, [3, 5]) },
      build: ({ x, gain, g, addend }, graph) =>
        graph.add('normGradAdd', [x!, gain!, g!, addend!], { kind: 'layer', eps: 1e-5, bias: true }),
    }),
  },
  {
    op: 'scatterAddTo',
    title: 'scatterAddTo',
    make: (r) => ({
      inputs: { base: normal(r, [7, 3]), at: i32([5], r.integers(5, 0, 6)), updates: normal(r, [5, 3]) },
      build: ({ base, at, updates }, graph) => graph.add('scatterAddTo', [base!, at!, updates!]),
    }),
  },
  ...[false, true].map((hasBase): OperationCase => ({
    op: 'crossEntropyWithGradient',
    title: `crossEntropyWithGradient${hasBase ? ' onto a base' : ''}`,
    make: (r) => {
      const inputs: Record<string, CaseInput> = {
        hidden: normal(r, [7, 3], 2),
        weight: normal(r, [5, 3]),
        targets: i32([7], r.integers(7, -1, 4)),
        g: normal(r, [7]),
      };
      if (hasBase) inputs.base = normal(r, [5, 3]);
      return {
        inputs,
        build: (x, graph) => graph.add('crossEntropyWithGradient', Object.values(x), { softcap: 2, outHidden: 'f32' }),
        differentiableOutputs: [0, 2, 3],
      };
    },
  })),
];
