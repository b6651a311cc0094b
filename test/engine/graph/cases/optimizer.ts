/** Examples of every update rule, and of the global norm. */
import * as ops from '../../../../main/engine/graph/ops/index.ts';
import type { Value } from '../../../../main/engine/graph/value.ts';
import { optimizerFamily } from '../../../../main/engine/optim/optimizers/index.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { away, bad, f32, normal, scalar } from './case.ts';
import type { CaseInput, OperationCase } from './case.ts';

/** An optimizer and the constants that its settings give. */
interface OptimizerVariant {
  readonly rule: string;
  readonly [constant: string]: string | number | boolean;
}

export const OPTIMIZER_VARIANTS: readonly OptimizerVariant[] = [
  { rule: 'adamw', beta1: 0.9, beta2: 0.95, eps: 1e-6 },
  { rule: 'adam', beta1: 0.8, beta2: 0.99, eps: 1e-8 },
  { rule: 'sgd', momentum: 0, nesterov: false },
  { rule: 'sgd', momentum: 0.9, nesterov: false },
  { rule: 'sgd', momentum: 0.9, nesterov: true },
  { rule: 'adagrad', eps: 1e-8 },
  { rule: 'rmsprop', alpha: 0.9, eps: 1e-6, momentum: 0, centered: false },
  { rule: 'rmsprop', alpha: 0.9, eps: 1e-6, momentum: 0.8, centered: false },
  { rule: 'rmsprop', alpha: 0.9, eps: 1e-6, momentum: 0.8, centered: true },
];

/** The kind of a variant and its settings. */
export function optimizerOf({ rule, ...constants }: OptimizerVariant) {
  const kind = optimizerFamily.kinds.find(({ name }) => name === rule)!;
  const settings = Object.fromEntries(
    Object.entries(constants).map(([name, value]) => [`optimizer.${name}`, value]),
  ) as Config;
  const scalars = Object.keys(kind.scalars?.(settings, 1) ?? {});
  return { kind, settings, names: kind.moments(settings), scalars };
}

/** An update with p for every moment and s for every number. */
function updateWith(attrs: OptimizerVariant, p: Value, g: Value, s: Value): Value {
  const { kind, settings, names, scalars } = optimizerOf(attrs);
  const moments = Object.fromEntries(names.map((name) => [name, p]));
  const hyper = { lr: s, decay: s, ...Object.fromEntries(scalars.map((name) => [name, s])) };
  return ops.optimizerUpdate(kind, settings, { p, g, moments, gradientScale: s, hyper }).p;
}

export const optimizerCases: OperationCase[] = [
  ...OPTIMIZER_VARIANTS.map((attrs): OperationCase => ({
    op: 'optimizerUpdate',
    title: `optimizerUpdate ${JSON.stringify(attrs)}`,
    make: (r) => {
      const { kind, settings, names, scalars } = optimizerOf(attrs);
      const inputs: Record<string, CaseInput> = {
        p: normal(r, [5, 7]),
        g: away(r, [5, 7]),
        gradientScale: scalar(0.7),
        lr: scalar(0.05),
        decay: scalar(0.1),
        ...Object.fromEntries(scalars.map((name, i) => [name, scalar(0.3 - 0.1 * i)])),
      };
      names.forEach((name) => {
        // Second moments are positive, and above the square of the mean that the centred form subtracts.
        const second = name === 'second' || name === 'square' || name === 'sum';
        inputs[name] = second
          ? f32(
              [5, 7],
              r.normals(35).map((x) => 2 + Math.abs(x)),
            )
          : normal(r, [5, 7], 0.2);
      });
      return {
        inputs,
        build: (x) => {
          const update = ops.optimizerUpdate(kind, settings, {
            p: x.p!,
            g: x.g!,
            moments: x,
            gradientScale: x.gradientScale!,
            hyper: x as ops.Hyper,
            working: 'bf16',
          });
          return [update.p, ...names.map((name) => update.moments[name]!), update.working!];
        },
        // The working copy is rounded: nobody differentiates through it.
        differentiableOutputs: [0, ...names.map((_, i) => i + 1)],
      };
    },
    bad: [
      bad([3], [4], [])((p, g, s) => updateWith(attrs, p!, g!, s!)),
      bad(
        [3],
        [3],
        [],
      )((p, g, s) => p!.graph.add('optimizerUpdate', [p!, g!, s!], updateWith(attrs, p!, g!, s!).node.attrs)),
    ],
  })),
  {
    op: 'globalNorm',
    title: 'globalNorm',
    make: (r) => ({
      inputs: { a: normal(r, [5, 7]), b: normal(r, [3]), c: normal(r, []) },
      build: ({ a, b, c }) => [ops.globalNorm([a!, b!, c!])],
    }),
  },
];
