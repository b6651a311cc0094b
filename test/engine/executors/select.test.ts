import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ExecutorUnavailableError } from '../../../main/engine/executors/executor.ts';
import type { ExecutorKind } from '../../../main/engine/executors/executorKind.ts';
import { executorKind } from '../../../main/engine/executors/index.ts';
import { probeExecutor, selectExecutor } from '../../../main/engine/executors/select.ts';

describe('choice of the executor', () => {
  test('a name takes that one, auto one that works, with the reasons why faster ones do not', async () => {
    expect((await selectExecutor('tfjs-cpu')).executor.device.executor).toBe('tfjs-cpu');
    const { executor, passedOver, isBroken } = await selectExecutor('auto');
    expect(['cuda', 'cpu', 'tfjs-gpu', 'tfjs-wasm']).toContain(executor.device.executor);
    const order = ['cuda', 'cpu', 'tfjs-gpu', 'tfjs-wasm', 'tfjs-cpu'];
    const before = order.slice(0, order.indexOf(executor.device.executor));
    expect(passedOver.map((reason) => reason.split(':')[0])).toEqual(before);
    expect(isBroken).toBe(before.includes('cpu'));
  });

  // Would catch a run that is many times slower than it could be, and says so in its log alone.
  test('kernels that could be there and are not make auto a case for a warning', async () => {
    const select = new URL('../../../main/engine/executors/select.ts', import.meta.url).href;
    const script = `const { selectExecutor } = await import('${select}');
      const { isBroken, passedOver } = await selectExecutor('cpu', 'fp32').catch(() => selectExecutor('auto'));
      process.stdout.write(JSON.stringify({ isBroken, passedOver }));`;
    const env = { ...process.env, SWEEPLAB_ADDON: '/no/such/addon.node' };
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
    expect(JSON.parse(stdout)).toMatchObject({
      isBroken: true,
      passedOver: expect.arrayContaining([expect.stringMatching(/^cpu: the native kernels are not built: /u)]),
    });
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
