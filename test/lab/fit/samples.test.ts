import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { checkLaunch, fitPlan, samplesFrom } from '../../../main/lab/fit/index.ts';
import { configOf, deviceWith, SMALL } from './helpers.ts';

const config = configOf(SMALL);

function run(id: string, values: Partial<RunRecord> & { config?: Config } = {}): RunRecord {
  return {
    id,
    name: id,
    sweepId: null,
    settingKey: '',
    seed: 1,
    config,
    state: 'finished',
    endReason: null,
    stopCause: null,
    origin: 'sweeplab',
    place: null,
    tags: [],
    note: '',
    createdAt: 0,
    startedAt: 0,
    endedAt: 0,
    trained: 0,
    sessionAt: null,
    steps: 100,
    tokens: 1,
    summary: { tokens_per_second: 5000 },
    parameters: 1,
    environment: { executor: 'cpu', cpu: 'AMD EPYC' },
    codeVersion: '',
    attempt: 1,
    checkpoint: null,
    color: 0,
    deletedAt: null,
    ...values,
  };
}

describe('samples of earlier runs', () => {
  const device = { ...deviceWith(2 ** 34, 'cpu'), name: 'AMD EPYC, 2 threads' };
  const find = (runs: RunRecord[]) => samplesFrom(() => runs)(config, device).map(({ runId }) => runId);

  it('takes runs of the same model and batch, whatever the learning rate and seed', () => {
    const same = { ...config, 'optimizer.lr': 0.3, seed: 8, 'stop.steps': 9 };
    expect(find([run('a'), run('b', { config: same })])).toEqual(['a', 'b']);
  });
  it('leaves out other models, batches, precisions, executors, processors, short and speechless runs', () => {
    const other = (values: Record<string, number | string>) => ({ config: { ...config, ...values } });
    const runs = [
      run('width', other({ 'model.width': 96 })),
      run('batch', other({ 'batch.sequences': 12 })),
      run('micro', other({ 'batch.micro': 12 })),
      run('precision', other({ 'precision.policy': 'bf16' })),
      run('executor', { environment: { executor: 'tfjs-wasm', cpu: 'AMD EPYC' } }),
      run('processor', { environment: { executor: 'cpu', cpu: 'Intel Xeon' } }),
      run('short', { steps: 2 }),
      run('speechless', { summary: {} }),
      run('dead', { summary: { tokens_per_second: null } }),
    ];
    expect(find(runs)).toEqual([]);
  });
  it('takes batch.micro 0 and the whole batch for the same', () => {
    expect(find([run('whole', { config: { ...config, 'batch.micro': 24 } })])).toEqual(['whole']);
  });
});

describe('launch of configurations with several devices', () => {
  it('checks each on its own device, positions kept (would refuse the wrong run)', async () => {
    const { totalBytes } = fitPlan(config, { kind: 'cpu' });
    const small = deviceWith(totalBytes - 1, 'cpu');
    const large = { ...deviceWith(2 ** 40), name: 'large' };
    const configs = ['cuda', 'cpu', 'cuda', 'cpu'].map((device) => ({ ...config, device }));
    const check = await checkLaunch(configs, {}, async ({ device }) => (device === 'cpu' ? small : large));
    expect(check.refusals.map(({ indices }) => indices)).toEqual([[1, 3]]);
    expect(check.checked.map(({ indices }) => indices)).toEqual([
      [0, 2],
      [1, 3],
    ]);
  });
});
