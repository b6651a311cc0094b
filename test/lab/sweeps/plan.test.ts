import { describe, expect, it, vi } from 'vitest';
import { defineModel } from '../../../main/engine/nn/model.ts';
import type { ModelContext } from '../../../main/engine/nn/model.ts';
import { olderModel } from '../../../main/engine/plugins.ts';
import { registryWithPlugins } from '../../../main/lab/settings/index.ts';
import { builtInRegistry, listRecipes, resolveConfig } from '../../../main/lab/settings/index.ts';
import type { Plugin } from '../../../main/lab/settings/index.ts';
import type { Rule } from '../../../preload/shared/settings/rules.ts';
import { parseSweep, planSweep, settingKey, sweepFromFlags, type SweepPlan } from '../../../main/lab/sweeps/index.ts';

const registry = builtInRegistry();
const recipes = await listRecipes();

function plan(text: string, overrides?: Record<string, unknown>): SweepPlan {
  const { sweep, problems } = parseSweep(text);
  if (!sweep) throw new Error(problems.map(({ message }) => message).join('\n'));
  return planSweep({ registry, sweep, recipes, ...(overrides ? { base: { overrides } } : {}) });
}
const labels = (found: SweepPlan): string[] => found.settings.map(({ label }) => label);

describe('the metric', () => {
  const by = (metric: string) =>
    plan(`method: grid\nmetric: ${metric}\nparameters: { model.depth: { values: [1, 2] } }`);
  it('that no run logs is said, with the nearest (a sweep would end without a ranking)', () => {
    const [warning] = by('{ name: val_loss }').warnings;
    expect(warning).toMatchObject({ code: 'metric', setting: 'metric' });
    expect(warning.message).toContain('metric.name is val_loss');
    expect(warning.message).toContain('nearest: val/loss');
    expect(by('{ name: val/bpb, goal: minimize }').warnings).toEqual([]);
  });
  it('has keys without effect here, which is said', () => {
    expect(by('{ name: val/loss, target: 2 }').warnings[0].message).toContain('metric.target');
  });
  it('with early_terminate is refused, naming the key (runs would train longer than the file says)', () => {
    const { problems, runs } = plan(
      'method: grid\nearly_terminate: { type: hyperband, min_iter: 3 }\nparameters: { model.depth: { values: [1, 2] } }',
    );
    expect(problems).toMatchObject([{ setting: 'early_terminate' }]);
    expect(runs).toEqual([]);
  });
});

