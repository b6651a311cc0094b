import { describe, expect, it } from 'vitest';
import { builtInCatalog } from '../../../main/engine/catalog.ts';
import { EXECUTORS, executorKind, GROUPS, isExecutor } from '../../../main/engine/executors/index.ts';
import { alike } from '../../../main/engine/executors/cards.ts';
import { installedGpus, numberOf } from '../../../main/engine/executors/installed.ts';
import { gpuReadings, isDriverMissing, visibleGpus } from '../../../main/engine/executors/nvidia.ts';
import { probeExecutors, selectExecutor } from '../../../main/engine/executors/select.ts';
import { buildTraining } from '../../../main/engine/nn/training.ts';
import { testConfig } from '../train/helpers.ts';

describe('what is known of an executor before it is opened', () => {
  it('is what the opened one says (would catch a policy that is promised and not run, and the reverse)', async () => {
    for (const { kind, available } of await probeExecutors()) {
      if (!available) continue;
      const { device } = await kind.open();
      expect(device.executor).toBe(kind.name);
      expect([kind.name, device.policies]).toEqual([kind.name, kind.policies]);
    }
  });

  it('plans the arena and the state that a session reports (would catch facts of another executor)', async () => {
    const training = buildTraining({ config: testConfig(), vocabularySize: 257, keyMasked: false });
    for (const { kind, available } of await probeExecutors()) {
      if (!available) continue;
      const session = (await kind.open()).open(training.states);
      const bytes = training.states.reduce((sum, state) => sum + kind.stateBytes(state), 0);
      expect([kind.name, session.memory().persistentBytes]).toEqual([kind.name, bytes]);
      const { plan } = session.load(training.accumulate(2, true));
      const use = kind.use(training.accumulate(2, true), 257);
      if (kind.holds === 'arena') expect(use.arenaBytes).toBe(plan.arenaBytes);
      expect(use.heldBytes).toBeGreaterThan(0);
      session.dispose();
    }
  });

  it('names each executor once, and no group like one', () => {
    const names = EXECUTORS.map(({ name }) => name);
    expect(new Set([...names, ...GROUPS]).size).toBe(names.length + GROUPS.length);
    for (const name of names) expect(executorKind(name).name).toBe(name);
    expect(isExecutor('auto')).toBe(false);
    const { type } = builtInCatalog.settings.find((setting) => setting.name === 'device')!;
    expect(type).toEqual({ kind: 'enum', values: ['auto', ...GROUPS, ...names], numbered: ['cuda'] });
    expect(() => executorKind('abacus')).toThrow(/no executor abacus; there are cuda, cpu/u);
  });

  it('lets nothing come between the native executors under auto (would catch TensorFlow on a GPU taken before the processor)', () => {
    expect(EXECUTORS.slice(0, 2).map(({ name }) => name)).toEqual(['cuda', 'cpu']);
  });

  it('says why each one before the chosen was passed over (would catch a group that skips its first)', async () => {
    const { executor, passedOver } = await selectExecutor('tfjs', 'fp16');
    expect(executorKind(executor.device.executor).group).toBe('tfjs');
    const before = EXECUTORS.filter(({ group }) => group === 'tfjs').findIndex(
      ({ name }) => name === executor.device.executor,
    );
    expect(passedOver).toHaveLength(before);
    await expect(selectExecutor('cpu', 'fp8')).rejects.toThrow(
      /cpu: does not run precision.policy fp8 \(it runs fp32, bf16, fp16, pure-bf16\)/u,
    );
  });
});

// Would catch a machine whose old display card keeps runs from the new one beside it.
it('takes for any run the cards like the largest that can be used', () => {
  const old = { name: 'V100', totalBytes: 32, capability: '7.0' };
  const card = { name: 'RTX 4090', totalBytes: 24, capability: '8.9' };
  const small = { name: 'RTX 3060', totalBytes: 12, capability: '8.6' };
  expect(alike([old, small, card, card])).toEqual([card, card]);
  expect(alike([card, { ...card, driver: '390.1' }])).toEqual([card]);
  expect(alike([{ ...card, capability: '6.1' }, card])).toEqual([card]);
  expect(alike([old])).toEqual([old]);
});

