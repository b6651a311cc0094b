/** A gpt as its formulas say, in 64 bits and loops: pre-norm, RMS norms, learned positions, ReLU or SwiGLU, tied head, no biases. */
import type { Config } from '../../../preload/contract/settings.ts';

/**
 * How much key j counts for query i of a head, from 0 (not at all) to 1, of the keys up to i.
 * @param normed [tokens, width]: what the attention of the layer reads
 */
export type Seen = (
  of: { readonly layer: number; readonly row: number; readonly normed: readonly number[] },
  head: number,
  i: number,
  j: number,
) => number;

export type Tensors = Readonly<Record<string, Float32Array>>;

interface Layer {
  /** [tokens, width]: what the layer gives. */
  readonly stream: number[];
  /** [tokens, units] of the MLP, and what its function is given. */
  readonly hidden: number[];
  readonly gate: number[];
  /** Per head: mean entropy over queries, largest score. */
  readonly entropy: number[];
  readonly top: number[];
  /** Per head: share of the scores beyond 95 % of their cap. */
  readonly capped: number[];
}

const silu = (x: number): number => x / (1 + Math.exp(-x));

/** x [n, in] · w [out, in]ᵀ */
function product(x: readonly number[], w: Float32Array, inputs: number): number[] {
  const outputs = w.length / inputs;
  const y: number[] = [];
  for (let n = 0; n < x.length / inputs; n++)
    for (let o = 0; o < outputs; o++) {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += x[n * inputs + i]! * w[o * inputs + i]!;
      y.push(sum);
    }
  return y;
}

export class Forward {
  readonly layers: readonly Layer[];
  readonly logits: readonly number[];
  readonly #vocabulary: number;

  constructor(tensors: Tensors, config: Config, tokens: ArrayLike<number>, rows: number, seen: Seen = () => 1) {
    const [width, heads, depth] = ['width', 'heads', 'depth'].map((name) => config[`model.${name}`] as number) as [
      number,
      number,
      number,
    ];
    const [eps, context] = [config['model.norm_eps'] as number, tokens.length / rows];
    const get = (name: string): Float32Array => {
      const found = tensors[name];
      if (found === undefined) throw new Error(`${name} is not among ${Object.keys(tensors).join(', ')}`);
      return found;
    };
    const normed = (x: readonly number[], gain: Float32Array): number[] =>
      x.map((value, i) => {
        const row = x.slice(i - (i % width), i - (i % width) + width);
        return (value / Math.sqrt(row.reduce((sum, each) => sum + each * each, 0) / width + eps)) * gain[i % width]!;
      });
    const embedding = get('embedding.weight');
    const positions = get('embedding.positions.weight');
    let x = Array.from(tokens).flatMap((token, i) =>
      Array.from({ length: width }, (_, k) => embedding[token * width + k]! + positions[(i % context) * width + k]!),
    );
    const add = (y: readonly number[]) => (x = x.map((value, i) => value + y[i]!));
    this.layers = Array.from({ length: depth }, (_, layer): Layer => {
      const part = (name: string): Float32Array => get(`block.${layer}.${name}`);
      const h = normed(x, part('attention_norm.gain'));
      const [q, k, v] = ['query', 'key', 'value'].map((name) => product(h, part(`attention.${name}.weight`), width));
      const size = width / heads;
      const mixed = x.map(() => 0);
      const entropy = Array.from({ length: heads }, () => 0);
      const top = Array.from({ length: heads }, () => -Infinity);
      const capped = Array.from({ length: heads }, () => 0);
      const cap = config['model.attention_softcap'] as number;
      for (let row = 0; row < rows; row++)
        for (let head = 0; head < heads; head++)
          for (let i = 0; i < context; i++) {
            const place = (t: number, c: number) => (row * context + t) * width + head * size + c;
            const scores = Array.from({ length: i + 1 }, (_, j) => {
              let sum = 0;
              for (let c = 0; c < size; c++) sum += q![place(i, c)]! * k![place(j, c)]!;
              const score = sum / Math.sqrt(size);
              return cap > 0 ? cap * Math.tanh(score / cap) : score;
            });
            if (cap > 0) capped[head]! += scores.filter((score) => Math.abs(score) > 0.95 * cap).length;
            const counts = scores.map((_, j) => seen({ layer, row, normed: h }, head, i, j));
            top[head] = Math.max(top[head]!, ...scores.filter((_, j) => counts[j]! > 0));
            const weights = scores.map((score, j) => (counts[j]! > 0 ? Math.exp(score) : 0));
            const total = weights.reduce((sum, each) => sum + each, 0);
            const shares = weights.map((weight, j) => (weight / total) * counts[j]!);
            const all = shares.reduce((sum, each) => sum + each, 0);
            shares.forEach((share, j) => {
              const p = share / all;
              if (p > 0) entropy[head]! -= (p * Math.log(p)) / (rows * context);
              for (let c = 0; c < size; c++) mixed[place(i, c)]! += share * v![place(j, c)]!;
            });
          }
      add(product(mixed, part('attention.output.weight'), width));
      const [own, gated] = [normed(x, part('mlp_norm.gain')), config['model.mlp'] === 'swiglu'];
      const up = product(own, part('mlp.up.weight'), width);
      const gate = gated ? product(own, part('mlp.gate.weight'), width) : up;
      const hidden = gated ? up.map((u, i) => u * silu(gate[i]!)) : up.map((u) => Math.max(0, u));
      add(product(hidden, part('mlp.down.weight'), hidden.length / (rows * context)));
      const pairs = (rows * context * (context + 1)) / 2;
      return { stream: x, hidden, gate, entropy, top, capped: capped.map((count) => count / pairs) };
    });
    this.#vocabulary = embedding.length / width;
    const most = config['model.softcap'] as number;
    const raw = product(normed(x, get('final_norm.gain')), embedding, width);
    this.logits = most > 0 ? raw.map((each) => most * Math.tanh(each / most)) : raw;
  }

  /** Of each token. */
  losses(targets: ArrayLike<number>): number[] {
    return Array.from(targets, (target, i) => {
      const row = this.logits.slice(i * this.#vocabulary, (i + 1) * this.#vocabulary);
      return Math.log(row.reduce((sum, each) => sum + Math.exp(each), 0)) - row[target]!;
    });
  }
}
