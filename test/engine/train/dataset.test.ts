import { describe, expect, test } from 'vitest';
import { prepareData } from '../../../main/engine/train/dataset.ts';
import { temporaryFolder, testConfig } from './helpers.ts';

describe('data of a run', () => {
  test('rows, epochs and validation belong together in every way of batching', async () => {
    const cache = await temporaryFolder();
    for (const mode of ['shuffled', 'random', 'documents']) {
      const config = testConfig({ 'data.batching': mode, 'eval.tokens': 0 });
      const data = await prepareData({ config, cache });
      expect(data.keyMasked).toBe(mode === 'documents');
      const rows = Math.round(data.rowsPerEpoch);
      const { scored, keyMask } = data.rows(0, rows);
      expect(keyMask !== undefined).toBe(data.keyMasked);
      expect(scored / rows / data.tokensPerRow).toBeCloseTo(1, 2);
      expect(data.info.trainTokens - scored).toBeLessThan(config['model.context'] as number);
      const validation = data.validation(3);
      expect(validation.coverage).toBe(1);
      expect(validation.tokens).toBe(data.info.validationTokens);
      expect(validation.bytes).toBe(data.info.validationBytes);
      expect(data.validation(1).batches).toBe(data.validationRows);
      expect(data.info.entropyFloor).toBeGreaterThan(0.1);
    }
  });

  test('the run seed moves the order, never the text or the validation set', async () => {
    const cache = await temporaryFolder();
    const [a, b] = [
      await prepareData({ config: testConfig({ seed: 1 }), cache }),
      await prepareData({ config: testConfig({ seed: 2 }), cache }),
    ];
    expect(b.info).toEqual(a.info);
    expect(b.validation(2).batch(0)).toEqual(a.validation(2).batch(0));
    expect(b.rows(0, 4).inputs).not.toEqual(a.rows(0, 4).inputs);
  });

  test('text comes back from its tokens', async () => {
    const data = await prepareData({ config: testConfig(), cache: await temporaryFolder() });
    expect(data.decode(data.encode('Once upon a time – ä'))).toBe('Once upon a time – ä');
  });
});
