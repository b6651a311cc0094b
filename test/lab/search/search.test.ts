import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Catalog, SECTIONS } from '../../../main/engine/catalog.ts';
import { searchFamily } from '../../../main/lab/search/index.ts';
import { listedValues } from '../../../main/lab/search/listed.ts';
import type { SearchKind, SearchSpace, Tried } from '../../../main/lab/search/search.ts';
import { defineSearch, proposals } from '../../../main/lab/search/search.ts';
import { builtInRegistry, listRecipes, SettingsRegistry } from '../../../main/lab/settings/index.ts';
import { parseSweep, planSweep } from '../../../main/lab/sweeps/index.ts';
import { random as randomNumbers, SEED } from '../../oracles/random.ts';
import type { Random } from '../../oracles/random.ts';

const registry = builtInRegistry();
const recipes = await listRecipes();
const [grid, random] = searchFamily.kinds;

interface Earlier {
  readonly file: string;
  readonly settings: readonly string[];
  readonly seeds: readonly number[];
  readonly dropped: readonly string[];
  readonly duplicates: number;
  readonly combinations: number;
}
/** Made by the version before methods were kinds; each key is a hash of the exact values. */
const EARLIER = JSON.parse(readFileSync(new URL('../sweeps/earlierPlans.json', import.meta.url), 'utf8')) as Record<
  string,
  Earlier
>;

describe('plans', () => {
  it.each(Object.keys(EARLIER))(
    'are those of the version before: %s (would catch another draw, order or drop)',
    (name) => {
      const { file, ...wanted } = EARLIER[name]!;
      const { sweep } = parseSweep(file);
      const { settings, seeds, dropped, duplicates, combinations, problems } = planSweep({
        registry,
        sweep: sweep!,
        recipes,
      });
      expect(problems).toEqual([]);
      const keys = settings.map(({ key }) => key);
      expect({ settings: keys, seeds, dropped: dropped.map(({ label }) => label), duplicates, combinations }).toEqual(
        wanted,
      );
    },
  );
});

/** Everything that a method proposes, asked for in pieces of random length. */
function inPieces(method: SearchKind, space: SearchSpace, most: number, numbers: Random): unknown[] {
  const tried: Tried[] = [];
  while (tried.length < most) {
    const n = numbers.integer(1, 7);
    const found = [...method.propose(space, tried, n)];
    expect(found.length).toBeLessThanOrEqual(n);
    tried.push(...found.map((values) => ({ values })));
    if (found.length < n) break;
  }
  return tried.slice(0, most).map(({ values }) => values);
}

it(`listed steps are min + k·q without the dust of sums, seed ${SEED} (would catch 3.55e-15 for 0)`, () => {
  const numbers = randomNumbers();
  for (let round = 0; round < 400; round++) {
    // In hundredths, so that the right values follow from integers.
    const [q, min] = [numbers.integer(1, 400), numbers.integer(-2000, 500)];
    const max = min + numbers.integer(1, 40 * q);
    const wanted: number[] = [];
    for (let x = min; x < max; x += q) wanted.push(x / 100);
    const d = { kind: 'q_uniform', min: min / 100, max: max / 100, q: q / 100 } as const;
    expect(listedValues(d), JSON.stringify(d)).toEqual(wanted);
  }
  expect(listedValues({ kind: 'q_uniform', min: -18.8, max: 3.76, q: 3.76 })).toContain(0);
});

describe('a method', () => {
  it(`goes on where it was asked last, seed ${SEED} (would catch a combination left out or twice between two questions)`, () => {
    const numbers = randomNumbers();
    for (let round = 0; round < 30; round++) {
      const parameters = Array.from({ length: numbers.integer(0, 3) }, (_, i) => ({
        name: `p${i}`,
        distribution: {
          kind: 'categorical' as const,
          values: Array.from({ length: numbers.integer(1, 5) }, (__, k) => k * 10 + i),
        },
      }));
      const space = { parameters, seed: round };
      // Columns nested as loops are: an order that shares nothing with the method's arithmetic.
      const all = parameters.reduce<number[][]>(
        (rows, { distribution }) => rows.flatMap((row) => distribution.values.map((value) => [...row, value])),
        [[]],
      );
      expect(inPieces(grid!, space, Infinity, numbers)).toEqual(all);
      expect([...proposals(grid!, space)]).toEqual(all);
      expect(grid!.size!(space)).toBe(all.length);
      if (parameters.length === 0) continue;
      const first: unknown[] = [];
      for (const values of proposals(random!, space)) if (first.push(values) === 200) break;
      expect(inPieces(random!, space, 200, numbers)).toEqual(first);
    }
  });

  it('of a plug-in is planned like the built-in ones, and may say what it cannot take (would catch a name by hand)', () => {
    /** Each parameter alone, the others as in the base: its first value. */
    const oneByOne = defineSearch({
      name: 'one-by-one',
      label: 'One by one',
      help: 'Varies one setting at a time.',
      draws: false,
      propose({ parameters }, tried, n) {
        const lists = parameters.map(({ distribution }) => listedValues(distribution)!);
        const first = lists.map(([value]) => value!);
        const rest = lists.flatMap((list, i) => list.slice(1).map((value) => first.with(i, value)));
        return [first, ...rest].slice(tried.length, tried.length + n);
      },
      check: (spec, { kind }) =>
        kind === 'categorical'
          ? undefined
          : { code: 'not_listed', setting: spec.name, value: kind, allowed: 'values', message: 'only lists' },
    });
    const catalog = new Catalog([{ file: 'mine.ts', kinds: [oneByOne] }], [...SECTIONS, searchFamily]);
    const mine = new SettingsRegistry(catalog);
    const text =
      'method: one-by-one\nrecipe: quick\nparameters:\n  model.depth: { values: [1, 2, 3] }\n  model.width: ';
    const plan = (width: string) => {
      const { sweep, problems } = parseSweep(`${text}${width}\n`, 'x.yaml', ['grid', 'one-by-one']);
      expect(problems).toEqual([]);
      return planSweep({ registry: mine, sweep: sweep!, recipes });
    };
    expect(plan('{ values: [32, 64] }').settings.map(({ label }) => label)).toEqual([
      'depth=1 width=32',
      'depth=2 width=32',
      'depth=3 width=32',
      'depth=1 width=64',
    ]);
    expect(plan('{ min: 32, max: 64 }').problems).toMatchObject([{ code: 'not_listed', setting: 'model.width' }]);
    // Elsewhere it does not exist.
    const { problems } = parseSweep(`${text}{ values: [32] }`);
    expect(problems).toMatchObject([{ setting: 'method', value: 'one-by-one', where: 'sweep.yaml:1:1' }]);
  });

  const good = { name: 'mine', label: 'Mine', help: 'One.', draws: true, propose: () => [] };
  it.each([
    [{ ...good, label: '' }, 'search mine: label is missing'],
    [{ ...good, draws: undefined as never }, 'search mine: draws must be true or false'],
    [{ ...good, propose: 3 as never }, 'search mine: propose must be a function'],
    [{ ...good, size: 3 as never }, 'search mine: size must be a function'],
    [{ ...good, derived: [] }, 'search mine: derived belongs to kinds that runs choose'],
  ])('that cannot work is refused by name: %#', (given, message) => {
    expect(() => defineSearch(given)).toThrow(message);
  });
});
