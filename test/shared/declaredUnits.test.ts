/** Units stand beside what Sweeplab measured, and beside nothing that another program logged under the same name. */
import { expect, it } from 'vitest';
import { metricCatalog } from '../../main/engine/train/measures/index.ts';
import { catalogFor } from '../../preload/shared/declaredUnits.ts';

const catalog = metricCatalog();
const run = (origin: 'sweeplab' | 'wandb', summary: Record<string, number>) => ({ origin, summary });
const SUMMARY = { 'val/loss': 3, 'val/accuracy': 87, seconds: 9, 'their/own': 1 };

it('runs of Sweeplab keep the very catalogue', () => {
  expect(catalogFor(catalog, [run('sweeplab', SUMMARY)])).toBe(catalog);
  expect(catalogFor(catalog, [run('wandb', { 'their/own': 1, seconds: 2 })])).toBe(catalog);
});

it.each([
  ['alone', [run('wandb', SUMMARY)]],
  ['beside runs of Sweeplab', [run('sweeplab', SUMMARY), run('wandb', SUMMARY)]],
])("a script's val/loss has no unit, and its 87 is no 8,700 %% (%s)", (_, runs) => {
  expect([catalog.get('val/loss').unit, catalog.get('val/accuracy').unit]).toEqual(['nats/token', 'share']);
  const found = catalogFor(catalog, runs);
  expect([found.get('val/loss').unit, found.get('val/accuracy').unit]).toEqual(['', '']);
  // What is better, and the rest, is known by the name as before; what the script did not log keeps its unit.
  expect(found.get('val/loss')).toEqual({ ...catalog.get('val/loss'), unit: '' });
  expect(found.get('train/loss').unit).toBe('nats/token');
  expect(found.get('seconds').unit).toBe('s');
  expect(['their/own', 'val/loss', 'val/accuracy'].toSorted(found.compare)).toEqual(
    ['their/own', 'val/loss', 'val/accuracy'].toSorted(catalog.compare),
  );
});
