import { expect, it } from 'vitest';
import { exportPieces } from '../../../main/lab/exchange/exports.ts';
import type { Wanted } from '../../../main/lab/exchange/exports.ts';

const RECORDED: Readonly<Record<string, string[]>> = { a: ['train/loss', 'val/loss'], b: ['val/loss', 'lr'] };
const assertNever = (): never => {
  throw new Error('nothing is read');
};
const store = {
  metricNames: (id: string) => RECORDED[id] ?? [],
  readAll: assertNever,
  readAfter: assertNever,
  readMany: assertNever,
  readEvents: assertNever,
  getSweep: assertNever,
};
const written = (metrics: string[] | undefined, ids: string[]): unknown => {
  const runs = ids.map((id) => ({ id, config: {} })) as unknown as Wanted['runs'];
  const format = { write: () => ['written'] } as unknown as Parameters<typeof exportPieces>[2];
  return [...(exportPieces(store, { names: [], defaults: {} }, format, { runs, metrics }) as Iterable<unknown>)];
};

it('a metric that no run has is refused with what there is; one that some have is not (would catch an empty table)', () => {
  expect(() => written(['val/lss'], ['a', 'b'])).toThrow(
    'metric is "val/lss"; allowed: what the 2 runs have: lr, train/loss, val/loss; nearest: val/loss',
  );
  expect(() => written(['val/loss', 'nothing'], ['a'])).toThrow('what the run has: train/loss, val/loss');
  expect(() => written(['lr'], ['c'])).toThrow('none, since the run has no points');
  for (const metrics of [undefined, [], ['lr'], ['lr', 'train/loss']])
    expect(written(metrics, ['a', 'b'])).toEqual(['written']);
  expect(written(['nothing'], [])).toEqual(['written']);
});
