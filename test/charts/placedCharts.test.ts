import { describe, expect, it } from 'vitest';
import { metricCatalog } from '../../main/engine/train/measures/index.ts';
import { drawnChart } from '../../preload/charts/board/chartSides.ts';
import { labelOfChart, titleOf } from '../../preload/charts/board/chartModel.ts';
import { withChart } from '../../preload/charts/board/chartSpec.ts';
import { axisOfPlaces, chartOfPlaces, nameOf, placesOf, PLACES } from '../../preload/charts/board/placedCharts.ts';
import { curveOfPlaces } from '../../preload/charts/data/places.ts';
import { PLACE_KINDS, placeOfPosition, placeOfRank } from '../../preload/shared/placeKinds.ts';

const catalog = metricCatalog();
const config = {
  'model.depth': 12,
  'model.heads': 2,
  'model.experts': 3,
  'model.context': 100,
  'tokenizer.vocabulary': 4096,
};

describe('places of tokens', () => {
  it('hold each position and rank in the class that their words say', () => {
    const inWords = (words: string, number: number): boolean => {
      const [from, to = from] = words.split('–').map((each) => Number(each.replaceAll(/\D/gu, '')));
      return from! <= number && number <= to!;
    };
    for (const number of [1, 2, 3, 4, 5, 8, 9, 10, 11, 99, 100, 101, 1000, 1001, 65_536, 65_537, 100_000, 131_072]) {
      expect(inWords(PLACE_KINDS.position.word(placeOfPosition(number - 1)), number)).toBe(true);
      expect(inWords(PLACE_KINDS.frequency.word(placeOfRank(number - 1)), number)).toBe(true);
    }
    expect(PLACE_KINDS.position.layers(config)).toEqual([1, 2, 4, 8, 16, 32, 64, 128]);
    expect(PLACE_KINDS.frequency.layers(config)).toEqual([10, 100, 1000, 10_000]);
  });
});

describe('charts of metrics with places', () => {
  it('show some layers over the step, and classes of tokens as x', () => {
    const layers = chartOfPlaces('layer_grad_norm', 'layer', [config]);
    expect(layers.metrics).toEqual([0, 2, 4, 7, 9, 11].map((layer) => `layer_grad_norm[${layer}]`));
    expect(layers.x).toBeUndefined();
    expect(chartOfPlaces('attention_entropy', 'head', [config]).metrics[1]).toBe('attention_entropy[2,0]');
    const positions = chartOfPlaces('loss_by_position', 'position', [config]);
    expect(positions).toMatchObject({ x: PLACES, xLog: true });
    expect(drawnChart(positions, catalog, PLACES).metrics).toEqual(['loss_by_position']);
    expect(drawnChart(positions, catalog, 'step').metrics).toEqual(positions.metrics);
    expect(axisOfPlaces(positions.metrics, catalog)).toBe('position in the context, tokens');
  });

  it('offer every place of the runs that are there', () => {
    expect(placesOf('train/loss', undefined, [config])).toEqual(['train/loss']);
    expect(placesOf('expert_load', 'expert', [{ ...config, 'model.depth': 1 }])).toEqual(
      [0, 1, 2].map((i) => `expert_load[0,${i}]`),
    );
    expect(placesOf('loss_by_position', 'position', [{ 'model.context': 2 }, { 'model.context': 4 }])).toEqual(
      [1, 2, 4].map((i) => `loss_by_position[${i}]`),
    );
  });

  it('are named by what their places are', () => {
    const of = (...metrics: string[]): string => titleOf({ metrics }, catalog);
    expect(of('loss_by_position[1]', 'loss_by_position[8]')).toBe('loss_by_position, positions 1, 5–8');
    expect(of('loss_by_frequency[0]')).toBe('loss_by_frequency, not met');
    expect(of('layer_grad_norm[3]')).toBe('layer_grad_norm[3]');
    expect(nameOf('loss_by_frequency[1000]', catalog)).toBe('loss_by_frequency, 101–1,000');
    const chart = { id: 'a', kind: 'lines', metrics: ['loss_by_position[1]'] } as const;
    expect(labelOfChart(chart, catalog)).toBe('loss_by_position, 1 (nats/token)');
  });

  it('are out of the layout once they are as they were', () => {
    const plain = chartOfPlaces('loss_by_position', 'position', [config]);
    const [changed] = withChart([], plain, { x: undefined, xLog: undefined }, plain);
    expect(changed).toMatchObject({ metrics: plain.metrics });
    expect(changed!.x).toBeUndefined();
    expect(withChart([changed!], changed!, { x: PLACES, xLog: true }, plain)).toEqual([]);
  });

  it('over places have the latest value of each, and of heads the mean', () => {
    const { x, value, step } = curveOfPlaces({
      layer: Float64Array.of(8, 1, 1, 2),
      head: Float64Array.of(-1, 0, 1, -1),
      step: Float64Array.of(1, 100),
      value: Float64Array.of(4, 3, 1, 2, 3, Number.NaN, Number.NaN, Number.NaN),
    });
    expect([...x!]).toEqual([1, 8]);
    expect([...step]).toEqual([1, 8]);
    expect([...value]).toEqual([2.5, 3]);
  });
});
