import { describe, expect, it } from 'vitest';
import {
  loadRecipe,
  parseConfigFile,
  resolveConfig,
  builtInRegistry,
  listRecipes,
} from '../../../main/lab/settings/index.ts';
import type { SettingValue } from '../../../preload/contract/settings.ts';
import type { Family } from '../../../main/engine/kind.ts';
import { attentionFamily } from '../../../main/engine/nn/attention/index.ts';
import { modelFamily } from '../../../main/engine/nn/models/index.ts';
import { parametrizationFamily } from '../../../main/engine/nn/parametrization/index.ts';
import { optimizerFamily } from '../../../main/engine/optim/optimizers/index.ts';
import { scheduleFamily } from '../../../main/engine/optim/schedules/index.ts';
import { Stream } from '../../../main/engine/random/stream.ts';
import { parseSweep, planSweep, sweepFromFlags } from '../../../main/lab/sweeps/index.ts';

const registry = builtInRegistry();
const { source: recipe } = await loadRecipe('quick');
const recipes = await listRecipes();
const ONE_WARMUP = 'one of schedule.warmup_steps, schedule.warmup_tokens and schedule.warmup_fraction, the others 0';
const resolve = (overrides: Record<string, string>, from: typeof recipe | null = recipe) =>
  resolveConfig({ registry, overrides, ...(from === null ? {} : { recipe: from }) });