describe("NVIDIA's driver", () => {
  const answer = (text: string) => {
    const asked: (readonly string[])[] = [];
    return { asked, ask: async (fields: readonly string[]) => (asked.push(fields), text) };
  };

  it('is read with its gaps (would catch "[N/A]" or an empty line taken as 0)', async () => {
    const { ask, asked } = answer('0, 1200, 24564, 37, 61, 120.55\n2, [N/A], [N/A], [N/A], [N/A], [N/A]\n\n');
    const nothing = {
      memoryUsedBytes: null,
      memoryTotalBytes: null,
      utilization: null,
      temperatureC: null,
      powerW: null,
    };
    expect([...(await gpuReadings(ask))]).toEqual([
      [
        0,
        {
          memoryUsedBytes: 1200 * 2 ** 20,
          memoryTotalBytes: 24_564 * 2 ** 20,
          utilization: 0.37,
          temperatureC: 61,
          powerW: 120.55,
        },
      ],
      [2, nothing],
    ]);
    expect(asked[0]).toHaveLength(6);
    expect(
      await installedGpus(
        answer('0, GPU-a, RTX, 100, 40, 550.1, 8.9\n1, GPU-b, GRID, [N/A], [N/A], 550.1, [N/A]\n').ask,
      ),
    ).toEqual([
      {
        index: 0,
        uuid: 'GPU-a',
        name: 'RTX',
        totalBytes: 100 * 2 ** 20,
        freeBytes: 40 * 2 ** 20,
        driver: '550.1',
        capability: '8.9',
      },
    ]);
  });

  it('of before R510 does not know the capability (would catch a machine whose cards are gone)', async () => {
    const ask = async (fields: readonly string[]): Promise<string> => {
      if (fields.includes('compute_cap')) throw Object.assign(new Error('not a valid field'), { code: 2 });
      return '0, GPU-a, A100, 40960, 40000, 470.57\n';
    };
    expect(await installedGpus(ask)).toMatchObject([{ name: 'A100', driver: '470.57', capability: null }]);
  });

  it('shows the cards that CUDA_VISIBLE_DEVICES leaves, in its order', () => {
    const cards = [0, 1, 2].map((index) => ({ index, uuid: `GPU-${index}a-b` }));
    const seen = (variable: string | undefined): number[] => visibleGpus(cards, variable).map(({ index }) => index);
    expect(seen(undefined)).toEqual([0, 1, 2]);
    expect(seen('2, 0')).toEqual([2, 0]);
    expect(seen('GPU-1a')).toEqual([1]);
    // As CUDA reads it: up to what means nothing, or means one again.
    expect(seen('1,7,0')).toEqual([1]);
    expect(seen('1,1,0')).toEqual([1]);
    for (const none of ['', '-1', 'MIG-1a', 'GPU-9']) expect(seen(none)).toEqual([]);
  });

  // Would catch a library's second card that is taken for another than the tool's.
  it('numbers what its library sees as the tool does, where CUDA_VISIBLE_DEVICES has numbers', () => {
    const numbers = (variable: string | undefined) => [0, 1].map((ordinal) => numberOf(ordinal, variable));
    expect(numbers(undefined)).toEqual([0, 1]);
    expect(numbers('2, 0')).toEqual([2, 0]);
    // A part of a card is alone, and has no number.
    expect(numberOf(0, 'MIG-1a')).toBe(0);
    expect(numbers('GPU-1a,GPU-2b')).toEqual([undefined, undefined]);
  });

  it('that is not there is told from one that fails', async () => {
    const missing = Object.assign(new Error('spawn nvidia-smi ENOENT'), { code: 'ENOENT' });
    expect(isDriverMissing(missing)).toBe(true);
    expect(isDriverMissing(Object.assign(new Error('exit'), { code: 9 }))).toBe(false);
    const broken = () => Promise.reject(missing);
    expect(await installedGpus(broken)).toEqual([]);
    await expect(gpuReadings(broken)).rejects.toBe(missing);
  });
});
