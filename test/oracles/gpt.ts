/** A small GPT training program written straight in graph operations, for tests and measurements of executors and plans. */
import { differentiate } from '../../main/engine/graph/differentiate.ts';
import { newGraph } from '../../main/engine/graph/operation.ts';
import {
  activation,
  add,
  attention,
  gather,
  input,
  linear,
  linearCrossEntropy,
  mul,
  norm,
  optimizerUpdate,
  reduceSum,
  reshape,
  slice,
  state,
  sumTo,
  cast,
} from '../../main/engine/graph/ops/index.ts';
import { program } from '../../main/engine/graph/program.ts';
import type { Program, StateSpec, StateUpdate } from '../../main/engine/graph/program.ts';
import { sizeOf } from '../../main/engine/graph/value.ts';
import type { DType, Value } from '../../main/engine/graph/value.ts';
import { adamw } from '../../main/engine/optim/optimizers/adamw.ts';
import { fillNormal } from '../../main/engine/random/philox.ts';

const ADAMW = { 'optimizer.beta1': 0.9, 'optimizer.beta2': 0.99, 'optimizer.eps': 1e-8 };

export interface GptSize {
  depth: number;
  width: number;
  heads: number;
  vocabulary: number;
  rows: number;
  length: number;
  /** Type of the weights in forward and backward; moments and masters stay f32. */
  type?: DType;
  activation?: 'gelu' | 'gelu_tanh';
}

export interface GptStep {
  program: Program;
  states: StateSpec[];
  /** Starting values by state name; states that are absent start at zero. */
  initial(): Map<string, Float32Array>;
}

/** Forward, backward and AdamW in one program. Inputs: tokens, targets, learningRate. Output: loss. */
export function gptStep(size: GptSize): GptStep {
  const { depth, width, heads, vocabulary, rows, length } = size;
  const type = size.type ?? 'f32';
  const graph = newGraph();
  const states: StateSpec[] = [];
  const parameters: { name: string; master: Value; used: Value }[] = [];
  const parameter = (name: string, shape: number[]) => {
    const isVector = shape.length === 1;
    states.push({ name, shape, dtype: 'f32', category: 'parameters', scope: graph.scope });
    const master = state(graph, name, shape, 'f32');
    const used = isVector || type === 'f32' ? master : cast(master, type);
    parameters.push({ name, master, used });
    return used;
  };
  const tokens = input(graph, 'tokens', [rows, length], 'i32');
  const targets = input(graph, 'targets', [rows, length], 'i32');
  const learningRate = input(graph, 'learningRate', [], 'f32');
  const normed = (x: Value, name: string) => norm(x, parameter(name, [width]), { kind: 'layer', eps: 1e-5 });

  const table = graph.within('embedding', () => parameter('embedding', [vocabulary, width]));
  const places = graph.within('embedding', () => parameter('positions', [length, width]));
  let x = add(gather(table, tokens), reshape(places, [1, length, width]));
  for (let i = 0; i < depth; i++) {
    x = graph.within(`block.${i}`, () => {
      const qkv = linear(normed(x, `${i}.norm1`), parameter(`${i}.qkv`, [3 * width, width]));
      const [q, k, v] = [0, 1, 2].map((part) =>
        reshape(slice(qkv, 2, part * width, width), [rows, length, heads, width / heads]),
      ) as [Value, Value, Value];
      const mixed = reshape(attention(q, k, v, { causal: true }), [rows, length, width]);
      const y = add(x, linear(mixed, parameter(`${i}.out`, [width, width])));
      const hidden = linear(normed(y, `${i}.norm2`), parameter(`${i}.up`, [4 * width, width]));
      return add(y, linear(activation(hidden, size.activation ?? 'gelu'), parameter(`${i}.down`, [width, 4 * width])));
    });
  }
  const hidden = reshape(normed(x, 'norm'), [rows * length, width]);
  const { loss: perToken } = graph.within('head', () =>
    linearCrossEntropy(hidden, table, reshape(targets, [rows * length])),
  );
  const one = reshape(reduceSum(perToken, [0]), []);
  const loss = mul(one, constant(graph, 1 / (rows * length)));
  const gradients = differentiate(
    loss,
    parameters.map(({ used }) => used),
  );
  const updates: StateUpdate[] = [];
  graph.during('update', () => {
    parameters.forEach(({ name, master }, i) => {
      const moments = ['first', 'second'].map((moment): [string, Value] => {
        states.push({
          name: `${name}:${moment}`,
          shape: master.shape,
          dtype: 'f32',
          category: 'optimizer state',
          scope: '',
        });
        return [moment, state(graph, `${name}:${moment}`, master.shape, 'f32')];
      });
      const unit = constant(graph, 1);
      const result = optimizerUpdate(adamw, ADAMW, {
        p: master,
        g: sumTo(gradients[i]!, master.shape),
        moments: Object.fromEntries(moments),
        gradientScale: unit,
        hyper: { lr: learningRate, decay: constant(graph, 0.01), bias1: unit, bias2: unit },
      });
      updates.push({ state: name, value: result.p });
      for (const [moment, value] of Object.entries(result.moments)) updates.push({ state: `${name}:${moment}`, value });
    });
  });
  return {
    program: program('gpt', graph, { loss }, updates),
    states,
    initial: () => {
      const values = new Map<string, Float32Array>();
      for (const { name, master } of parameters) {
        const data = new Float32Array(sizeOf(master.shape));
        if (master.shape.length === 1) data.fill(1);
        else {
          fillNormal(data, 1, name);
          for (let i = 0; i < data.length; i++) data[i]! *= 0.05;
        }
        values.set(name, data);
      }
      return values;
    },
  };
}

function constant(graph: Value['graph'], value: number): Value {
  return graph.add('fill', [], { shape: [], value, dtype: 'f32' })[0]!;
}
