import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routes } from '../../../../preload/contract/api.ts';
import { LIMITS } from '../../../../preload/contract/limits.ts';
import { random, SEED } from '../../../oracles/random.ts';
import { finishing, TestLab } from '../support.ts';
import { sendAmounts } from './amounts.ts';
import { places } from './places.ts';
import { wireOf } from './wire.ts';

const lab = new TestLab();
beforeAll(async () => {
  await lab.open(finishing, { paused: true });
  // The first question finds the devices.
  await wireOf(lab)('sweeps.plan', { draft: {} });
});
afterAll(() => lab.close());

const MANY = 1_000_000;
const list = (length: number, value: unknown): unknown[] => Array.from({ length }, () => value);
const keys = (length: number, value: unknown): object =>
  Object.fromEntries(Array.from({ length }, (_, i) => [`model.depht${i}`, value]));
function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}
const depths = (length: number): object => ({ 'model.depth': { values: list(length, 1) } });

/** What is sent, and what the refusal must name: the limit, so that one can keep to it. */
const REFUSED: readonly (readonly [what: string, route: string, input: () => unknown, allowed: RegExp])[] = [
  ['a million settings', 'settings.check', () => ({ values: keys(MANY, 1) }), /at most 4,194,304/u],
  ['20,000 unknown settings', 'settings.check', () => ({ values: keys(20_000, 1) }), /values.*at most 500/u],
  ['20,000 settings without values', 'settings.check', () => ({ values: keys(20_000, null) }), /at most 500/u],
  ['a million values', 'sweeps.plan', () => ({ draft: { parameters: depths(MANY) } }), /at most 25,000/u],
  ['20,000 values', 'sweeps.plan', () => ({ draft: { parameters: depths(20_000) } }), /values.*at most 10,000/u],
  ['20,000 values as YAML', 'sweeps.toYaml', () => ({ draft: { parameters: depths(20_000) } }), /at most 10,000/u],
  ['9,000 parameters', 'sweeps.launch', () => ({ draft: { parameters: keys(9000, {}) } }), /at most 500/u],
  ['20,000 keys of a draft', 'sweeps.plan', () => ({ draft: keys(20_000, 1) }), /at most 500/u],
  ['a million ids', 'runs.list', () => ({ filter: { ids: list(MANY, 'a') } }), /at most 25,000/u],
  ['20,000 ids', 'export.runs', () => ({ runs: list(20_000, 'a') }), /at most 10,000/u],
  ['a long search', 'runs.list', () => ({ filter: { search: '%_'.repeat(250) } }), /200/u],
  ['many words', 'runs.list', () => ({ filter: { search: '% '.repeat(90) } }), /at most 16/u],
  ['20,000 seeds', 'sweeps.plan', () => ({ draft: { seeds: 20_000 } }), /10000|10,000/u],
  ['a layout 2,000 levels deep', 'views.set', () => ({ key: 'a', value: nested(2000) }), /at most 64/u],
  ['a layout of 20,000 keys', 'views.set', () => ({ key: 'a', value: keys(20_000, 1) }), /at most 500/u],
  ['a layout of 2 MB', 'views.set', () => ({ key: 'a', value: 'x'.repeat(2e6) }), /at most 1,048,576/u],
  ['an unknown route, nested', 'nothing.here', () => nested(2000), /at most 64/u],
  ['a name of 4 MB', 'settings.check', () => ({ values: { ['x'.repeat(3e6)]: 1 } }), /too|values/iu],
  ['a recipe of 4 MB', 'settings.check', () => ({ values: {}, recipe: 'x'.repeat(3e6) }), /4096/u],
  ['numbers for text', 'runs.rename', () => ({ id: 'a', name: list(9000, 1) }), /string/u],
  [
    '2,000 runs with 100,000 points',
    'series.read',
    () => ({ runs: list(2000, 'a'), metric: 'x', maxPoints: 100_000 }),
    /8,000,000/u,
  ],
  ['a million characters to cut', 'data.tokens', () => ({ values: {}, text: 'x'.repeat(MANY) }), /20000/u],
  ['two million characters of YAML', 'sweeps.fromYaml', () => ({ yaml: 'x'.repeat(2 * MANY) }), /1000000/u],
];

it(`a million of anything at any place of any call: one pair in fifty of the long tests' (seed ${SEED})`, async () => {
  const pick = random();
  const tried = await sendAmounts(lab, () => pick() < 0.02);
  expect(tried.length).toBeGreaterThan(30);
});

