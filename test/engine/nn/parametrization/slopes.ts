/**
 * How activations grow with the width, for a small model and a small language.
 *
 * What the theory says of wide models begins where they are wider than a batch has tokens: among few channels, what many tokens pull in
 * different directions does not average out, and slopes are below 0 without anything being wrong. So a batch has 16 tokens of 8 words. As many
 * seeds are averaged as chance asks for, and rates are small enough for five updates not to be a training.
 */
import { builtInCatalog } from '../../../../main/engine/catalog.ts';
import { openCpuExecutor } from '../../../../main/engine/executors/cpu/index.ts';
import { measureCoordinates } from '../../../../main/engine/train/coordinates.ts';
import type { PreparedData } from '../../../../main/engine/train/data.ts';
import { compareCoordinates } from '../../../../main/lab/coordinates/coordinates.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { generator } from '../variants.ts';

const [VOCABULARY, CONTEXT, ROWS] = [8, 8, 2];

/** Of a model of any kind with heads that have a size at every width of a check. */
export const HEADS: Readonly<Record<string, Config>> = {
  'depth-dial': { 'model.head_size': 16 },
  classic: { 'model.heads': 4 },
};

/** First values of mup's base model at this width: the same for both parametrisations, so that nothing else differs. */
export const firstValuesAt = (width: number): Config => ({
  'model.init_std': 0.64 / Math.sqrt(width),
  'model.embedding_std': 0.1,
});

/** Rows of a language in which each token follows from the one before, most of the time. */
function chain(): PreparedData {
  const rows = (first: number, count: number) => {
    const random = generator(first);
    const tokens = new Int32Array(count * CONTEXT);
    const targets = new Int32Array(count * CONTEXT);
    for (let row = 0; row < count; row++) {
      let token = Math.floor(random() * VOCABULARY);
      for (let i = 0; i < CONTEXT; i++) {
        tokens[row * CONTEXT + i] = token;
        token = random() < 0.8 ? (5 * token + 3) % VOCABULARY : Math.floor(random() * VOCABULARY);
        targets[row * CONTEXT + i] = token;
      }
    }
    return { rows: count, length: CONTEXT, inputs: tokens, targets, scored: tokens.length };
  };
  return { vocabularySize: VOCABULARY, keyMasked: false, rows } as unknown as PreparedData;
}

const configOf = (given: Config): Config => builtInCatalog.withDefaults(given, (name) => name in given).config;

/** Slope of every layer after the last of five updates, over the means of so many seeds. */
export async function slopes(given: Config, widths: readonly number[], seedCount = 6): Promise<Record<string, number>> {
  const executor = openCpuExecutor();
  const data = chain();
  const measured = [];
  for (const width of widths) {
    const seeds = [];
    for (let seed = 1; seed <= seedCount; seed++) {
      const config = configOf({
        'model.depth': 2,
        'model.context': CONTEXT,
        'model.base_width': widths[0]!,
        'batch.sequences': ROWS,
        'optimizer.weight_decay': 0,
        'optimizer.clip': 0,
        'optimizer.lr_scale_embedding': 1,
        'optimizer.lr_scale_head': 1,
        'optimizer.lr_scale_vector': 1,
        ...firstValuesAt(widths[0]!),
        ...given,
        'model.width': width,
        seed,
      });
      seeds.push(await measureCoordinates({ config, kinds: builtInCatalog, data, executor, steps: 5 }));
    }
    measured.push(seeds);
  }
  return Object.fromEntries(compareCoordinates(widths, measured).map(({ layer, slopes }) => [layer, slopes.at(-1)!]));
}
