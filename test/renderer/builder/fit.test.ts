import { describe, expect, it } from 'vitest';
import { builtInCatalog } from '../../../main/engine/catalog.ts';
import { fixedVocabularies } from '../../../main/lab/datasets/catalog.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import { batchSentence, foldLayers, partsOf } from '../../../renderer/views/fit/model/bars.ts';
import { occupancyOf, phaseLabels } from '../../../renderer/views/fit/model/occupancy.ts';
import { changesFor, shownValue, whatIfsFor, withoutChange } from '../../../renderer/views/fit/model/whatIfs.ts';

const registry = builtInRegistry();
const config = { ...registry.defaults, 'model.positions': 'rotary' };
const enumOf = (name: string): readonly string[] => {
  const { type } = registry.get(name)!;
  return type.kind === 'enum' ? type.values : [];
};
const fixed = fixedVocabularies(builtInCatalog);
const whatIfs = whatIfsFor(config, enumOf('precision.policy'), enumOf('optimizer.kind'), fixed);

it('sliders keep their ends while they are dragged (would catch a depth that runs away under the pointer)', () => {
  const dragged = { ...config, 'model.depth': 31, 'model.context': 2048, 'model.width': 1024 };
  const policies = enumOf('precision.policy');
  for (const each of whatIfsFor(dragged, policies, enumOf('optimizer.kind'), fixed, config)) {
    const before = whatIfs.find(({ name }) => name === each.name)!;
    if (each.control === 'slider') expect([each.name, each.values.at(-1)]).toEqual([each.name, before.values.at(-1)]);
    expect(each.values).toContain(shownValue(each.name, dragged, fixed));
  }
});

describe('what-ifs', () => {
  it('goes through values that obey the rules between sizes only (would catch a slider that ends in a refusal)', () => {
    for (const { name, values } of whatIfs) {
      for (const value of values) {
        const next = { ...config, ...changesFor(name, value, config, fixed) };
        const found = builtInCatalog.check(next).problems.map(({ message }) => message);
        expect(found, `${name} = ${String(value)}`).toEqual([]);
      }
    }
  });

  it('has the present value among the choices and comes back to it without a trace', () => {
    for (const { name, values } of whatIfs) {
      const now = shownValue(name, config, fixed);
      expect(values, name).toContain(now);
      const other = values.find((value) => value !== now)!;
      const next = { ...config, ...changesFor(name, other, config, fixed) };
      expect(shownValue(name, next, fixed), name).toBe(other);
      expect(withoutChange(changesFor(name, other, config, fixed), name)).toEqual({});
    }
  });

  it('writes the whole batch at once as 0, as the settings have it', () => {
    expect(changesFor('batch.micro', 32, config, fixed)).toEqual({ 'batch.micro': 0 });
    expect(changesFor('batch.micro', 8, config, fixed)).toEqual({ 'batch.micro': 8 });
    expect(batchSentence(256, 48)).toBe('256 = 48 × 5 + 16');
    expect(batchSentence(32, 32)).toBe('32 at once');
  });
});

describe('bars', () => {
  it('shows every byte once (would catch a category that is left out of the sum)', () => {
    const categories = {
      parameters: 10,
      'saved activations': 50,
      gradients: 10,
      'gaps between buffers': 3,
      'engine process': 7,
      novel: 1,
      none: 0,
    };
    const parts = partsOf(categories, ['engine process']);
    expect(parts.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(81);
    expect(parts.map(({ name }) => name).slice(0, 2)).toEqual(['parameters', 'gradients']);
    expect(parts.slice(-2).every(({ color }) => color === null)).toBe(true);
  });

  it('folds equal blocks that follow each other, and no others', () => {
    const layer = (name: string, bytes: number) => ({ layer: name, persistentBytes: bytes, temporaryBytes: 1 });
    const folded = foldLayers([
      layer('embedding', 5),
      layer('block 0', 5),
      layer('block 1', 5),
      layer('block 2', 5),
      layer('block 3', 6),
    ]);
    expect(folded.map(({ layer: name, times }) => [name, times])).toEqual([
      ['embedding', 1],
      ['blocks 0–2, each', 3],
      ['block 3', 1],
    ]);
  });
});

describe('occupancy', () => {
  const program = (
    name: string,
    repeats: number,
    points: readonly number[],
    phases: readonly { name: string; from: number }[],
  ) => ({
    name,
    rows: 1,
    repeats,
    arenaBytes: Math.max(...points) + 1,
    heldBytes: Math.max(...points),
    points: Float64Array.from(points),
    phases,
  });

  it('draws the programs of a step in order with their phases, and marks the peak of all', () => {
    const found = occupancyOf([
      program(
        'accumulate-first',
        1,
        [1, 5, 9, 4],
        [
          { name: 'forward', from: 0 },
          { name: 'backward', from: 2 },
        ],
      ),
      program('update', 1, [2, 2], []),
    ]);
    expect(found.phases.map(({ label }) => label)).toEqual(['forward', 'backward', 'update']);
    expect(found.peak?.bytes).toBe(9);
    expect(found.arenaBytes).toBe(10);
    const xs = found.points.map(([x]) => x);
    expect([...xs].sort((a, b) => a - b)).toEqual(xs);
    expect(xs.at(-1)).toBeCloseTo(1, 10);
    const backward = found.phases[1];
    expect(found.peak!.x).toBeGreaterThan(backward.from);
    expect(found.peak!.x).toBeLessThan(backward.to);
  });

  it('survives a report without programs', () => {
    expect(occupancyOf([])).toEqual({ points: [], phases: [], peak: null, arenaBytes: 0 });
  });
});

describe('names of phases', () => {
  const widthOf = (text: string) => 6 * text.length;
  const phase = (label: string, from: number, to: number) => ({ label, program: '', from, to });
  const phases = [
    phase('forward', 0, 0.2),
    phase('loss', 0.2, 0.21),
    phase('backward', 0.21, 0.5),
    phase('forward', 0.51, 0.61),
    phase('backward', 0.61, 1),
  ];
  it('are all of them whole where there is room, and a sliver has none', () =>
    expect(phaseLabels(phases, 500, widthOf)).toEqual(['forward', '', 'backward', 'forward', 'backward']));
  it('are short in all phases of a name or in none (would catch a second "forward" that drops out beside the first)', () => {
    expect(phaseLabels(phases, 300, widthOf)).toEqual(['fwd', '', 'backward', 'fwd', 'backward']);
    expect(phaseLabels(phases, 200, widthOf)).toEqual(['fwd', '', 'backward', 'fwd', 'backward']);
    expect(phaseLabels(phases, 150, widthOf)).toEqual(['fwd', '', 'bwd', '', 'bwd']);
  });
});
