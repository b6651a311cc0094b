/** Under muP activations are as large at every width, for every model; under the standard parametrisation they grow. */
import { describe, expect, test } from 'vitest';
import { builtInCatalog } from '../../../../main/engine/catalog.ts';
import { modelFamily } from '../../../../main/engine/nn/models/index.ts';
import { missingAddon } from '../../executors/cpu/harness.ts';
import { HEADS, slopes } from './slopes.ts';

const MODELS = builtInCatalog.all(modelFamily).map(({ name }) => name);
const WIDTHS = [64, 128, 256];
describe.skipIf(missingAddon !== undefined)('the coordinates of', () => {
  // Catches a rate, a deviation or a factor with the wrong power of the width, in any layer. That all slopes are within 0.1 takes
  // wider models: test/long/parametrization.test.ts.
  test.each(MODELS)('%s do not grow with the width under mup, and do without it', async (kind) => {
    const given = { 'model.kind': kind, 'optimizer.lr': 0.001, ...HEADS[kind] };
    const mup = await slopes({ ...given, 'model.parametrization': 'mup' }, WIDTHS, 3);
    const standard = await slopes(given, WIDTHS, 3);
    expect(Math.max(...Object.values(mup)), JSON.stringify(mup)).toBeLessThan(0.1);
    expect(Math.min(...Object.values(mup)), JSON.stringify(mup)).toBeGreaterThan(-0.2);
    expect(Math.max(...Object.values(standard)), JSON.stringify(standard)).toBeGreaterThan(0.3);
  });

  // Catches rates that are right for Adam alone.
  test.each([['sgd'], ['rmsprop']])('gpt with an untied head and %s', async (optimizer) => {
    const lr = optimizer === 'sgd' ? 0.3 : 0.0003;
    const given = { 'optimizer.kind': optimizer, 'optimizer.lr': lr, 'model.tied': false };
    const mup = await slopes({ ...given, 'model.parametrization': 'mup' }, WIDTHS, 3);
    expect(Math.max(...Object.values(mup)), JSON.stringify(mup)).toBeLessThan(0.1);
  });
});
