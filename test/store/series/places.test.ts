import { expect, test } from 'vitest';
import { addressOf, placeOf } from '../../../preload/shared/metricPlace.ts';
import { column, newRun, newStore, range } from '../support.ts';

test('an address is a name and a place, and any other name is itself (catches: two series of one name, a name that is lost)', () => {
  expect(placeOf('layer_grad_norm[11]')).toEqual({ name: 'layer_grad_norm', layer: 11 });
  expect(placeOf('attention_entropy[3,0]')).toEqual({ name: 'attention_entropy', layer: 3, head: 0 });
  for (const name of ['a[03]', 'a[-1]', '[1]', 'a[1', 'a[1,]', 'a[1e3]', 'a[12345678]', 'a[1]b'])
    expect(placeOf(name)).toEqual({ name });
  for (const name of ['a', 'a[3]', 'a[3,0]', 'a[1][2]', 'a\n[5]']) expect(addressOf(placeOf(name))).toBe(name);
});

test('a metric of layers and heads is read as one table (catches: wrong order, a place of another run or metric)', async () => {
  const store = newStore();
  const [run, other] = [store.createRun(newRun()), store.createRun(newRun())].map(({ id }) => id);
  const columns = range(0, 12).flatMap((layer) => [
    column(`m[${layer}]`, [1, 5], (step) => 100 * layer + step),
    column(`m[${layer},${layer % 2}]`, [5], (step) => -layer - step),
  ]);
  await store.appendMetrics(run!, [...columns.toReversed(), column('m', [1], () => 7), column('mm[0]', [9], () => 9)]);
  await store.appendMetrics(other!, [column('m[0]', [2], () => 3)]);
  const { layer, head, step, value } = store.readPlaces(run!, 'm', 100);
  expect([...layer]).toEqual(range(0, 12).flatMap((each) => [each, each]));
  expect([...head]).toEqual(range(0, 12).flatMap((each) => [-1, each % 2]));
  expect([...step]).toEqual([1, 5]);
  expect([...value.subarray(40, 48)]).toEqual([1001, 1005, Number.NaN, -15, 1101, 1105, Number.NaN, -16]);
  // It is cut back with the run, and read under its address like any other.
  store.truncateAfter(run!, 1);
  expect([...store.readPlaces(run!, 'm', 100).step]).toEqual([1]);
  expect(store.metricNames(run!)).toContain('m[11]');
  expect([...store.readSeries(run!, 'm[11]').value]).toEqual([1101]);
  expect(store.readMany([run!, other!], 'm[0]').map((each) => each.value[0])).toEqual([1, 3]);
  expect(store.check()).toEqual([]);
});
