import { builtInCatalog } from '../../../main/engine/catalog.ts';
import type { Kinds } from '../../../main/engine/kind.ts';
import { buildTraining } from '../../../main/engine/nn/training.ts';
import type { TrainingPrograms } from '../../../main/engine/nn/training.ts';
import { sizeOf } from '../../../main/engine/graph/value.ts';
import type { Program } from '../../../main/engine/graph/program.ts';
import type { Config } from '../../../preload/contract/settings.ts';

/** Together these use every option of the models. */
export const VARIANTS: Readonly<Record<string, Config>> = {
  plain: {},
  llama: {
    'model.norm': 'rmsnorm',
    'model.positions': 'rotary',
    'model.mlp': 'swiglu',
    'model.kv_heads': 2,
    'model.width': 16,
    'model.heads': 4,
    'model.qk_norm': true,
    'model.tied': false,
  },
  original: {
    'model.norm_position': 'post',
    'model.positions': 'sinusoidal',
    'model.bias': true,
    'model.dropout': 0.2,
  },
  biased: {
    'model.positions': 'bias',
    'model.window': 4,
    'model.softcap': 5,
    'model.attention_softcap': 3,
    'model.mlp': 'geglu',
  },
  squared: { 'model.mlp': 'relu2', 'model.positions': 'none', 'model.head_size': 6, 'model.residual_scale': false },
  tanh: { 'model.mlp': 'gelu_tanh', 'model.depth': 1, 'model.norm_eps': 1e-3 },
  experts: {
    'model.experts': 3,
    'model.mlp': 'swiglu',
    'model.dropout': 0.1,
    // What the routers lose is no part of the loss of tokens; test/engine/nn/models/oracle.test.ts has both.
    'model.experts_balance': 0,
    'model.experts_z': 0,
  },
  'one expert': { 'model.experts': 4, 'model.experts_active': 1, 'model.experts_balance': 0, 'model.experts_z': 0 },
  bottleneck: {
    'model.attention_width': 6,
    'model.mlp': 'gelu_tanh',
    'model.head_bias': true,
    'model.embedding_scale': true,
    'model.init': 'kaiming',
    'model.per_layer': '1: heads=3 mlp=geglu mlp_width=5',
  },
  'gpt of several widths': { 'model.depth': 3, 'model.widths': '8 6', 'model.init': 'uniform', 'model.bias': true },
  classic: { 'model.kind': 'classic', 'model.mlp_ratio': 2, 'model.vocabulary_multiple': 10 },
  latent: { 'model.kind': 'latent', 'model.query_divisor': 3, 'model.window': 4 },
  unet: {
    'model.kind': 'unet',
    'model.depth': 3,
    'model.positions': 'rotary',
    'model.width': 16,
    'model.mlp': 'swiglu',
  },
  'list of widths': {
    'model.kind': 'unet',
    'model.depth': 3,
    'model.widths': '8 6',
    'model.skips': 'none',
    'model.norm_position': 'post',
    'model.dropout': 0.1,
    'model.bias': true,
  },
  'depth-dial': { 'model.kind': 'depth-dial', 'model.head_size': 6, 'attention.short_window': 3 },
  'depth-dial, tied': {
    'model.kind': 'depth-dial',
    'model.head_size': 6,
    'model.kv_heads': 1,
    'model.tied': true,
    'model.smear': false,
    'attention.kind': 'causal',
  },
  sparse: {
    'model.positions': 'rotary',
    'model.width': 24,
    'model.heads': 6,
    'model.kv_heads': 3,
    'attention.kind': 'sparse',
    'attention.sparse': 'fixed strided local',
    'attention.block': 3,
    'attention.summary_groups': 2,
  },
  sparsek: {
    'attention.kind': 'sparsek',
    'attention.selected': 2,
    'attention.recent': 2,
    'attention.drift': 0.05,
    'model.norm': 'rmsnorm',
  },
  'latent keys and values': {
    'model.kv_latent': 5,
    'model.positions': 'rotary',
    'model.rope_size': 4,
    'model.heads': 3,
  },
  'latent, linear': {
    'model.kind': 'latent',
    'model.linear_value': true,
    'model.query_divisor': 2,
    'model.tied': true,
  },
};

export const VOCABULARY = 23;

export function variantConfig(overrides: Config = {}): Config {
  const tiny = { 'model.context': 7, 'model.depth': 2, 'model.width': 12, 'model.heads': 2, 'model.init_std': 0.3 };
  const given: Config = { ...tiny, ...overrides };
  return builtInCatalog.withDefaults(given, (name) => name in given).config;
}

export function programsOf(overrides: Config = {}, keyMasked = false, kinds?: Kinds): TrainingPrograms {
  return buildTraining({ config: variantConfig(overrides), vocabularySize: VOCABULARY, keyMasked, kinds });
}

/** Random values for every input and state of a program; token-like integers for integer inputs. */
export function randomFeeds(p: Program, random: () => number): Record<string, Float64Array> {
  const feeds: Record<string, Float64Array> = {};
  for (const node of p.graph.nodes) {
    if (node.op !== 'input' && node.op !== 'state') continue;
    const value = node.outputs[0]!;
    const name = node.attrs.name as string;
    const make = () => {
      if (name === 'tokens') return Math.floor(random() * VOCABULARY);
      if (name === 'targets') return Math.floor(random() * (VOCABULARY + 1)) - 1;
      if (name === 'position') return 2;
      if (value.dtype === 'i32') return Math.floor(random() * 1000);
      if (value.dtype === 'u8') return 1;
      if (name.includes(':second') || name.includes('.bias')) return 0.5 + random();
      return random() - 0.5;
    };
    feeds[name] ??= Float64Array.from({ length: sizeOf(value.shape) }, make);
  }
  return feeds;
}

/** A seeded generator (mulberry32) for test data. */
export function generator(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
