/** How activations grow with the width, for a small model and a small language. */
import { builtInCatalog } from '../../../../main/engine/catalog.ts';
import { openCpuExecutor } from '../../../../main/engine/executors/cpu/index.ts';
import { measureCoordinates } from '../../../../main/engine/train/coordinates.ts';
import type { PreparedData } from '../../../../main/engine/train/data.ts';
import { compareCoordinates } from '../../../../main/lab/coordinates/coordinates.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { generator } from '../variants.ts';

const SEEDS = [1, 2, 3];
const [VOCABULARY, CONTEXT, ROWS] = [32, 16, 8];

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

/** Slope of every layer after the last of five steps. */
export async function slopes(given: Config, widths: readonly number[]): Promise<Record<string, number>> {
  const executor = openCpuExecutor();
  const data = chain();
  const measured = [];
  for (const width of widths) {
    const seeds = [];
    for (const seed of SEEDS) {
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
