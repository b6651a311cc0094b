/** Metrics of plug-ins are measured beside the built-in ones, and a measure that gives no number is refused by name. */
import { describe, expect, test } from 'vitest';
import { Catalog } from '../../../main/engine/catalog.ts';
import { defineMetric, metricCatalog } from '../../../main/engine/train/measures/index.ts';
import type { Metric } from '../../../main/engine/train/measures/index.ts';
import { temporaryFolder, testConfig } from './helpers.ts';
import { train } from './laboratory.ts';

const scaled = defineMetric({
  name: 'train/scaled_loss',
  unit: 'nats',
  better: 'lower',
  section: 'train',
  help: 'The loss times a setting of its own.',
  settings: [
    {
      name: 'log.loss_scale',
      type: { kind: 'float', min: 0 },
      default: 3,
      help: 'Factor of train/scaled_loss.',
      question: 'stability',
      plan: 'none',
    },
  ],
  ofStep: ({ result, config }) => result.loss * (config['log.loss_scale'] as number),
});
const family = defineMetric({
  name: 'mine/*',
  unit: '',
  section: 'mine',
  help: 'Several numbers of an evaluation.',
  ofEvaluation: ({ result, counters }) => ({ 'mine/steps': counters.steps, 'mine/twice': 2 * result.loss }),
});
const withMetrics = (...kinds: Metric[]) => new Catalog([{ file: 'mine.ts', kinds }]);
const trained = async (kinds: Catalog) =>
  await train({
    config: testConfig({ 'stop.steps': 3, 'eval.every_steps': 2 }),
    folder: await temporaryFolder(),
    kinds,
  });

describe('metrics of plug-ins', () => {
  test('are measured with what the loop has, settings of their own included', async () => {
    const { end, host } = await trained(withMetrics(scaled, family));
    expect(end.state).toBe('finished');
    const points = (name: string) => [...(host.series.get(name) ?? [])];
    expect(points('train/scaled_loss')).toEqual(points('train/loss').map(([step, loss]) => [step, 3 * loss]));
    expect(points('mine/steps')).toEqual([0, 2, 3].map((step) => [step, step]));
    expect(points('mine/twice')).toEqual(points('val/loss').map(([step, loss]) => [step, 2 * loss]));
    expect(end.summary['mine/steps']).toBe(3);
  });

  test('tell their facts like built-in ones (catches a metric that cannot be ranked by)', () => {
    const catalog = metricCatalog(withMetrics(scaled, family));
    expect(catalog.rankable).toContain('train/scaled_loss');
    expect(catalog.get('train/scaled_loss')).toEqual({
      name: 'train/scaled_loss',
      unit: 'nats',
      better: 'lower',
      section: 'train',
      help: 'The loss times a setting of its own.',
    });
    expect(catalog.get('mine/twice')).toMatchObject({ name: 'mine/twice', section: 'mine' });
  });

  test.each([
    ['no number', { ofStep: () => undefined as never }, 'metric mine: ofStep gives undefined; allowed: a number'],
    ['several under one name', { ofStep: () => ({ mine: 1 }) }, 'metric mine: ofStep gives {"mine":1}'],
    [
      'a name of others',
      { name: 'mine/*', ofStep: () => ({ 'val/loss': 0 }) },
      'metric mine/*: ofStep gives 0 for "val/loss"',
    ],
  ])('that give %s end the run with their name (catches a series that is silently missing)', async (_, wrong, part) => {
    const metric = defineMetric({ name: 'mine', unit: '', section: 'x', help: 'Wrong.', ...wrong });
    const { end } = await trained(withMetrics(metric));
    expect(end).toMatchObject({ state: 'failed', reason: expect.stringContaining(part) });
  });

  test('cannot take a name that is taken', () => {
    const twin = defineMetric({ name: 'val/loss', unit: '', section: 'val', help: 'Another.' });
    expect(() => withMetrics(twin)).toThrow('the metric val/loss is already declared by Sweeplab');
  });
});
