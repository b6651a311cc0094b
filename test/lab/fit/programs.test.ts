/** What an engine loads is what the fit check planned: a program of one list that the other lacks is memory that nobody foresaw. */
import { describe, expect, it } from 'vitest';
import { loadNative } from '../../../main/engine/native/addon.ts';
import { trains } from '../../../main/engine/nn/programs.ts';
import type { ProgramName } from '../../../main/engine/nn/programs.ts';
import { prepareData } from '../../../main/engine/train/dataset.ts';
import { fitPlan } from '../../../main/lab/fit/index.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { temporaryFolder, testConfig } from '../../engine/train/helpers.ts';
import { train } from '../../engine/train/laboratory.ts';

const CASES: readonly (readonly [string, Config])[] = [
  ['a whole batch at once', {}],
  ['accumulation', { 'batch.micro': 2 }],
  ['accumulation of single sequences', { 'batch.micro': 1 }],
  ['an evaluation batch of its own', { 'eval.batch': 3 }],
  ['an evaluation batch larger than the validation text', { 'eval.batch': 4000 }],
  ['evaluation at the end only', { 'eval.every_steps': 0 }],
  ['samples', { 'log.sample_tokens': 5 }],
  ['diagnostics', { 'log.diagnostics': 'all', 'log.diagnostics_steps': 4, 'batch.micro': 2 }],
  ['documents with padding', { 'data.batching': 'documents' }],
  ['recomputation', { 'precision.recompute': 'block', 'batch.micro': 2 }],
  ['16-bit weights', { 'precision.policy': 'bf16' }],
  ['an optimizer without moments', { 'optimizer.kind': 'sgd', 'optimizer.clip': 0 }],
  ['sequences that grow', { 'batch.length': 'listed', 'batch.lengths': '4 7@1 16@3' }],
  [
    'batches in tokens, as many as the gradient asks for',
    {
      'batch.kind': 'tokens',
      'batch.tokens': 36,
      'batch.micro_tokens': 20,
      'batch.length': 'doubling',
      'batch.length_start': 4,
      'batch.length_every_steps': 2,
      'batch.accumulation': 'gradient_norm',
    },
  ],
  [
    'diagnostics while sequences grow',
    { 'batch.length': 'listed', 'batch.lengths': '4 16@2', 'log.diagnostics': 'all', 'log.diagnostics_steps': 2 },
  ],
  ['a run that ends before its last length', { 'batch.length': 'listed', 'batch.lengths': '4 8@2 16@5' }],
  ['rounding by chance', { 'precision.policy': 'pure-bf16', 'precision.stochastic_rounding': true }],
  ['gradients in bf16', { 'precision.gradients': 'bf16', 'batch.micro': 2, 'log.diagnostics': 'all' }],
  ['a run of one step', { 'stop.steps': 1, 'log.checkpoint_steps': 1 }],
];

const arenas = loadNative().native !== undefined;

describe(`programs loaded = programs planned${arenas ? '' : ' (SKIPPED in part: arenas need the native executor)'}`, () => {
  it.each(CASES)('%s (would catch a program that runs and was not planned, or the reverse)', async (_, values) => {
    const device = arenas ? 'cpu' : 'tfjs-cpu';
    const config = testConfig({ device, 'stop.steps': 5, ...values });
    const loaded: { name: string; rows: number; length: number; arenaBytes: number }[] = [];
    let validationRows: number | undefined;
    const { end, host } = await train({
      config,
      folder: await temporaryFolder(),
      prepare: async (request) => {
        const data = await prepareData(request);
        validationRows = data.validationRows;
        return data;
      },
      onLoad: ({ program, plan }) =>
        loaded.push({
          name: program.name,
          rows: program.inputs.get('tokens')?.shape[0] ?? 0,
          length: program.inputs.get('tokens')?.shape[1] ?? 0,
          arenaBytes: plan.arenaBytes,
        }),
    });
    expect(end).toMatchObject({ state: 'finished' });
    const dataset = { trainTokens: 0, validationTokens: 0, validationRows, exact: true };
    const plan = fitPlan(config, { kind: device, dataset });
    const planned = plan.programs.map(({ name, rows, length, arenaBytes }) => ({ name, rows, length, arenaBytes }));
    if (!arenas) for (const each of [...loaded, ...planned]) each.arenaBytes = 0;
    expect(loaded).toEqual(planned);
    // What the engine reports as held is the plan as well.
    const { memory } = host.of('info')[0]!;
    expect(memory.persistentBytes).toBe(plan.persistent.bytes);
    if (arenas) expect(memory.arenaBytes).toBe(plan.arena.bytes);
    // What the chart over the run shows is what its steps hold, length by length.
    for (const { length, arenaBytes } of plan.stages) {
      const own = loaded.filter(({ name, length: tokens }) => name === 'update' || tokens === length);
      const trained = own.filter(({ name }) => trains({ name: name as ProgramName }));
      if (arenas) expect(arenaBytes).toBe(Math.max(...trained.map((each) => each.arenaBytes)));
    }
  });
});
