import { describe, expect, test } from 'vitest';
import { builtInCatalog } from '../../../../main/engine/catalog.ts';
import { modelFamily } from '../../../../main/engine/nn/models/index.ts';
import { executed, EXECUTORS, expectOutcome, interpreted, oracleCases } from './oracle.ts';

const MODELS = builtInCatalog.all(modelFamily).map(({ name }) => name);

describe.each(MODELS)('%s', (model) => {
  test('has cases (would catch a model that nothing checks)', () => {
    expect(oracleCases(model).length).toBeGreaterThanOrEqual(3);
  });

  // Catches a formula, an order of operations or a gradient that is not the description's, and parameters that are too many or too few.
  test.each(oracleCases(model))('is what PyTorch makes of its description: %s', (_, wanted) => {
    expectOutcome(wanted, interpreted(model, wanted), 1e-9);
  });

  describe.each(EXECUTORS)('on %s', (_, open) => {
    test.each(oracleCases(model))('trains and writes the same in fp32: %s', async (__, wanted) => {
      expectOutcome(wanted, await executed(model, wanted, await open()), 1e-5);
    });
  });
});
