/** `<<` and anchors, read as PyYAML reads them, with which W&B reads its sweep files. */
import { describe, expect, it } from 'vitest';
import { builtInRegistry, listRecipes, parseConfigFile, resolveConfig } from '../../../main/lab/settings/index.ts';
import { YamlText } from '../../../main/lab/settings/yamlText.ts';
import { parseSweep, planSweep } from '../../../main/lab/sweeps/index.ts';

const registry = builtInRegistry();
const recipes = await listRecipes();
const entries = (text: string): Record<string, unknown> => {
  const yaml = new YamlText(text, 'x.yaml');
  expect(yaml.problems).toEqual([]);
  return Object.fromEntries(yaml.entries(yaml.root!).map(({ key, node }) => [key, yaml.value(node)]));
};

describe('merge keys', () => {
  // The right sides are what yaml.safe_load of PyYAML 6 gives.
  it.each([
    ['a: &w {x: 1, y: 2}\nb: {<<: *w, y: 3}\n', { a: { x: 1, y: 2 }, b: { x: 1, y: 3 } }],
    ['a: &w {x: 1}\nb: {y: 3, x: 4, <<: *w}\n', { a: { x: 1 }, b: { x: 4, y: 3 } }],
    [
      'a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b], z: 0}\n',
      { a: { x: 1 }, b: { x: 2, y: 2 }, c: { x: 1, y: 2, z: 0 } },
    ],
    ['a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b, x: 9}\n', { a: { x: 1 }, b: { x: 1, y: 2 }, c: { x: 9, y: 2 } }],
    ['<<: {x: 1, y: {z: 2}}\nx: 5\n', { x: 5, y: { z: 2 } }],
    ['a: {"<<": 1}\n', { a: { '<<': 1 } }],
    ['a: &w [1, 2]\nb: *w\n', { a: [1, 2], b: [1, 2] }],
  ])('%j', (text, wanted) => expect(entries(text)).toEqual(wanted));

  it('hold at the top and for nested settings, under the place where they stand', () => {
    const file = parseConfigFile(
      'recipe: quick\noptimizer:\n  beta2: 0.95\n  <<: { lr: 0.001, beta1: -4 }\n',
      'c.yaml',
    );
    const { problems, config } = resolveConfig({ registry, file });
    expect(config).toMatchObject({ 'optimizer.lr': 0.001, 'optimizer.beta2': 0.95 });
    expect(problems).toMatchObject([{ setting: 'optimizer.beta1', where: 'c.yaml:4:20' }]);
  });

  it('hold in sweeps, whose anchors may stand under keys of their own', () => {
    const { sweep, problems } =
      parseSweep(`x-common: &wide { distribution: log_uniform_values, min: 1.0e-4, max: 1.0e-1 }
method: random
run_cap: 4
recipe: quick
parameters:
  optimizer.lr: *wide
  optimizer.weight_decay:
    <<: *wide
    max: 0.5
`);
    expect(problems).toEqual([]);
    expect(sweep!.parameters['optimizer.weight_decay']).toEqual({
      distribution: 'log_uniform_values',
      min: 1e-4,
      max: 0.5,
    });
    expect(planSweep({ registry, sweep: sweep!, recipes }).runs).toHaveLength(4);
  });

  it.each([
    ['a: 1\n<<: 3\n', 'x.yaml:2:5', '<< merges a map'],
    ['a: &w 1\nb: {<<: *w}\n', 'x.yaml:2:9', '<< merges a map'],
    ['b: {<<: [{x: 1}, 2]}\n', 'x.yaml:1:9', '<< merges a map'],
    ['a: &w {<<: *w}\n', 'x.yaml:1:12', '*w stands within itself'],
    ['b: {<<: *n}\n', 'x.yaml:1:9', '*n stands for nothing'],
  ])('%j is refused where it stands', (text, where, message) => {
    const yaml = new YamlText(text, 'x.yaml');
    const found = yaml.problems.map((each) => [yaml.where(each.position), each.message]);
    expect(found).toContainEqual([where, expect.stringContaining(message)]);
    expect(yaml.root).toBeUndefined();
  });

  it('that grow without end are refused at once (would catch a bomb of a few lines)', () => {
    const lines = Array.from({ length: 40 }, (_, i) => `k${i + 1}: &k${i + 1} {<<: [*k${i}, *k${i}], v${i}: [*k${i}]}`);
    const began = process.cpuUsage().user;
    const { problems } = parseSweep(`k0: &k0 {x: 1}\n${lines.join('\n')}\n`);
    expect(problems.length).toBeGreaterThan(0);
    expect((process.cpuUsage().user - began) / 1e6).toBeLessThan(2);
  });
});