it('knows every call (would catch places that are read from half of the contract)', () => {
  expect(new Set(places().map(({ route }) => route))).toEqual(new Set(Object.keys(routes)));
  const paths = new Set(places().map(({ route, path }) => `${route} ${path}`));
  for (const path of ['sweeps.plan draft.parameters.*.values.#', 'runs.list filter.where.#.value', 'runs.tag tags.#'])
    expect(paths).toContain(path);
});

describe('too much of anything is refused before it is worked on', () => {
  it.each(REFUSED)('%s', async (_, route, input, allowed) => {
    const call = wireOf(lab);
    const answer = await call(route, input());
    expect(answer).toMatchObject({ ok: false, message: expect.stringMatching(allowed) });
    expect(answer).toHaveProperty('code', expect.stringMatching(/^(input|invalid)$/u));
    expect(answer.cpu).toBeLessThan(200);
    expect(JSON.stringify(answer).length).toBeLessThan(20_000);
  });

  it.each([
    ['seeds', { seeds: 10_000, parameters: { 'model.depth': { values: [1, 2, 3] } } }],
    [
      'draws',
      {
        method: 'random',
        runCap: 1e9,
        parameters: { 'optimizer.lr': { distribution: 'uniform', min: 1e-3, max: 1e-2 } },
      },
    ],
    [
      'combinations',
      { parameters: { 'optimizer.lr': { values: Array.from({ length: 5000 }, (_, i) => 1e-4 + i * 1e-8) } }, seeds: 5 },
    ],
  ])('more runs than a sweep may have, by %s, are said with the limit', async (_, draft) => {
    const { cpu, ...answer } = await wireOf(lab)('sweeps.plan', { draft });
    expect(answer).toMatchObject({
      ok: true,
      value: { problems: [{ message: expect.stringContaining(`at most ${LIMITS.runs} runs`) }] },
    });
    expect(cpu).toBeLessThan(200);
  });

  it('a run_cap that cuts nothing off is no problem (would catch a limit on what costs nothing)', async () => {
    const draft = { runCap: 1e9, parameters: { 'model.depth': { values: [1, 2] } } };
    expect(await wireOf(lab)('sweeps.plan', { draft })).toMatchObject({ ok: true, value: { problems: [], runs: 2 } });
  });

  it.each([
    ['100,000 brackets', '['.repeat(100_000)],
    ['brackets that comments close', `a: ${'[ # ]\n'.repeat(100_000)}`],
    ['100,000 dashes', '- '.repeat(100_000)],
    ['100,000 ends', ']'.repeat(100_000)],
    ['100,000 comments', '#\n'.repeat(200_000)],
    ['90,000 keys', Array.from({ length: 90_000 }, (_, i) => `k${i}: 1`).join('\n')],
    ['20,000 aliases', `a: &a x\n${Array.from({ length: 20_000 }, (_, i) => `k${i}: *a`).join('\n')}`],
    [
      'aliases of aliases',
      [...'bcdefghi'].reduce(
        (text, c, i) => `${text}\n${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`,
        'a: &a [x,x]',
      ),
    ],
  ])('%s of YAML are refused, and others are served meanwhile', async (_, yaml) => {
    const call = wireOf(lab);
    const [answer, other] = await Promise.all([call('sweeps.fromYaml', { yaml }), call('app.info', {})]);
    expect(answer).toMatchObject({ ok: true, value: { draft: null, problems: [{ code: 'yaml' }] } });
    expect(answer.cpu).toBeLessThan(200);
    expect(other.ok).toBe(true);
  });

  it('takes what is just within the limits (would catch limits that people meet)', async () => {
    const call = wireOf(lab);
    const values = Array.from({ length: LIMITS.values }, (_, i) => Number((1e-4 + i * 1e-7).toPrecision(6)));
    const made = await call('sweeps.toYaml', { draft: { parameters: { 'optimizer.lr': { values } } } });
    const { yaml } = (made as { value: { yaml: string } }).value;
    const read = await call('sweeps.fromYaml', { yaml });
    expect(read).toMatchObject({ ok: true, value: { problems: [] } });
    expect((read as { value: { draft: { parameters: object } } }).value.draft.parameters).toEqual({
      'optimizer.lr': { values },
    });
    const layout = { open: nested(50), ids: list(2000, 'run') };
    expect(await call('views.set', { key: 'board', value: layout })).toMatchObject({ ok: true });
    expect(await call('views.get', { key: 'board' })).toMatchObject({ value: { value: layout } });
  });
});
