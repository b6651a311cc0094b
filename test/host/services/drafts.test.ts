import { describe, expect, it } from 'vitest';
import { draftToSweep, sweepToDraft } from '../../../main/host/services/draftYaml.ts';
import { parseSweep } from '../../../main/lab/sweeps/index.ts';
import type { Draft } from '../../../preload/contract/shapes.ts';

const EMPTY: Draft = {
  name: '',
  recipe: null,
  settings: {},
  parameters: {},
  method: 'grid',
  runCap: null,
  seeds: 1,
  constraints: [],
  sweepSeed: 0,
  notes: '',
};

describe('a draft', () => {
  it('comes back from its definition as it was (would catch a field of the form that a saved sweep loses)', () => {
    const draft: Draft = {
      name: 'depth: "quoted" × width',
      recipe: 'quick',
      settings: { 'stop.steps': 100, 'data.corpus': 'stories', 'model.tied': true, 'data.separator': '\n\n' },
      parameters: {
        'model.depth': { values: [1, 2] },
        'optimizer.lr': { distribution: 'log_uniform_values', min: 1e-4, max: 1e-2 },
        'schedule.final': { distribution: 'q_uniform', min: 0, max: 1, q: 0.1, when: 'schedule.kind == "cosine"' },
        'model.norm': { values: ['layernorm', 'rmsnorm'], probabilities: [0.25, 0.75] },
      },
      method: 'random',
      runCap: 12,
      seeds: [3, 5],
      constraints: ['model.width % model.heads == 0'],
      sweepSeed: 7,
      notes: 'two\nlines',
      metric: { name: 'val/accuracy', goal: 'maximize' },
      earlyTerminate: { type: 'hyperband', min_iter: 3, eta: 3, strict: true },
    };
    const { sweep, problems } = draftToSweep(draft);
    expect(problems).toEqual([]);
    const { draft: back, ignored } = sweepToDraft(sweep!);
    expect(ignored).toEqual([]);
    // A distribution that its fields imply may be named.
    const { distribution, ...norm } = back.parameters['model.norm']!;
    expect([undefined, 'categorical_w_probabilities']).toContain(distribution);
    expect({ ...back, parameters: { ...back.parameters, 'model.norm': norm } }).toEqual(draft);
  });

  it('gets messages without the place in a text that nobody sees', () => {
    const { sweep, problems } = draftToSweep({ ...EMPTY, parameters: { 'model.depth': { values: [] } } });
    expect(sweep).toBeUndefined();
    expect(problems[0]).toMatchObject({ setting: 'parameters.model.depth.values' });
    expect(problems[0]!.message).toMatch(/^parameters\.model\.depth\.values is /u);
    expect(problems[0]!.where).toBeUndefined();
  });

  it('names the parts of a W&B file that a form has no place for', () => {
    const { sweep } = parseSweep(
      'program: train.py\nmethod: bayes\nmetric: { name: val/loss }\nparameters:\n  model.depth: { min: 1, max: 4 }\n',
    );
    const { draft, ignored } = sweepToDraft(sweep!);
    expect(draft.parameters).toEqual({ 'model.depth': { distribution: 'int_uniform', min: 1, max: 4 } });
    expect(ignored).toEqual(['program']);
    expect(draft.metric).toEqual({ name: 'val/loss', goal: 'minimize' });
  });
});
