import { describe, expect, test } from 'vitest';
import { selectExecutor } from '../../../main/engine/executors/select.ts';

describe('choice of the executor', () => {
  test('a name takes that one, auto one that works, with the reasons why faster ones do not', async () => {
    expect((await selectExecutor('tfjs-cpu')).executor.device.executor).toBe('tfjs-cpu');
    const { executor, passedOver } = await selectExecutor('auto');
    expect(['cuda', 'cpu', 'tfjs-gpu', 'tfjs-wasm']).toContain(executor.device.executor);
    const order = ['cuda', 'cpu', 'tfjs-gpu', 'tfjs-wasm', 'tfjs-cpu'];
    const before = order.slice(0, order.indexOf(executor.device.executor));
    expect(passedOver.map((reason) => reason.split(':')[0])).toEqual(before);
  });

  test('what cannot be used is refused, naming the setting, the reason and the way out', async () => {
    await expect(selectExecutor('abacus')).rejects.toThrow(/device is abacus: allowed are auto, tfjs, cuda/);
    await expect(selectExecutor('tfjs-cpu', 'fp8')).rejects.toThrow(
      /device is tfjs-cpu.*precision\.policy fp8.*device to auto/,
    );
  });
});
