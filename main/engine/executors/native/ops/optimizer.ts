/** Optimizer updates in one pass. */
import { UPDATE_RULES } from '../../../graph/ops/index.ts';
import { sizeOf } from '../../../graph/value.ts';
import type { Node, Value } from '../../../graph/value.ts';
import type { KernelCall } from '../call.ts';
import type { NativeOperations, Placement } from '../operation.ts';
import { copy } from './copy.ts';

type Inputs = [
  p: Value,
  g: Value,
  scale: Value,
  lr: Value,
  decay: Value,
  bias1: Value,
  bias2: Value,
  ...moments: Value[],
];

/** Constants that each kind of the kernel reads. A rule that is not among them is decomposed. */
export const OPTIMIZER_KINDS: Readonly<Record<string, readonly string[]>> = {
  adamw: ['beta1', 'beta2', 'eps'],
  adam: ['beta1', 'beta2', 'eps'],
  sgd: ['momentum'],
  adagrad: ['eps'],
  rmsprop: ['alpha', 'eps', 'momentum'],
};

function update(node: Node, place: Placement): KernelCall[] {
  const { attrs } = node;
  const kind = attrs.rule as string;
  const constant = (name: string) => (OPTIMIZER_KINDS[kind]!.includes(name) ? (attrs[name] as number) : 0);
  const [p, g, scale, lr, decay, bias1, bias2, ...moments] = node.inputs as Inputs;
  const count = UPDATE_RULES[kind]!.moments(attrs).length;
  const [next, ...rest] = node.outputs as [Value, ...Value[]];
  const [m, v, third] = rest.slice(0, count);
  const fields = {
    p: next,
    g,
    m: m ?? null,
    v: v ?? null,
    third: third ?? null,
    copy: rest[count] ?? null,
    scale,
    lr,
    decay,
    bias1,
    bias2,
    n: sizeOf(p.shape),
    gtype: g.dtype,
    kind,
    nesterov: attrs.nesterov === true,
    centered: attrs.centered === true,
    beta1: constant('beta1'),
    beta2: constant('beta2'),
    eps: constant('eps'),
    momentum: constant('momentum'),
    alpha: constant('alpha'),
  };
  const copies = [p, ...moments].flatMap((from, i) => copy(from, [next, m, v, third][i]!, place));
  return [...copies, { kernel: 'optimizer', fields }];
}

export const OPTIMIZER: NativeOperations = {
  optimizerUpdate: { keeps: ({ attrs }) => Object.hasOwn(OPTIMIZER_KINDS, attrs.rule as string), calls: update },
};
