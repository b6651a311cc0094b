/** Models of `npm run bench -- step`, each with a twin in PyTorch (peers/models). */
import { builtInRegistry, resolveConfig } from '../../main/lab/settings/index.ts';
import type { Config } from '../../preload/contract/settings.ts';

interface Shape {
  readonly vocabulary: number;
  readonly rows: number;
  readonly settings: Config;
  /** How many times the twin's speed a step is to reach, by precision. */
  readonly targets: Readonly<Record<string, number>>;
}

const GPT_TARGETS = { fp32: 1.3, bf16: 2 };
const OTHER_TARGETS = { fp32: 1.2, bf16: 1.4 };

const gpt = (vocabulary: number, rows: number, context: number, width: number, heads: number): Shape => ({
  vocabulary,
  rows,
  settings: { 'model.context': context, 'model.depth': 6, 'model.width': width, 'model.heads': heads },
  targets: GPT_TARGETS,
});

const SHAPES: Readonly<Record<string, Shape>> = {
  // Those of the speed target; the first and last differ in the size of the vocabulary.
  '27.2M': gpt(16000, 64, 128, 512, 8),
  '10.8M': gpt(65, 16, 256, 384, 6),
  '30M': gpt(50304, 64, 128, 384, 6),
  'latent-46M': {
    vocabulary: 50304,
    rows: 4,
    settings: { 'model.kind': 'latent', 'model.context': 512 },
    targets: OTHER_TARGETS,
  },
  'depth-dial-d4': {
    vocabulary: 32768,
    rows: 2,
    settings: { 'model.kind': 'depth-dial', 'model.depth': 4, 'model.context': 1024 },
    targets: OTHER_TARGETS,
  },
};

export const BENCH_MODELS: readonly string[] = Object.keys(SHAPES);

export interface BenchModel {
  /** Complete; gradients are clipped at norm 1, as the twin's are. */
  readonly config: Config;
  readonly vocabulary: number;
  /** Of a step: one micro-batch. */
  readonly rows: number;
  /** Tokens per step. */
  readonly tokens: number;
  /** How many times the twin's speed a step is to reach. */
  readonly target: number | undefined;
}

/** @throws Error listing the names, for another one */
export function benchModel(name: string, policy: string): BenchModel {
  const shape = SHAPES[name];
  if (shape === undefined) throw new Error(`--model ${name}: allowed are ${BENCH_MODELS.join(', ')}`);
  return made(shape, policy);
}

/** What GPUs are timed with, the smaller ones with many tokens in a step. */
const GPU_SHAPES: Readonly<Record<string, Shape>> = {
  '10.8M': forGpu(65, 64, 256, 384, 6, 6),
  '27.2M': forGpu(16000, 512, 128, 512, 6, 8),
  '124M': forGpu(50304, 32, 1024, 768, 12, 12),
  '355M': forGpu(50304, 16, 1024, 1024, 24, 16),
  '1.5B': forGpu(50304, 8, 1024, 1600, 48, 25),
};

function forGpu(vocabulary: number, rows: number, context: number, width: number, depth: number, heads: number): Shape {
  const { settings, targets } = gpt(vocabulary, rows, context, width, heads);
  return { vocabulary, rows, settings: { ...settings, 'model.depth': depth, 'model.mlp': 'gelu_tanh' }, targets };
}

export const GPU_MODELS: readonly string[] = Object.keys(GPU_SHAPES);

/** To try scripts where times mean nothing. */
export const TINY = 'tiny';

/** One of {@link GPU_MODELS}, or {@link TINY}. @param rows sequences of a step, instead of its own */
export function gpuModel(name: string, policy: string, rows?: number): BenchModel {
  const shape = name === TINY ? forGpu(65, 1, 32, 32, 1, 2) : GPU_SHAPES[name]!;
  return made({ ...shape, rows: rows ?? shape.rows }, policy);
}

function made({ settings, vocabulary, rows, targets }: Shape, policy: string): BenchModel {
  const { config } = resolveConfig({
    registry: builtInRegistry(),
    overrides: { ...settings, 'precision.policy': policy, 'optimizer.clip': 1 },
  });
  return { config, vocabulary, rows, tokens: rows * (config['model.context'] as number), target: targets[policy] };
}