describe('grid', () => {
  it('goes through names in order, the last fastest (catches an order unlike W&B)', () => {
    const found = plan(
      'method: grid\nparameters:\n  model.width: { values: [128, 64] }\n  model.depth: { min: 1, max: 2 }\n  model.heads: { value: 2 }\n',
    );
    expect(found.problems).toEqual([]);
    expect(labels(found)).toEqual(['depth=1 width=128', 'depth=1 width=64', 'depth=2 width=128', 'depth=2 width=64']);
    expect(found.runs.every(({ config }) => config['model.heads'] === 2)).toBe(true);
  });

  it('includes the max of int_uniform and excludes that of q_uniform (catches an off-by-one against W&B)', () => {
    const ints = plan('method: grid\nparameters: { model.depth: { min: 2, max: 4 } }');
    expect(labels(ints)).toEqual(['depth=2', 'depth=3', 'depth=4']);
    const steps = plan(
      'method: grid\nparameters: { model.dropout: { distribution: q_uniform, min: 0, max: 0.3, q: 0.1 } }',
    );
    expect(labels(steps)).toEqual(['dropout=0', 'dropout=0.1', 'dropout=0.2']);
  });

  it('says that a grid leaves a max out, where it would be the next step (catches a value that silently never runs)', () => {
    const notes = (max: number, method = 'method: grid') =>
      plan(
        `${method}\nparameters: { model.width: { distribution: q_uniform, min: 64, max: ${max}, q: 64 } }`,
      ).warnings.map(({ message }) => message);
    expect(notes(256)).toEqual([
      'model.width: a grid takes q_uniform from 64 up to 192 and leaves max, 256, out, as W&B does; max: 288 would take it in',
    ]);
    expect(notes(288)).toEqual([]);
    expect(notes(250)).toEqual([]);
    expect(notes(256, 'method: random\nrun_cap: 2')).toEqual([]);
  });

  it('takes equal values once (catches 3.0 and 3 as two runs)', () => {
    const found = plan('method: grid\nparameters: { model.dropout: { values: [0.5, 0.50, 5e-1, 0] } }');
    expect(labels(found)).toEqual(['dropout=0.5', 'dropout=0']);
    expect(found.warnings.map(({ message }) => message)).toEqual([
      'model.dropout: 2 values given twice or more: a grid takes each once',
    ]);
  });

  it('says that a random sweep draws equal values more often (catches a list that is not as it looks)', () => {
    const notes = (values: string) =>
      plan(`method: random\nrun_cap: 2\nparameters: { model.dropout: { ${values} } }`).warnings.map(
        ({ message }) => message,
      );
    expect(notes('values: [0.5, 0.50, 5e-1, 0]')).toEqual([
      'model.dropout: 2 values given twice or more: drawn more often than the others',
    ]);
    expect(notes('values: [0.5, 0]')).toEqual([]);
  });

  it('gives every setting the same seeds (catches seeds that run on from setting to setting)', () => {
    const found = plan('method: grid\nseeds: 3\nparameters: { model.depth: { values: [1, 2] } }', { seed: 100 });
    expect(found.seeds).toEqual([100, 101, 102]);
    expect(found.runs.map(({ seed, config, name }) => [seed, config.seed, name])).toEqual(
      [1, 2].flatMap((depth) => [100, 101, 102].map((seed) => [seed, seed, `depth=${depth} seed=${seed}`])),
    );
    const listed = plan('method: grid\nseeds: [7, 3]\nparameters: { model.depth: { values: [1, 2] } }');
    expect(listed.runs.map(({ seed }) => seed)).toEqual([7, 3, 7, 3]);
  });

  it('takes a parameter named seed as the seed list (catches W&B files where seeds count as settings)', () => {
    const found = plan('method: grid\nparameters: { seed: { values: [5, 6] }, model.depth: { values: [1, 2] } }');
    expect(found.settings).toHaveLength(2);
    expect(found.runs.map(({ seed }) => seed)).toEqual([5, 6, 5, 6]);
    expect(plan('method: grid\nseeds: 2\nparameters: { seed: { values: [5] } }').problems[0].setting).toBe(
      'parameters.seed',
    );
  });

  it('runs a study of seeds without parameters (catches an empty product)', () => {
    const found = plan('method: grid\nseeds: 4\nrecipe: quick\n');
    expect(found.runs.map(({ name }) => name)).toEqual(['seed=1', 'seed=2', 'seed=3', 'seed=4']);
  });
});

