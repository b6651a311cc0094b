/**
 * Whole training runs against an independent float64 implementation of the same arithmetic: a bigram model (untied look-up
 * table and head) with the gradient worked out by hand, and every optimizer written from its paper's formulas.
 */
import { describe, expect, test } from 'vitest';
import type { Config } from '../../../preload/contract/settings.ts';
import { programsOf } from '../../../main/engine/nn/programs.ts';
import { Catalog } from '../../../main/engine/catalog.ts';
import { defineModel } from '../../../main/engine/nn/model.ts';
import { buildTraining } from '../../../main/engine/nn/training.ts';
import { hyperParameters } from '../../../main/engine/optim/hyper.ts';
import { buildSchedule } from '../../../main/engine/optim/schedule.ts';
import { selectExecutor } from '../../../main/engine/executors/select.ts';
import { initialValues } from '../../../main/engine/train/initialize.ts';
import { sizeOf } from '../../../main/engine/graph/value.ts';
import { Runtime } from '../../../main/engine/train/runtime.ts';
import { fakeData } from './fakeData.ts';
import { testConfig } from './helpers.ts';

const WIDTH = 6;
const STEPS = 6;

const bigram = defineModel({
  name: 'bigram',
  help: 'A look-up table and a head.',
  build(m) {
    const initial = { kind: 'normal', std: 0.3 } as const;
    const table = m.parameter('table', [m.vocabularySize, WIDTH], { role: 'embedding', initial });
    const head = m.parameter('head', [m.vocabularySize, WIDTH], { role: 'head', initial });
    return { hidden: m.ops.gather(table, m.tokens), head };
  },
});
const kinds = new Catalog([{ file: 'bigram.ts', kinds: [bigram] }]);

/** Mean loss over scored targets and its gradient, for tables [V, WIDTH]. */
function lossAndGradient(p: Float64Array[], inputs: Int32Array, targets: Int32Array) {
  const [table, head] = p as [Float64Array, Float64Array];
  const vocabulary = table.length / WIDTH;
  const gradients = [new Float64Array(table.length), new Float64Array(head.length)] as const;
  let loss = 0;
  const scored = targets.filter((target) => target >= 0).length;
  targets.forEach((target, i) => {
    if (target < 0) return;
    const row = inputs[i]! * WIDTH;
    const logits = Array.from({ length: vocabulary }, (_, v) => {
      let sum = 0;
      for (let k = 0; k < WIDTH; k++) sum += table[row + k]! * head[v * WIDTH + k]!;
      return sum;
    });
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    loss += (Math.log(total) - logits[target]!) / scored;
    logits.forEach((logit, v) => {
      const d = (Math.exp(logit) / total - (v === target ? 1 : 0)) / scored;
      for (let k = 0; k < WIDTH; k++) {
        gradients[0][row + k]! += d * head[v * WIDTH + k]!;
        gradients[1][v * WIDTH + k]! += d * table[row + k]!;
      }
    });
  });
  return { loss, gradients };
}

type Rule = (w: number, g: number, s: number[], h: { lr: number; decay: number; t: number; c: Config }) => number;
const opt = (c: Config, name: string) => c[`optimizer.${name}`] as number;

/** New weight from weight, gradient and the element's own state `s`, as the papers (and PyTorch) write it. */
const RULES: Record<string, Rule> = {
  adamw(w, g, s, { lr, decay, t, c }) {
    const [b1, b2] = [opt(c, 'beta1'), opt(c, 'beta2')];
    s[0] = b1 * s[0]! + (1 - b1) * g;
    s[1] = b2 * s[1]! + (1 - b2) * g * g;
    return w - lr * decay * w - (lr * (s[0] / (1 - b1 ** t))) / (Math.sqrt(s[1] / (1 - b2 ** t)) + opt(c, 'eps'));
  },
  adam: (w, g, s, h) => RULES.adamw!(w, g + h.decay * w, s, { ...h, decay: 0 }),
  sgd(w, g, s, { lr, decay, c }) {
    const d = g + decay * w;
    const mu = opt(c, 'momentum');
    s[0] = mu * s[0]! + d;
    return w - lr * (c['optimizer.nesterov'] ? d + mu * s[0] : s[0]);
  },
  adagrad(w, g, s, { lr, decay, c }) {
    const d = g + decay * w;
    s[0]! += d * d;
    return w - (lr * d) / (Math.sqrt(s[0]!) + opt(c, 'eps'));
  },
  rmsprop(w, g, s, { lr, decay, c }) {
    const d = g + decay * w;
    const a = opt(c, 'alpha');
    s[0] = a * s[0]! + (1 - a) * d * d;
    s[1] = a * s[1]! + (1 - a) * d;
    const variance = c['optimizer.centered'] ? s[0] - s[1] * s[1] : s[0];
    s[2] = opt(c, 'momentum') * s[2]! + d / (Math.sqrt(variance) + opt(c, 'eps'));
    return w - lr * s[2];
  },
};

