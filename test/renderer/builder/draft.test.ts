import { describe, expect, it } from 'vitest';
import { EMPTY_DRAFT, readDraft } from '../../../preload/contract/draft.ts';
import type { SettingSpec } from '../../../preload/contract/settings.ts';
import {
  addValue,
  fieldOf,
  isSwept,
  replaceValue,
  setFixed,
  setMetric,
  setParameter,
  setValues,
  sweptNames,
  withoutEarlyEnd,
} from '../../../renderer/stores/draft/draft.ts';
import { commit, historyOf, redo, undo } from '../../../renderer/stores/draft/history.ts';
import { nudge } from '../../../renderer/views/builder/model/nudge.ts';
import { formatSeeds, parseSeeds, repeatedSeeds } from '../../../preload/shared/sweeps/seeds.ts';
import { formatValue } from '../../../preload/shared/settings/values.ts';
import { readTyped, typedValue } from '../../../renderer/stores/draft/values.ts';

const base = { 'model.depth': 4, 'optimizer.lr': 0.001, 'stop.steps': 500, 'model.mlp': 'gelu' };
const spec = (name: string, type: SettingSpec['type'], fallback: SettingSpec['default'] = 0): SettingSpec => ({
  name,
  type,
  default: fallback,
  help: '',
  question: 'capacity',
});
const depth = spec('model.depth', { kind: 'int', min: 1, max: 512 }, 4);
const lr = spec('optimizer.lr', { kind: 'float', min: 0, exclusiveMin: true }, 0.001);

describe('the metric of a draft', () => {
  it('comes back from storage, and goes when it is as usual again', () => {
    const metric = { name: 'val/accuracy', goal: 'maximize' as const };
    const draft = setMetric(EMPTY_DRAFT, metric);
    expect(readDraft(JSON.parse(JSON.stringify(draft)))).toEqual(draft);
    expect(setMetric(draft, undefined)).toEqual(EMPTY_DRAFT);
    expect(readDraft({ metric: { name: 4 }, earlyTerminate: 3 })).toEqual(EMPTY_DRAFT);
  });
  it('keeps the rule for early ends until somebody takes it out (a dropped rule would train a file otherwise than it says)', () => {
    const early = { ...EMPTY_DRAFT, earlyTerminate: { type: 'hyperband' as const, min_iter: 3, eta: 3, strict: true } };
    expect(readDraft(early)).toEqual(early);
    expect(withoutEarlyEnd(early)).toEqual(EMPTY_DRAFT);
  });
});

describe('the draft', () => {
  it('becomes swept by a second value and fixed again by its removal (would catch lists of one that run as sweeps)', () => {
    const swept = addValue(EMPTY_DRAFT, 'model.depth', 8, base);
    expect(swept.parameters).toEqual({ 'model.depth': { values: [4, 8] } });
    expect(swept.settings).toEqual({});
    expect(isSwept(fieldOf(swept, 'model.depth', base))).toBe(true);
    const one = setValues(swept, 'model.depth', [8], base);
    expect(one.parameters).toEqual({});
    expect(one.settings).toEqual({ 'model.depth': 8 });
  });

  it('never has a setting in both records (would catch a fixed value that the plan takes against the list)', () => {
    const draft = setParameter(setFixed(EMPTY_DRAFT, 'model.depth', 6, base), 'model.depth', {
      distribution: 'int_uniform',
      min: 2,
      max: 8,
    });
    expect(draft.settings).toEqual({});
    const back = setFixed(draft, 'model.depth', 6, base);
    expect(back.parameters).toEqual({});
    expect(back.settings).toEqual({ 'model.depth': 6 });
  });

  it('forgets a value that the recipe has anyway, but not an asked-for stop.steps (would catch the default stepping aside)', () => {
    expect(setFixed(EMPTY_DRAFT, 'model.depth', 4, base).settings).toEqual({});
    expect(setFixed(EMPTY_DRAFT, 'stop.steps', 500, base).settings).toEqual({ 'stop.steps': 500 });
  });

  it('replaces a value in its place, without twins (would catch duplicates after editing a chip)', () => {
    const draft = setValues(EMPTY_DRAFT, 'model.depth', [2, 4, 8], base);
    expect(replaceValue(draft, 'model.depth', 4, 6, base).parameters['model.depth'].values).toEqual([2, 6, 8]);
    expect(replaceValue(draft, 'model.depth', 4, 8, base).parameters['model.depth'].values).toEqual([2, 8]);
  });

  it('keeps the condition of a parameter when its values change (would catch a lost `when`)', () => {
    const draft = setParameter(EMPTY_DRAFT, 'model.depth', { values: [2, 4], when: 'model.mlp == "gelu"' });
    expect(setValues(draft, 'model.depth', [2, 4, 8], base).parameters['model.depth'].when).toBe('model.mlp == "gelu"');
  });

  it('names what is swept in the order of the plan, constants left out', () => {
    const draft = setParameter(setValues(EMPTY_DRAFT, 'optimizer.lr', [1e-3, 1e-2], base), 'model.depth', { value: 6 });
    expect(sweptNames(draft)).toEqual(['optimizer.lr']);
  });
});