describe('dropping', () => {
  it('drops what a rule forbids, with the numbers (catches the crash in the middle of a sweep)', () => {
    const { sweep } = sweepFromFlags(
      { 'model.depth': ['2', '4'], 'model.width': ['64', '96'], 'model.heads': ['1', '3'] },
      { registry, seeds: 3, recipe: 'quick' },
    );
    const found = planSweep({ registry, sweep, recipes });
    expect(found).toMatchObject({ combinations: 8, duplicates: 0, problems: [] });
    expect(found.settings).toHaveLength(6);
    expect(found.runs).toHaveLength(18);
    expect(found.dropped.map(({ label, problem }) => [label, problem.code])).toEqual([
      ['depth=2 heads=3 width=64', 'model.heads_divide_width'],
      ['depth=4 heads=3 width=64', 'model.heads_divide_width'],
    ]);
    expect(found.dropped[0].problem).toMatchObject({
      setting: 'model.heads',
      value: 3,
      nearest: 4,
      others: [{ setting: 'model.width', value: 64, nearest: 66 }],
      rule: 'model.width % model.heads',
      numbers: '64 % 3 = 1',
    });
  });

  it('drops what a constraint forbids, with the numbers', () => {
    const found = plan(
      'method: grid\nconstraints: ["model.width * model.depth <= 256"]\nparameters: { model.width: { values: [64, 128] }, model.depth: { values: [2, 4] } }',
    );
    expect(labels(found)).toEqual(['depth=2 width=64', 'depth=2 width=128', 'depth=4 width=64']);
    expect(found.dropped).toEqual([
      {
        values: { 'model.depth': 4, 'model.width': 128 },
        label: 'depth=4 width=128',
        problem: {
          code: 'constraint',
          setting: 'constraints.0',
          value: false,
          allowed: 'model.width * model.depth <= 256',
          why: 'model.width * model.depth <= 256: 128 * 4 = 512',
          rule: 'model.width * model.depth <= 256',
          numbers: '128 * 4 = 512',
          message: 'model.width * model.depth <= 256: 128 * 4 = 512',
        },
      },
    ]);
  });

  it('is an error when nothing is left, with the reasons counted (catches an empty sweep that "succeeds")', () => {
    const found = plan(
      'method: grid\nparameters: { model.width: { values: [65, 67] }, model.heads: { values: [2, 4] } }',
    );
    expect(found.settings).toEqual([]);
    // 65 and 67 with two heads, and with four: each with numbers of its own.
    expect(found.problems[0].message).toContain(
      'all 4 combinations were dropped: 1 × model.heads is 2 (model.width % model.heads: 65 % 2 = 1)',
    );
    expect(found.problems[0].message).toContain('(and 3 × with other numbers)');
  });

  it('counts each reason when nothing is left (catches all of them under the first)', () => {
    const found = plan(
      'method: grid\nconstraints: ["model.depth < 2"]\nsettings: { model.width: 64 }\nparameters: { model.depth: { values: [1, 2, 3] }, model.heads: { values: [3, 5] } }',
    );
    const { message } = found.problems[0];
    expect(message).toContain('all 6 combinations were dropped: 2 × model.depth < 2: model.depth = 2');
    expect(message).toContain('(and 2 × with other numbers) | 1 × model.heads is 3');
  });

  it('takes the short names that it prints itself, and lets an empty constraint forbid nothing', () => {
    const found = plan(
      'method: grid\nconstraints: ["", "width * depth <= 256"]\nparameters: { model.width: { values: [64, 128] }, model.depth: { values: [2, 4] } }',
    );
    expect(found.problems).toEqual([]);
    expect(found.settings).toHaveLength(3);
    expect(found.dropped.map(({ problem }) => problem.setting)).toEqual(['constraints.1']);
    // `kind` is the last part of several settings: nobody guesses which.
    const several = plan(
      'method: grid\nconstraints: ["kind == 1"]\nparameters: { model.width: { values: [64, 128] } }',
    );
    expect(several.problems.map(({ message }) => message).join()).toContain('there is no setting kind');
  });

  it('reports a constraint that has no value as a reason (catches a crash on % 0)', () => {
    const found = plan(
      'method: grid\nconstraints: ["model.heads % model.kv_heads == 0"]\nparameters: { model.kv_heads: { values: [0, 2] } }',
    );
    expect(labels(found)).toEqual(['kv_heads=2']);
    expect(found.dropped[0].problem.message).toContain('4 % 0 is not a number');
  });
});

