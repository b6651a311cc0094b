import { describe, expect, test } from 'vitest';
import { ExecutorUnavailableError } from '../../../main/engine/executors/executor.ts';
import type { ExecutorKind } from '../../../main/engine/executors/executorKind.ts';
import { executorKind } from '../../../main/engine/executors/index.ts';
import { probeExecutor, selectExecutor } from '../../../main/engine/executors/select.ts';

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

  // Would catch a check-up that speaks of the setting device, which is auto, or says the remedy twice.
  test('a probe says what is missing and what mends it apart', async () => {
    const broken = (open: ExecutorKind['open']): ExecutorKind => ({ ...executorKind('tfjs-cpu'), name: 'own', open });
    const refused = (why: string, mend?: string) => () => Promise.reject(new ExecutorUnavailableError(why, { mend }));
    await expect(probeExecutor(broken(refused('own: it is too old', 'npm run own')))).resolves.toMatchObject({
      available: false,
      detail: 'it is too old',
      advice: 'npm run own',
    });
    const { advice } = executorKind('tfjs-cpu');
    const others = [refused('it is gone'), () => Promise.reject(new Error('it is gone'))];
    for (const open of others)
      await expect(probeExecutor(broken(open))).resolves.toMatchObject({ detail: 'it is gone', advice });
    await expect(refused('own: it is too old', 'npm run own')()).rejects.toThrow('own: it is too old: npm run own');
  });
});