const COMMON: Config = {
  'optimizer.lr': 0.05,
  'optimizer.weight_decay': 0.2,
  'optimizer.decay_embedding': true,
  'optimizer.lr_scale_head': 0.5,
  'optimizer.eps': 1e-4,
  'optimizer.clip': 0.05,
  'schedule.warmup_steps': 2,
  'batch.micro': 2,
};

describe('training against an independent implementation', () => {
  test.each([
    ['adamw', {}],
    ['adamw', { 'optimizer.clip': 0, 'optimizer.decay_embedding': false }],
    ['adam', {}],
    ['sgd', {}],
    ['sgd', { 'optimizer.momentum': 0.9, 'optimizer.nesterov': true }],
    ['adagrad', {}],
    ['rmsprop', {}],
    ['rmsprop', { 'optimizer.momentum': 0.7, 'optimizer.centered': true, 'optimizer.alpha': 0.9 }],
  ] as [string, Config][])('%s %o: losses, norms and weights agree', async (kind, extra) => {
    const config = testConfig({ ...COMMON, ...extra, 'optimizer.kind': kind });
    const data = await fakeData()({ config, cache: '' });
    const { vocabularySize, keyMasked } = data;
    const bigramConfig = { ...config, 'model.kind': 'bigram' };
    const programs = buildTraining({ config: bigramConfig, vocabularySize, keyMasked, kinds });
    const { executor } = await selectExecutor('tfjs-cpu');
    const runtime = new Runtime(executor, programs, programsOf(config));
    runtime.initialize(1);

    const schedule = buildSchedule(config, { steps: STEPS, tokensPerStep: 64 });
    const weights = programs.parameters.map((spec) =>
      Float64Array.from(initialValues(spec, 1, 0, new Float32Array(sizeOf(spec.shape)))),
    );
    const states = weights.map((w) => Array.from(w, () => [0, 0, 0]));
    let clipped = 0;
    for (let step = 0; step < STEPS; step++) {
      const position = { step, tokens: step * 64 };
      const micros = [data.rows(step * 4, 2), data.rows(step * 4 + 2, 2)];
      const found = await runtime.step(step, 1, micros, hyperParameters(config, programs, schedule, position));

      const whole = data.rows(step * 4, 4);
      const { loss, gradients } = lossAndGradient(weights, whole.inputs, whole.targets);
      const norm = Math.sqrt(gradients.reduce((sum, g) => sum + g.reduce((s, x) => s + x * x, 0), 0));
      const clip = opt(config, 'clip') > 0 ? Math.min(1, opt(config, 'clip') / (norm + 1e-6)) : 1;
      if (clip < 1) clipped++;
      const lr = opt(config, 'lr') * schedule(position);
      weights.forEach((w, i) => {
        const embedding = programs.parameters[i]!.role === 'embedding';
        const decay = embedding && !config['optimizer.decay_embedding'] ? 0 : opt(config, 'weight_decay');
        const h = { lr: lr * (embedding ? 1 : 0.5), decay, t: step + 1, c: config };
        for (let j = 0; j < w.length; j++) w[j] = RULES[kind]!(w[j]!, clip * gradients[i]![j]!, states[i]![j]!, h);
      });
      expect(Math.abs(found.loss - loss), `loss of step ${step}`).toBeLessThan(1e-5);
      expect(Math.abs(found.gradNorm / norm - 1), `norm of step ${step}`).toBeLessThan(1e-4);
    }
    expect(clipped > 0).toBe(opt(config, 'clip') > 0);
    for (const [i, { name }] of programs.parameters.entries()) {
      const found = await runtime.session.read(name);
      weights[i]!.forEach((wanted, j) => expect(Math.abs(found[j]! - wanted), `${name}[${j}]`).toBeLessThan(2e-5));
    }
    runtime.dispose();
  });
});