describe('nothing twice', () => {
  it('varies a conditional parameter only where it applies (catches sgd runs repeated for every beta)', () => {
    const found = plan(`method: grid
parameters:
  optimizer.kind: { values: [adamw, sgd] }
  optimizer.beta2: { values: [0.9, 0.99] }
  optimizer.momentum: { values: [0, 0.9] }
  model.depth: { values: [1, 2], when: 'optimizer.kind == "adamw"' }
`);
    expect(found.problems).toEqual([]);
    expect(labels(found).sort()).toEqual(
      [
        ...[1, 2].flatMap((depth) => [0.9, 0.99].map((beta) => `depth=${depth} beta2=${beta} kind=adamw`)),
        'kind=sgd momentum=0',
        'kind=sgd momentum=0.9',
      ].sort(),
    );
    expect(found).toMatchObject({ combinations: 16, duplicates: 10, dropped: [] });
    const sgd = found.runs.filter(({ config }) => config['optimizer.kind'] === 'sgd');
    expect(sgd.map(({ config }) => config['model.depth'])).toEqual([4, 4]);
  });

  it('switches off chains of conditions (catches a parameter left on by one that is off)', () => {
    const found = plan(`method: grid
parameters:
  model.positions: { values: [learned, rotary] }
  model.rope_base: { values: [1000, 5000] }
  model.qk_norm: { values: [true, false], when: 'model.rope_base == 5000' }
`);
    expect(labels(found)).toEqual([
      'positions=learned',
      'positions=rotary rope_base=1000',
      'positions=rotary qk_norm=true rope_base=5000',
      'positions=rotary qk_norm=false rope_base=5000',
    ]);
  });

  it('sees equal models behind different settings (catches duplicates by rounding and by 0 = the default)', () => {
    expect(labels(plan('method: grid\nparameters: { model.kv_heads: { values: [0, 4, 2] } }'))).toEqual([
      'kv_heads=0',
      'kv_heads=2',
    ]);
    expect(labels(plan('method: grid\nparameters: { model.mlp_ratio: { values: [2.66, 2.67, 3] } }'))).toEqual([
      'mlp_ratio=2.66',
      'mlp_ratio=3',
    ]);
    const both = plan(
      'method: grid\nparameters: { model.mlp_width: { values: [0, 512] }, model.mlp_ratio: { values: [2, 4] } }',
    );
    expect(both).toMatchObject({ combinations: 4, duplicates: 2 });
    expect(labels(both)).toEqual(['mlp_ratio=2 mlp_width=0', 'mlp_width=512']);
  });

  it.each(['gpt', 'latent', 'classic', 'unet', 'depth-dial'])(
    'sees equal attentions behind different settings of %s',
    (kind) => {
      const found = plan(
        `settings: { model.kind: ${kind}, model.context: 32, model.window: 32, model.parametrization: standard }
method: grid
parameters:
  attention.kind: { values: [causal, window, window_pattern] }
  attention.pattern: { values: [LL, SSSL] }
  attention.short_window: { values: [8, 32] }`,
      );
      expect(labels(found)).toEqual(['kind=causal', 'kind=window_pattern pattern=SSSL short_window=8']);
      // One of the two settings that are left has no window, and is told of once.
      expect(found.warnings.filter(({ setting }) => setting === 'model.window')).toEqual([
        expect.objectContaining({ code: 'attention.window_unused', count: 2 }),
      ]);
    },
  );

  it('warns of a parameter that never has an effect (catches a sweep of one setting that looks like many)', () => {
    const found = plan('method: grid\nparameters: { tokenizer.vocabulary: { values: [512, 1024] } }');
    expect(found.settings).toHaveLength(1);
    expect(found.warnings[0]).toMatchObject({ code: 'no_effect', setting: 'tokenizer.vocabulary' });
    expect(found.warnings[0].message).toContain('tokenizer.vocabulary is varied but has no effect in any run');
    expect(found.warnings[0].message).toContain('tokenizer.kind = "byte"');
  });

  it('never plans two runs with the same configuration, nor one that breaks a rule (property over random sweeps)', () => {
    for (let seed = 0; seed < 12; seed++) {
      const found = plan(`method: random
run_cap: 40
sweep_seed: ${seed}
parameters:
  model.width: { distribution: q_uniform, min: 16, max: 128, q: 16 }
  model.heads: { min: 1, max: 6 }
  model.kv_heads: { values: [0, 1, 2, 3] }
  model.positions: { values: [rotary, bias, sinusoidal] }
  optimizer.kind: { values: [adamw, sgd, rmsprop] }
  optimizer.momentum: { values: [0, 0.9] }
  batch.micro: { values: [0, 5, 8] }
`);
      const configs = found.runs.map(({ config }) => JSON.stringify(config));
      expect(new Set(configs).size).toBe(40);
      expect(new Set(found.settings.map(({ key }) => key)).size).toBe(40);
      expect(found.combinations).toBe(found.settings.length + found.dropped.length + found.duplicates);
      expect(found.dropped.length).toBeGreaterThan(0);
    }
  });
});

describe('keys', () => {
  it('are the same for the same combination in another sweep (catches results that cannot be matched up)', () => {
    const a = plan('method: grid\nparameters: { model.depth: { values: [1, 2] }, optimizer.lr: { values: [0.1] } }');
    const b = plan('method: grid\nparameters: { optimizer.lr: { values: [1e-1, 0.2] }, model.depth: { values: [2] } }');
    expect(a.settings[1].key).toBe(b.settings[0].key);
    expect(settingKey({ a: 1, b: 2 })).toBe(settingKey({ b: 2, a: 1 }));
    expect(settingKey({ a: 1, b: 2 })).not.toBe(settingKey({ a: '1', b: 2 }));
  });
});