describe('what the user sets', () => {
  // Each would be refused for a value that only the recipe or a default has.
  it.each([
    ['a run shorter than the warm-up', { 'stop.steps': '2' }, { 'schedule.warmup_steps': 1 }],
    ['few tokens', { 'stop.tokens': '1024', 'stop.steps': '0' }, { 'schedule.warmup_steps': 1 }],
    ['a horizon', { 'schedule.horizon_steps': '4' }, { 'schedule.warmup_steps': 2 }],
    ['a warm-up in tokens', { 'schedule.warmup_tokens': '5120' }, { 'schedule.warmup_steps': 0 }],
    ['a target alone', { 'stop.loss': '5', 'stop.steps': '0' }, { 'schedule.kind': 'constant' }],
    ['a target without evaluations', { 'stop.loss': '2', 'eval.every_steps': '7' }, { 'eval.every_steps': 7 }],
    ['a width', { 'model.width': '50' }, { 'model.heads': 5 }],
    ['heads', { 'model.heads': '3' }, { 'model.width': 66 }],
    ['little text', { 'data.size': '1000' }, { 'data.validation': 0.065 }],
  ])('wins over the recipe: %s', (_, given, wanted) => {
    const { problems, config, warnings, derived, origins } = resolve(given);
    expect(problems).toEqual([]);
    expect(config).toMatchObject(wanted);
    for (const [name, value] of Object.entries(given)) expect(String(config[name])).toBe(value);
    for (const name of Object.keys(wanted).filter((each) => !(each in given))) {
      expect(warnings.filter(({ code }) => code === 'gave_way').map(({ setting }) => setting)).toContain(name);
      expect(derived[name]).toBeTruthy();
      expect(origins[name]).toBe('derived');
    }
  });

  it('wins over defaults alone, and says what gave way to it', () => {
    const { problems, config, warnings } = resolve(
      { 'batch.sequences': '12', 'stop.loss': '9', 'stop.steps': '0' },
      null,
    );
    expect(problems).toEqual([]);
    expect(config['schedule.kind']).toBe('constant');
    expect(warnings[0]).toMatchObject({ code: 'gave_way', setting: 'schedule.kind' });
    expect(warnings[0]!.message).toMatch(
      /^schedule\.kind is "constant" instead of "cosine", which gives way to what you set: stop\.loss alone cannot say/u,
    );
  });

  // Would catch the reason of a refusal (`schedule.warmup_steps is 10 too`) as that of the value which gives way.
  it.each([
    [
      'a warm-up in tokens',
      {},
      { 'schedule.warmup_tokens': '5120' },
      `schedule.warmup_steps is 0 instead of 10 ~ ${ONE_WARMUP}`,
    ],
    [
      'a warm-up in steps',
      { 'schedule.warmup_steps': 0, 'schedule.warmup_tokens': 5120 },
      { 'schedule.warmup_steps': '5' },
      `schedule.warmup_tokens is 0 instead of 5120 ~ ${ONE_WARMUP}`,
    ],
    [
      'a unit',
      {},
      { 'schedule.unit': 'tokens' },
      'schedule.warmup_steps is 0 instead of 10 ~ 0 with schedule.unit tokens',
    ],
    [
      'a micro-batch in tokens',
      { 'batch.micro': 4 },
      { 'batch.micro_tokens': '1024' },
      'batch.micro is 0 instead of 4 ~ one of batch.micro and batch.micro_tokens, the other 0',
    ],
    [
      'a distance in tokens',
      { 'batch.length': 'doubling', 'batch.length_every_steps': 7 },
      { 'batch.length_every_tokens': '512' },
      'batch.length_every_steps is 0 instead of 7 ~ one of batch.length_every_steps and batch.length_every_tokens, the other 0',
    ],
    [
      'what 8bit does not have',
      { 'optimizer.moments': '8bit' },
      { 'optimizer.amsgrad': 'true' },
      'optimizer.moments is "32bit" instead of "8bit" ~ 32bit with optimizer.amsgrad true',
    ],
    [
      'sizes of heads',
      { 'model.kind': 'depth-dial', 'model.heads': 4 },
      { 'model.head_size': '8' },
      'model.heads is 8 instead of 4 ~ heads that fill model.width 64',
    ],
    [
      'an end in seconds',
      { 'schedule.kind': 'wsd', 'schedule.decay_steps': 10, 'schedule.warmup_steps': 0 },
      { 'stop.seconds': '20', 'stop.steps': '0' },
      'schedule.decay_steps is 0 instead of 10 ~ 0 where the schedule ends in seconds: schedule.decay_fraction says then how long it decays',
    ],
    [
      'an end that the schedule of a group cannot know',
      { 'optimizer.groups': 'embedding: schedule cosine', 'schedule.kind': 'constant' },
      { 'stop.loss': '3', 'stop.steps': '0' },
      'optimizer.groups is "" instead of "embedding: schedule cosine" ~ no groups, as in the group embedding, schedule.kind is "cosine": ' +
        'stop.loss alone cannot say where the schedule ends',
    ],
  ] as [string, Record<string, SettingValue>, Record<string, string>, string][])(
    'says why what it meets gives way: %s',
    (_, changed, given, told) => {
      const own = Object.entries(changed).map(([name, value]) => ({ name, value, fromText: false }));
      const entries = [...recipe.entries.filter(({ name }) => !(name in changed)), ...own];
      const { problems, warnings } = resolve(given, { ...recipe, entries });
      expect(problems).toEqual([]);
      const gaveWay = warnings.filter(({ code }) => code === 'gave_way').map(({ message }) => message);
      expect(gaveWay).toEqual([told.replace(' ~ ', ', which gives way to what you set: ')]);
    },
  );

  it('refuses two that say the same, each beside the others (would catch a sentence that says they are alike)', () => {
    const given = {
      'schedule.warmup_steps': '10',
      'schedule.warmup_tokens': '5120',
      'schedule.warmup_fraction': '0.1',
    };
    expect(resolve(given).problems.map(({ message }) => message)).toEqual([
      `schedule.warmup_fraction is 0.1 (beside schedule.warmup_steps 10 and schedule.warmup_tokens 5120); allowed: ${ONE_WARMUP}`,
    ]);
    const { problems } = resolve({ 'batch.micro': '4', 'batch.micro_tokens': '1024' });
    expect(problems.map(({ message }) => message)).toEqual([
      'batch.micro_tokens is 1024 (beside batch.micro 4); allowed: one of batch.micro and batch.micro_tokens, the other 0; ' +
        'nearest: 0, or batch.micro 0',
    ]);
  });

  it('may be another kind than that of the recipe alone (catches sizes of a recipe that no other model takes)', () => {
    // These need a setting that no default can know.
    const needing = new Set(['attention.kind window', 'schedule.kind step']);
    const families = [modelFamily, attentionFamily, optimizerFamily, scheduleFamily, parametrizationFamily];
    for (const { name, source } of recipes)
      for (const { setting, kinds } of families as readonly Family[])
        for (const kind of kinds) {
          if (needing.has(`${setting} ${kind.name}`)) continue;
          const { problems, config } = resolve({ [setting!]: kind.name }, source);
          expect(problems, `${name}: ${kind.name}`).toEqual([]);
          expect(config[setting!]).toBe(kind.name);
        }
  });

  it('is refused as before where the user set both (would catch a value of the user changed in silence)', () => {
    const both = resolve({ 'stop.steps': '2', 'schedule.warmup_steps': '10' });
    expect(both.problems).toMatchObject([{ setting: 'schedule.warmup_steps', nearest: 2 }]);
    expect(both.config['schedule.warmup_steps']).toBe(10);
    const file = parseConfigFile('recipe: quick\nmodel: { width: 50, heads: 4 }\n', 'c.yaml');
    expect(resolveConfig({ registry, recipe, file }).problems).toMatchObject([{ setting: 'model.heads' }]);
  });

  it('changes nothing where nothing is broken, and never mends a recipe that breaks by itself', () => {
    expect(resolve({ 'stop.steps': '20' }).config['schedule.warmup_steps']).toBe(10);
    const broken = { ...recipe, entries: recipe.entries.filter(({ name }) => name !== 'stop.steps') };
    const entries = [...broken.entries, { name: 'stop.steps', value: 2, fromText: false }];
    expect(resolve({ seed: '3' }, { ...broken, entries }).problems).toMatchObject([
      { setting: 'schedule.warmup_steps' },
    ]);
  });
});

