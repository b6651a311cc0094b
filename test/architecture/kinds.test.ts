/** What is known of a kind stands in its own file: nobody else asks for it by name. */
import { describe, expect, it } from 'vitest';
import { accumulationFamily } from '../../main/engine/batch/accumulation/index.ts';
import { lengthFamily } from '../../main/engine/batch/lengths/index.ts';
import { batchFamily } from '../../main/engine/batch/sizes/index.ts';
import { builtInCatalog } from '../../main/engine/catalog.ts';
import { corpusFamily } from '../../main/engine/data/corpora/index.ts';
import { tokenizerFamily } from '../../main/engine/data/tokenizers/index.ts';
import { executorFamily } from '../../main/engine/executors/index.ts';
import type { Family, Kind } from '../../main/engine/kind.ts';
import { attentionFamily } from '../../main/engine/nn/attention/index.ts';
import { modelFamily } from '../../main/engine/nn/models/index.ts';
import { parametrizationFamily } from '../../main/engine/nn/parametrization/index.ts';
import { optimizerFamily } from '../../main/engine/optim/optimizers/index.ts';
import { scheduleFamily } from '../../main/engine/optim/schedules/index.ts';
import { sources } from './sources.ts';

/** Families and the folders that may name their kinds. */
const HOMES: readonly (readonly [Family, ...string[]])[] = [
  [modelFamily as unknown as Family, 'main/engine/nn/models/'],
  [attentionFamily as unknown as Family, 'main/engine/nn/'],
  // Kernels that equal an optimizer are called like it.
  [parametrizationFamily as unknown as Family, 'main/engine/nn/'],
  [optimizerFamily as unknown as Family, 'main/engine/optim/', 'main/engine/graph/ops/', 'main/engine/executors/'],
  [scheduleFamily as unknown as Family, 'main/engine/optim/'],
  [lengthFamily as unknown as Family, 'main/engine/batch/'],
  [batchFamily as unknown as Family, 'main/engine/batch/'],
  [accumulationFamily as unknown as Family, 'main/engine/batch/'],
  [tokenizerFamily as unknown as Family, 'main/engine/data/tokenizers/'],
  [corpusFamily as unknown as Family, 'main/engine/data/'],
  [executorFamily as unknown as Family, 'main/engine/executors/'],
];
/** Names that are words of other things too. */
const WORDS = new Set([
  'standard',
  'constant',
  'linear',
  'step',
  'window',
  'files',
  'byte',
  'fixed',
  'listed',
  'sequences',
  'tokens',
]);
/** Where a name is a choice of a page, not a fact about the kind. */
const CHOICES: readonly string[] = [
  'preload/shared/results/basis.ts: bpe',
  'renderer/views/data/DataView.vue: stories',
  'renderer/views/data/tokenizers.ts: bpe',
  'renderer/views/data/tokenizers.ts: gpt2',
  'renderer/views/fit/model/whatIfs.ts: bpe',
];

const kindsOf = (family: Family): readonly Kind[] => builtInCatalog.all(family);

describe('kinds', () => {
  it('are named in their folders alone (would catch a list by hand that the next kind is missing from)', () => {
    const found = HOMES.flatMap(([family, ...homes]) =>
      kindsOf(family)
        .filter(({ name }) => !WORDS.has(name))
        .flatMap(({ name }) =>
          sources
            .filter((file) => !homes.some((home) => file.name.startsWith(home)) && file.text.includes(`'${name}'`))
            .map((file) => `${file.name}: ${name}`),
        ),
    );
    expect(found.filter((each) => !CHOICES.includes(each))).toEqual([]);
    // The list only shrinks.
    expect(CHOICES.filter((each) => !found.includes(each))).toEqual([]);
  });
});