describe('layers', () => {
  it('recipe, then sweep settings, then flags, then parameters (catches a flag that undoes the sweep)', () => {
    const text =
      'method: grid\nrecipe: quick\nsettings: { model: { width: 96 }, optimizer.lr: 0.5 }\nparameters: { model.depth: { values: [1, 3] } }';
    const found = plan(text, { 'optimizer.lr': '0.25', 'model.depth': '9' });
    expect(found.problems).toEqual([]);
    expect(found.runs[1].config).toMatchObject({
      'model.width': 96,
      'optimizer.lr': 0.25,
      'model.depth': 3,
      'stop.steps': 150,
    });
    expect(found.warnings.map(({ message }) => message)).toEqual([
      "model.depth is 9 on the command line, but the sweep varies it: the sweep's values are used",
    ]);
  });

  it('lets a parameter mend a base that cannot run alone (catches a sweep refused for its base)', () => {
    const found = plan('method: grid\nsettings: { model.heads: 3 }\nparameters: { model.width: { values: [48, 64] } }');
    expect(found.problems).toEqual([]);
    expect(labels(found)).toEqual(['width=48']);
  });

  it('ends by the limit that is swept, not by the default number of steps (catches runs cut at 500 steps)', () => {
    const found = plan('method: grid\nparameters: { stop.epochs: { values: [1, 2] } }');
    expect(found.runs.map(({ config }) => config['stop.steps'])).toEqual([0, 0]);
    // Where the sweep takes a limit of the base away again, the default is back.
    const mixed = plan('method: grid\nparameters: { stop.tokens: { values: [0, 1000000] } }', { 'stop.tokens': '5M' });
    expect(mixed.runs.map(({ config }) => config['stop.steps'])).toEqual([500, 0]);
  });

  it('says that a program of W&B is not run (catches a user waiting for train.py)', () => {
    const found = plan('method: grid\nprogram: train.py\nparameters: { model.depth: { values: [1] } }');
    expect(found.warnings[0].message).toContain('program: of W&B alone');
  });

  it('gives the same from flags as from the file (catches two ways that disagree)', () => {
    const flags = sweepFromFlags(
      { 'model.depth': ['2', '4'], 'optimizer.lr': ['1e-3'] },
      { registry, seeds: 2, recipe: 'quick' },
    );
    const { sweep } = parseSweep(
      'method: grid\nrecipe: quick\nseeds: 2\nsettings: { optimizer.lr: 0.001 }\nparameters: { model.depth: { values: [2, 4] } }',
    );
    expect(flags.problems).toEqual([]);
    expect(flags.sweep).toEqual(sweep);
  });
});

describe('random', () => {
  const text = (seed: number, cap = 10, more = ''): string =>
    `method: random\nrun_cap: ${cap}\nsweep_seed: ${seed}\nparameters:\n  optimizer.lr: { distribution: log_uniform_values, min: 1e-4, max: 1e-2 }\n${more}`;

  it('repeats itself by seed, and goes on where a smaller cap stopped (catches sweeps that cannot be extended)', () => {
    const ten = plan(text(1));
    expect(plan(text(1)).runs).toEqual(ten.runs);
    expect(plan(text(2)).runs).not.toEqual(ten.runs);
    expect(plan(text(1, 20)).settings.slice(0, 10)).toEqual(ten.settings);
  });

  it('keeps the draws of one parameter when another is added (catches a shifted sequence)', () => {
    const rates = (found: SweepPlan): unknown[] => found.settings.map(({ values }) => values['optimizer.lr']);
    expect(rates(plan(text(1, 10, '  model.depth: { min: 1, max: 9 }\n')))).toEqual(rates(plan(text(1))));
  });

  it('counts seeds in run_cap and never leaves a setting with some of them (catches an uneven comparison)', () => {
    const found = plan(`seeds: 3\n${text(1, 10)}`);
    expect(found.settings).toHaveLength(3);
    expect(found.runs).toHaveLength(9);
    expect(plan(`seeds: 3\n${text(1, 2)}`).problems[0].message).toMatch(
      /run_cap is 2; allowed: at least 3.*nearest: 3/u,
    );
  });

  it('stops when a small space is used up, and says so (catches an endless search)', () => {
    const found = plan('method: random\nrun_cap: 50\nparameters: { model.depth: { values: [1, 2, 3] } }');
    expect(found.settings).toHaveLength(3);
    const { duplicates, combinations, warnings } = found;
    const message = `run_cap is 50, but there are 3 runs: ${combinations.toLocaleString('en')} draws gave only 3 different settings that can run: ${duplicates} repeated an earlier one`;
    expect(warnings).toMatchObject([{ code: 'used_up', message }]);
    expect(combinations).toBe(duplicates + 3);
  });

  it('drops draws outside of the range of a setting (catches a negative learning rate)', () => {
    const found = plan(
      'method: random\nrun_cap: 20\nparameters: { optimizer.lr: { distribution: normal, mu: 0.001, sigma: 0.001 } }',
    );
    expect(found.settings).toHaveLength(20);
    expect(found.dropped.length).toBeGreaterThan(0);
    expect(
      found.dropped.every(({ problem, values }) => problem.code === 'value' && (values['optimizer.lr'] as number) <= 0),
    ).toBe(true);
  });
});

