import { describe, expect, it } from 'vitest';
import { facetsOf, withSharedAxes } from '../../preload/charts/data/facets.ts';
import type { YFrame } from '../../preload/charts/data/frame.ts';
import type { FacetRun } from '../../preload/charts/data/facets.ts';
import type { LineModel } from '../../preload/charts/draw/model.ts';

const run = (id: string, depth?: number): FacetRun => ({
  id,
  config: depth === undefined ? {} : { 'model.depth': depth },
});
const group = (id: string, ...members: ReturnType<typeof run>[]) => ({
  id,
  label: id,
  color: '',
  runs: members.map((each) => each.id),
  members,
});

describe('facets', () => {
  it('come in the order of their numbers, runs without the setting last', () => {
    const facets = facetsOf(
      [group('a', run('r1', 16)), group('b', run('r2')), group('c', run('r3', 4))],
      'model.depth',
    );
    expect(facets.map(({ value }) => value)).toEqual([4, 16, undefined]);
  });
  it('split a group that has several values, so that each mean is of the runs of its facet alone', () => {
    const facets = facetsOf([group('a', run('r1', 2), run('r2', 4), run('r3', 2))], 'model.depth');
    expect(facets.map(({ groups }) => groups.map(({ id, runs }) => [id, runs]))).toEqual([
      [['a', ['r1', 'r3']]],
      [['a', ['r2']]],
    ]);
  });
});

describe('shared axes', () => {
  const model = (x: [number, number], y: [number, number], lines = 1): LineModel => ({
    lines: Array.from({ length: lines }, (_, i) => ({
      id: String(i),
      group: String(i),
      label: '',
      color: '',
      x: Float64Array.from(x),
      y: Float64Array.from(y),
      increasing: true,
    })),
    x: { label: 'step', log: false, min: x[0], max: x[1] },
    y: { label: 'loss', log: false, min: y[0], max: y[1] },
    references: [],
    notes: [],
    outside: [],
  });
  const frame: YFrame = { label: 'loss', log: false, clip: true, outlying: 'above' };
  it('hold the range of every facet; an empty one does not stretch them', () => {
    const shared = withSharedAxes(
      [model([0, 100], [1, 2]), model([50, 300], [1.5, 5]), model([0, 1e9], [-9, 9], 0)],
      frame,
    );
    for (const { x, y } of shared) {
      expect([x.min, x.max]).toEqual([0, 300]);
      expect([y.min, y.max]).toEqual([expect.closeTo(0.84, 9), expect.closeTo(5.16, 9)]);
    }
  });
  it('leave out what diverged in one facet, and each says of its own (would catch one facet that flattens all others)', () => {
    const [fine, gone] = withSharedAxes([model([0, 100], [4, 2]), model([0, 100], [4, 1e30])], frame);
    expect(fine.y).toEqual(gone.y);
    expect(fine.y.max).toBeLessThan(10);
    expect([fine.outside, gone.outside]).toEqual([[], ['1 value above the frame, up to 1e30']]);
  });
});
