/**
 * Training steps of a mixture of 8 experts of which each token sees 2, beside a model whose MLP is as wide as all experts together (what
 * computing every expert for every token takes) and one whose MLP is as wide as the two, in interleaved rounds.
 *
 *   npm run bench -- experts [--threads N] [--pairs N]
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { loadNative } from '../../main/engine/native/addon.ts';
import { builtInRegistry, resolveConfig } from '../../main/lab/settings/index.ts';
import type { Config } from '../../preload/contract/settings.ts';
import { median, spread } from './statistics.ts';
import { ourStep } from './step.ts';

const [EXPERTS, ACTIVE, FEATURES, CONTEXT, ROWS, VOCABULARY] = [8, 2, 1024, 256, 8, 512];

const MODELS: Readonly<Record<string, Config>> = {
  'experts 8, 2 active': { 'model.experts': EXPERTS, 'model.experts_active': ACTIVE, 'model.mlp_width': FEATURES },
  'all 8 as one MLP': { 'model.mlp_width': EXPERTS * FEATURES },
  '2 as one MLP': { 'model.mlp_width': ACTIVE * FEATURES },
};

async function stepsOf(settings: Config, policy: string, threads: number) {
  const { config } = resolveConfig({
    registry: builtInRegistry(),
    overrides: {
      'model.context': CONTEXT,
      'model.depth': 2,
      'model.width': 256,
      'model.heads': 4,
      'precision.policy': policy,
      ...settings,
    },
  });
  const model = { config, vocabulary: VOCABULARY, rows: ROWS, tokens: ROWS * CONTEXT, target: undefined };
  return ourStep(model, threads);
}

export async function expertsBench(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { threads: { type: 'string' }, pairs: { type: 'string' } } });
  const { native, reason } = loadNative();
  if (native === undefined) {
    console.log(`SKIPPED: ${reason}`);
    return;
  }
  const threads = Number(values.threads ?? availableParallelism());
  const rounds = Number(values.pairs ?? 5);
  for (const policy of ['fp32', 'bf16']) {
    const models = await Promise.all(Object.values(MODELS).map((settings) => stepsOf(settings, policy, threads)));
    const times: number[][] = models.map(() => []);
    for (let round = -1; round < rounds; round++)
      for (const [i, { step }] of models.entries()) {
        const { seconds } = await step();
        if (round >= 0) times[i]!.push(seconds);
      }
    Object.keys(MODELS).forEach((name, i) => {
      const ratio = spread(times[i]!.map((own, round) => own / times[0]![round]!));
      const shown = `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}) × the experts' time`;
      console.log(
        `${policy} ${name.padEnd(20)} ${(1000 * median(times[i]!)).toFixed(0).padStart(6)} ms a step${i === 0 ? '' : `, ${shown}`}`,
      );
    });
    for (const { session } of models) session.dispose();
  }
}