describe('size', () => {
  const big = `method: grid
recipe: quick
seeds: 3
parameters:
  optimizer.lr: { values: [1e-4, 2e-4, 3e-4, 4e-4, 5e-4, 6e-4, 7e-4, 8e-4, 9e-4, 1e-3] }
  model.depth: { min: 1, max: 10 }
  model.width: { distribution: q_uniform, min: 64, max: 704, q: 64 }
  model.heads: { values: [1, 2, 3, 4, 5, 6, 7, 8, 12, 16] }
`;
  /** How often each rule is asked and how many configurations are completed while `make` runs. */
  function counted<T>(make: () => T): { result: T; asked: { rule: Rule; times: number }[]; completed: number } {
    const { catalog } = registry;
    const spies = [...new Set(catalog.allRules())].map((rule) => ({ rule, check: vi.spyOn(rule, 'check') }));
    const settle = vi.spyOn(catalog, 'settle');
    try {
      const result = make();
      const asked = spies.map(({ rule, check }) => ({ rule, times: check.mock.calls.length }));
      return { result, asked: asked.filter(({ times }) => times > 0), completed: settle.mock.calls.length };
    } finally {
      vi.restoreAllMocks();
    }
  }

  it('plans 10,000 combinations, each kept or dropped, and asks a rule once for equal values (catches one that is lost, and planning that grows with the grid)', () => {
    const { result: found, asked, completed } = counted(() => plan(big));
    expect(found).toMatchObject({ combinations: 10_000, problems: [] });
    expect(found.settings.length + found.dropped.length).toBe(10_000);
    expect(found.runs).toHaveLength(3 * found.settings.length);
    expect(found.dropped.length).toBeGreaterThan(1000);
    expect(asked.length).toBeGreaterThan(10);
    // Each of the varied settings takes ten values; nearest choices are tried beside them.
    const varied = ['optimizer.lr', 'model.depth', 'model.width', 'model.heads'];
    for (const { rule, times } of asked) {
      const distinct = 10 ** varied.filter((name) => rule.settings.includes(name)).length;
      expect(times, rule.code).toBeLessThanOrEqual(5 * distinct);
    }
    // And only for as many combinations as anybody reads.
    expect(completed).toBeLessThan(11_000);
  });

  it('refuses a grid that would fill the memory (catches a slip of a bound)', () => {
    const found = plan(
      'method: grid\nparameters: { seed: { value: 1 }, data.size: { min: 0, max: 199999 }, model.depth: { values: [1, 2] } }',
    );
    expect(found.problems[0].message).toContain('parameters is 400000');
  });
});

describe('a plug-in model', () => {
  const build = (m: ModelContext) => {
    const width = m.config['model.width'] as number;
    const initial = { kind: 'normal', std: m.config['model.init_std'] as number } as const;
    const head = m.parameter('weight', [m.vocabularySize, width], { role: 'embedding', initial });
    return { hidden: m.ops.gather(head, m.tokens), head };
  };
  const table = defineModel({
    name: 'table',
    help: 'A look-up table.',
    settings: ['model.width', 'model.init_std'],
    build,
  });
  const plugins: [string, Plugin][] = [
    ['with a list of settings', { name: 'p', file: 'p.ts', kinds: [table], settings: [], constraints: [] }],
    [
      'of the older form, without a list',
      { name: 'p', file: 'p.ts', kinds: [olderModel('p.ts', { name: 'table', build })], settings: [], constraints: [] },
    ],
  ];

  it.each(plugins)('%s: what it ignores cannot multiply runs (three equal runs, and no word of it)', (_, plugin) => {
    const own = registryWithPlugins([plugin]);
    const swept = (name: string) =>
      planSweep({
        registry: own,
        sweep: parseSweep(`method: grid\nparameters: { ${name}: { values: [1, 2, 4] }, model.kind: { value: table } }`)
          .sweep!,
      });
    const ignored = swept('model.heads');
    expect(ignored.runs).toHaveLength(1);
    expect(ignored.warnings[0].message).toContain('model.heads is varied but has no effect in any run');
    const read = swept('model.width');
    expect(read.runs).toHaveLength(3);
    expect(read.warnings).toEqual([]);
    // Declared by an attention, and read by models too.
    expect(swept('model.window').warnings[0]!.message).toContain('model.window');
    const one = resolveConfig({ registry: own, overrides: { 'model.kind': 'table', 'model.heads': 2 } });
    expect(one.warnings[0]).toMatchObject({ code: 'no_effect', setting: 'model.heads' });
  });
});