describe('in a sweep', () => {
  const plan = (text: string) => {
    const { sweep, problems } = parseSweep(text);
    expect(problems).toEqual([]);
    return planSweep({ registry, sweep: sweep!, recipes });
  };

  it('a short run among longer ones gets a shorter warm-up, and the plan says so', () => {
    const { runs, dropped, warnings } = plan(
      'method: grid\nrecipe: quick\nparameters: { stop.steps: { values: [2, 5, 100] } }\n',
    );
    expect(dropped).toEqual([]);
    expect(runs.map(({ config }) => config['schedule.warmup_steps'])).toEqual([1, 2, 10]);
    expect(warnings).toMatchObject([{ code: 'gave_way', setting: 'schedule.warmup_steps', count: 2 }]);
    expect(warnings[0]!.message).toBe(
      'schedule.warmup_steps is 1 instead of 10, which gives way to what you set: half of 2, so that the warm-up ends before the run, and its ' +
        'schedule, do (in 1 of 3 settings, and with other numbers in 1 more: what is compared differs in it too)',
    );
  });

  it('what all runs share is settled for all of them alike', () => {
    const { runs, warnings, problems } = plan(
      'method: grid\nrecipe: quick\nsettings: { stop.steps: 3, model.width: 50 }\nparameters: { optimizer.lr: { values: [0.001, 0.01] } }\n',
    );
    expect(problems).toEqual([]);
    expect(runs.map(({ config }) => [config['schedule.warmup_steps'], config['model.heads']])).toEqual([
      [1, 5],
      [1, 5],
    ]);
    expect(warnings.map(({ setting }) => setting).sort()).toEqual(['model.heads', 'schedule.warmup_steps']);
  });

  it('each combination is the run that it would be alone (would catch a sweep that drops what a single run takes)', () => {
    const seed = Date.now() % 1e6;
    const random = new Stream(seed, 'sweeps');
    const pick = <T>(from: readonly T[]): T => from[random.int(from.length)]!;
    const values: Record<string, readonly (string | number)[]> = {
      'model.kind': ['gpt', 'latent', 'classic', 'unet', 'depth-dial'],
      'model.width': [16, 32, 33, 48, 50, 64],
      'model.heads': [1, 2, 3, 4, 5],
      'model.depth': [1, 2, 3],
      'model.context': [32, 64],
      'model.window': [0, 48],
      'model.parametrization': ['standard', 'mup'],
      'attention.kind': ['causal', 'window_pattern', 'sparse'],
      'stop.steps': [2, 40],
      'schedule.kind': ['constant', 'cosine'],
      'batch.sequences': [4, 6],
    };
    let kept = 0;
    for (let round = 0; round < 60; round++) {
      const from = pick(
        recipes.filter(({ name }) => ['quick', 'unet-small', 'depth-dial-small', 'hlb-gpt-small'].includes(name)),
      );
      const names = Object.keys(values).filter(() => random.uniform() < 0.35);
      const varied = Object.fromEntries(
        names.map((name) => [name, [...new Set([pick(values[name]!), pick(values[name]!)])]]),
      );
      const { sweep } = sweepFromFlags(
        Object.fromEntries(Object.entries(varied).map(([name, list]) => [name, list.map(String)])),
        { registry, recipe: from.name },
      );
      const found = planSweep({ registry, sweep, recipes });
      const given = Object.entries(sweep.settings);
      const alone = (own: Readonly<Record<string, unknown>>) =>
        resolveConfig({ registry, recipe: from.source, overrides: { ...Object.fromEntries(given), ...own } });
      for (const [i, setting] of found.settings.entries()) {
        const { config, problems } = alone(setting.values);
        const about = `seed ${seed}, ${from.name}: ${setting.label}`;
        expect(problems, about).toEqual([]);
        expect(found.runs[i]!.config, about).toEqual(config);
        kept++;
      }
      for (const { values: own, problem } of found.dropped)
        expect(
          alone(own).problems.map(({ code }) => code),
          `seed ${seed}, ${JSON.stringify(own)}`,
        ).toContain(problem.code);
    }
    expect(kept).toBeGreaterThan(40);
  });

  it('what gives way in some combinations alone is said to differ (would catch a comparison of more than was asked)', () => {
    const { settings, runs, dropped, warnings } = plan(
      'method: grid\nrecipe: quick\nparameters: { model.width: { values: [48, 50, 64] } }\n',
    );
    expect(dropped).toEqual([]);
    expect(settings.map(({ label }) => label)).toEqual(['width=48', 'width=50', 'width=64']);
    expect(runs.map(({ config }) => config['model.heads'])).toEqual([4, 5, 4]);
    expect(warnings).toMatchObject([{ code: 'gave_way', setting: 'model.heads' }]);
    expect(warnings[0]!.message).toContain('(in 1 of 3 settings: what is compared differs in it too)');
  });

  it('another model takes its own sizes where the recipe speaks of the first (would catch a kind that is dropped)', () => {
    const { runs, dropped } = plan(
      'method: grid\nrecipe: quick\nsettings: { model.width: 32 }\nparameters: { model.kind: { values: [depth-dial, gpt] } }\n',
    );
    expect(dropped).toEqual([]);
    expect(runs.map(({ config }) => [config['model.kind'], config['model.heads'], config['model.head_size']])).toEqual([
      ['depth-dial', 4, 8],
      ['gpt', 4, 0],
    ]);
  });
});
