/** Attention kinds in a whole gpt against PyTorch (float64), token by token and key by key; see models/oracle.ts for what the files hold. */
import { describe, expect, test } from 'vitest';
import { executed, EXECUTORS, expectOutcome, interpreted, oracleCases } from './models/oracle.ts';

describe.each(['sparse', 'sparsek', 'document-mask', 'latent-kv'])('%s', (name) => {
  const cases = oracleCases(`attention/${name}`);

  // Catches a mask that is off by one, heads that take another's pattern, and gradients of what is not seen.
  test.each(cases)('is what PyTorch makes of its description: %s', (_, wanted) => {
    expectOutcome(wanted, interpreted('gpt', wanted), 1e-9);
  });

  describe.each(EXECUTORS)('on %s', (_, open) => {
    test.each(cases)('trains and writes the same in fp32: %s', async (__, wanted) => {
      expectOutcome(wanted, await executed('gpt', wanted, await open()), 1e-5);
    });
  });

  test('has cases', () => expect(cases.length).toBeGreaterThanOrEqual(3));
});