describe('what is typed', () => {
  it('splits numbers, and knows one number with a separator (would catch 1,024 read as 1 and 24)', () => {
    const values = (text: string) => {
      const typed = readTyped(depth, text);
      return typed.kind === 'values' ? typed.values : null;
    };
    expect(values('4, 8,16 32')).toEqual([4, 8, 16, 32]);
    expect(values('64,128')).toEqual([64, 128]);
    expect(values('128,256,512')).toEqual([128, 256, 512]);
    expect(values('1,024')).toEqual([1024]);
    expect(values('10k')).toEqual([10_000]);
    expect(values('')).toEqual([]);
  });

  it('keeps text that is no number, so that nothing typed is lost and the plan can say what is wrong', () => {
    expect(typedValue(lr, '1e-')).toBe('1e-');
    expect(typedValue(lr, '3e-4')).toBe(0.0003);
    expect(typedValue(lr, '−2')).toBe(-2);
    expect(typedValue(lr, '1.1M')).toBe(1_100_000);
  });

  it('reads ranges: integers, logarithmic from a factor of ten on, steps (would catch an even draw of learning rates)', () => {
    expect(readTyped(depth, '2..8')).toEqual({
      kind: 'parameter',
      parameter: { distribution: 'int_uniform', min: 2, max: 8 },
    });
    expect(readTyped(lr, '1e-4..1e-2')).toEqual({
      kind: 'parameter',
      parameter: { distribution: 'log_uniform_values', min: 1e-4, max: 1e-2 },
    });
    expect(readTyped(lr, '0.1..0.5')).toEqual({
      kind: 'parameter',
      parameter: { distribution: 'uniform', min: 0.1, max: 0.5 },
    });
    expect(readTyped(depth, '64..256/64')).toEqual({
      kind: 'parameter',
      parameter: { distribution: 'q_uniform', min: 64, max: 256, q: 64 },
    });
  });

  it('reads back what it shows: line breaks, tabs and backslashes of separators', () => {
    const text = spec('data.separator', { kind: 'string' }, '\n\n');
    for (const value of ['\n\n', 'a\\n', '\t', 'a, b', ''])
      expect(typedValue(text, formatValue(text, value))).toBe(value);
    expect(readTyped(text, 'a, b')).toEqual({ kind: 'values', values: ['a, b'] });
  });

  it('steps to values people would try, within the bounds', () => {
    expect(nudge(depth, 4, 1)).toBe(5);
    expect(nudge(depth, 1, -1)).toBe(1);
    expect(nudge(depth, 64, 1)).toBe(72);
    expect(nudge(depth, 64, -1)).toBe(60);
    expect(nudge(depth, 512, 1)).toBe(512);
    expect(nudge(lr, 0.001, 1)).toBe(0.002);
    expect(nudge(lr, 0.002, 1)).toBe(0.005);
    expect(nudge(lr, 0.001, -1)).toBe(0.0005);
  });

  it('reads seeds as a count, a list or a range, and not half a list as a count', () => {
    expect(parseSeeds('3')).toBe(3);
    expect(parseSeeds('1, 7 42')).toEqual([1, 7, 42]);
    expect(parseSeeds('7,')).toEqual([7]);
    expect(parseSeeds('5..7')).toEqual([5, 6, 7]);
    expect(parseSeeds('1 1')).toEqual([1]);
    expect(repeatedSeeds('1 1, 7 01')).toBe('2 seeds given twice or more: each is taken once');
    for (const text of ['1, 7', '3', '5..7', '', 'x']) expect(repeatedSeeds(text)).toBeUndefined();
    expect(parseSeeds('')).toBeNull();
    expect(parseSeeds('0')).toBeNull();
    expect(parseSeeds('-1')).toBeNull();
    expect(parseSeeds('three')).toBeNull();
    for (const seeds of [3, [7], [1, 7, 42]]) expect(parseSeeds(formatSeeds(seeds))).toEqual(seeds);
  });
});

describe('undo', () => {
  it('joins keystrokes of one field and takes them back together; other fields are steps of their own', () => {
    let history = historyOf(0);
    history = commit(history, 1, 'a', 1000);
    history = commit(history, 2, 'a', 1300);
    history = commit(history, 3, 'b', 1400);
    history = commit(history, 4, 'b', 9000);
    expect(history.past).toEqual([0, 2, 3]);
    history = undo(undo(history));
    expect(history.present).toBe(2);
    history = undo(history);
    expect(history.present).toBe(0);
    expect(undo(history)).toBe(history);
    history = redo(redo(redo(history)));
    expect(history.present).toBe(4);
    expect(redo(history)).toBe(history);
  });

  it('drops the future at a new change, and never joins across an undo', () => {
    let history = commit(commit(historyOf(0), 1, 'a', 0), 2, 'b', 10);
    history = commit(undo(history), 5, 'a', 20);
    expect(history.future).toEqual([]);
    expect(undo(history).present).toBe(1);
  });
});
