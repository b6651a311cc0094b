/** What leaves a chart says what it is: pictures, files of numbers, tables; and what a list of groups is called. */
import { describe, expect, it } from 'vitest';
import {
  defaultState,
  packState,
  stateFromText,
  stateText,
  unpackState,
} from '../../../preload/charts/board/boardState.ts';
import { figureNotes } from '../../../preload/charts/board/chartModel.ts';
import { tableOf } from '../../../renderer/charts/board/chartTable.ts';
import { averagingNotes, boardGroups, labelSettings } from '../../../preload/charts/board/groups.ts';
import type { BoardGroup } from '../../../preload/charts/board/groups.ts';
import { zoomFromText, zoomText } from '../../../renderer/charts/board/keepZoom.ts';
import { csvOf } from '../../../preload/charts/draw/csv.ts';
import { absentItem, labelPlace } from '../../../preload/charts/draw/lineOption.ts';
import type { DrawnLine, LineModel } from '../../../preload/charts/draw/model.ts';
import type { RunRecord } from '../../../preload/contract/runs.ts';

const line = (id: string, x: number[], y: number[], more: Partial<DrawnLine> = {}): DrawnLine => ({
  id,
  group: id,
  label: id,
  color: '',
  x: Float64Array.from(x),
  y: Float64Array.from(y),
  increasing: true,
  ...more,
});
const mean = (id: string, n: number[]): DrawnLine =>
  line(
    id,
    n.map((_, i) => i),
    n.map(() => 2),
    {
      n: Uint32Array.from(n),
      runs: Math.max(...n),
      low: Float64Array.from(n, () => 1.5),
      high: Float64Array.from(n, () => 2.5),
    },
  );
const model = (lines: readonly DrawnLine[]): LineModel => ({
  lines,
  x: { label: 'step', log: false, min: 0, max: 10 },
  y: { label: 'loss', log: false, min: 0, max: 10 },
  references: [],
  notes: [],
  outside: [],
});

describe('a figure', () => {
  it('states band, N and smoothing', () => {
    expect(figureNotes({ lines: [mean('a', [3, 3]), mean('b', [3, 2])] }, 'sd', 0.8)).toEqual([
      'lines: means, bands: ± sd (n − 1), N 2–3',
      'smoothed: exponential average of weight 0.80',
    ]);
    expect(figureNotes({ lines: [mean('a', [4])] }, 'none', 0)).toEqual(['lines: means, N 4']);
    expect(figureNotes({ lines: [mean('a', [1])] }, 'sd', 0)).toEqual(['lines: means, N 1']);
    expect(figureNotes({ lines: [line('a', [1], [2])] }, 'sd', 0)).toEqual([]);
  });
  it('says the same in each row of its numbers', () => {
    const text = csvOf([{ title: '', model: model([mean('a', [3])]) }], ['N 3', 'smoothed']);
    expect(text.trim().split(/\r?\n/u)).toEqual([
      'line,step,loss,raw,low,high,n,note',
      'a,0,2,,1.5,2.5,3,N 3 · smoothed',
    ]);
  });
});

describe('the table behind a chart', () => {
  it('has a row for each x that is shown and was measured, and a column for each line', () => {
    const { heads, rows, points } = tableOf(model([line('a', [0, 5, 99], [3, 2.5, 1]), mean('b', [3, 3])]));
    expect(heads).toEqual(['step', 'a', 'b']);
    expect(rows).toEqual([
      ['0', '3.000', '2.00 ± 0.50'],
      ['1', '', '2.00 ± 0.50'],
      ['5', '2.500', ''],
    ]);
    expect(points).toBe(3);
  });
  it('of many points keeps both ends', () => {
    const many = Array.from({ length: 1001 }, (_, i) => i / 100);
    const { rows, points } = tableOf(model([line('a', many, many)]));
    expect([points, rows[0][0], rows.at(-1)![0], rows.length <= 202]).toEqual([1001, '0', '10', true]);
  });
});

describe('the label of a reference', () => {
  const scales = {
    x: { min: 0, max: 10, log: false, from: 50, to: 450 },
    y: { min: 0, max: 10, log: false, from: 200, to: 0 },
  };
  const places = (y: number[]): string => {
    const { right, above } = labelPlace(
      [
        line(
          'a',
          y.map((_, i) => (10 * i) / (y.length - 1)),
          y,
        ),
      ],
      scales,
      100,
      100,
    );
    return `${right ? 'right' : 'left'} ${above ? 'above' : 'below'}`;
  };
  it('stands where it hides none of the data', () => {
    // The line is at 100 px, value 5; curves run close above or below it on one side.
    expect(places([9, 9, 9, 9, 5.5, 5.5, 5.5])).toBe('left above');
    expect(places([5.5, 5.5, 5.5, 5.5, 9, 9, 9])).toBe('right above');
    // Between two points far apart the curve passes above the line on the right: no point of it lies there.
    expect(places([1, 6])).toBe('left above');
    expect(places([6, 1])).toBe('right above');
    expect(places([5.5, 5.5, 5.5, 5.5, 5.5, 5.5, 5.5])).toBe('right below');
    expect(places([9, 9, 9])).toBe('right above');
  });
});

describe('groups of a board', () => {
  const run = (id: string, color: number, config: Record<string, number | string>, seed = 1): RunRecord =>
    ({
      id,
      name: id,
      color,
      config: { ...config, seed },
      seed,
      sweepId: 's',
      settingKey: JSON.stringify(config),
      summary: {},
      state: 'finished',
    }) as unknown as RunRecord;
  const groupsOf = (
    runs: readonly RunRecord[],
    groupBy = 'setting',
    sweepName?: (id: string) => string,
  ): BoardGroup[] =>
    boardGroups(runs, {
      ...(sweepName === undefined ? {} : { sweepName }),
      groupBy,
      colorBy: 'group',
      surface: 'light',
      metric: 'val/loss',
      goal: 'minimize',
      settings: labelSettings(runs),
    });
  it('are told apart by values alone where the names stand above (would catch names that push the values out of sight)', () => {
    const runs = [
      run('a', 0, { 'model.norm': 'layernorm', 'optimizer.lr': 0.001 }),
      run('b', 1, { 'model.norm': 'rmsnorm', 'optimizer.lr': 0.01 }),
    ];
    expect(groupsOf(runs).map(({ values }) => values)).toEqual(['layernorm · 0.001', 'rmsnorm · 0.01']);
    expect(groupsOf(runs, 'none')[0].values).toBe('layernorm · 0.001 · seed 1');
  });
  it('of one colour differ by dashes (would catch the eleventh line that looks like the first)', () => {
    const runs = Array.from({ length: 12 }, (_, i) => run(`r${i}`, i, { 'optimizer.lr': i }));
    const groups = groupsOf(runs);
    expect(groups[10].color).toBe(groups[0].color);
    expect(groups.map(({ cycle }) => cycle)).toEqual([
      ...Array.from({ length: 5 }, () => undefined),
      1,
      1,
      1,
      1,
      1,
      2,
      2,
    ]);
  });
  it('of several sweeps are told apart, by their sweep and by dashes (would catch four blue lines of one name)', () => {
    const of = (sweepId: string, more: RunRecord): RunRecord => ({ ...more, sweepId });
    const runs = ['s', 't', 'u'].flatMap((sweepId) => [
      of(sweepId, run(`${sweepId}1`, 0, { 'optimizer.lr': 0.1 })),
      of(sweepId, run(`${sweepId}2`, 1, { 'optimizer.lr': sweepId === 'u' ? 0.3 : 0.2 })),
    ]);
    const names = { s: 'rates', t: 'rates', u: 'more' };
    const groups = groupsOf(runs, 'setting', (id) => names[id as 's']);
    expect(groups.map(({ label }) => label)).toEqual([
      'lr 0.1 · rates s',
      'lr 0.2 · rates s',
      'lr 0.1 · rates t',
      'lr 0.2 · rates t',
      'lr 0.1 · more',
      'lr 0.3',
    ]);
    expect(groups.map(({ cycle }) => cycle)).toEqual([undefined, undefined, 1, 1, 2, 2]);
    const alone = groupsOf(runs, 'none');
    expect(alone[0].label).toBe('lr 0.1 · seed 1 · s');
    expect(new Set(alone.map(({ label }) => label)).size).toBe(runs.length);
  });
  it('of many settings begin with those of the most values (would catch rows that are cut before they differ)', () => {
    const runs = Array.from({ length: 8 }, (_, i) =>
      run(`r${i}`, i, { 'data.corpus': `c${i % 2}`, 'eval.tokens': i % 3, 'model.depth': i % 4, 'optimizer.lr': i }),
    );
    expect(labelSettings(runs)).toEqual(['optimizer.lr', 'model.depth', 'eval.tokens', 'data.corpus']);
    expect(groupsOf(runs)[5].values).toBe('5 · 1 · 2 · c1');
  });
  it('that are means over other settings too say so, and whether over all the same', () => {
    const runs = [1, 2].flatMap((lr) =>
      [16, 64].map((width) => run(`${lr} ${width}`, 0, { 'optimizer.lr': lr, 'model.width': width })),
    );
    expect(averagingNotes(groupsOf(runs, 'model.width'), 'model.width')).toEqual(['mean over seeds and optimizer.lr']);
    expect(averagingNotes(groupsOf(runs.slice(1), 'model.width'), 'model.width')).toEqual([
      'mean over seeds and optimizer.lr; not balanced: lines have unequal shares of optimizer.lr',
    ]);
    expect(averagingNotes(groupsOf(runs), 'setting')).toEqual([]);
  });
});

describe('what stands in the address', () => {
  it('a zoom comes back as it was, and nonsense is no zoom', () => {
    const zoom = { x: 'setting:a,b', min: -1.5, max: 2000 };
    expect(zoomFromText(zoomText(zoom))).toEqual(zoom);
    for (const text of ['', 'a,b,step', '5,5,step', '9,1,step', '1,2', '1,Infinity,step'])
      expect(zoomFromText(text)).toBeUndefined();
  });
  it('search, state and order of the list come back; unknown ones are left out', () => {
    const state = { ...defaultState(), search: 'lr=0.003 "long run"', only: 'failed' as const, sort: 'value' as const };
    expect(stateFromText(stateText(state))).toEqual(state);
    expect(unpackState({ only: 'lost', sort: 7, search: 3 })).toEqual(defaultState());
    expect(packState(defaultState())).toEqual({});
  });
});

describe('the words at an x without a number', () => {
  const scales = {
    x: { min: 0, max: 10, log: false, from: 50, to: 450 },
    y: { min: 0, max: 10, log: false, from: 200, to: 0 },
  };
  const foot = (y: number): number => {
    const lines = [line('a', [5], [y])];
    const { children } = absentItem({ absent: [{ x: 5, label: '1 of 1 failed' }], lines }, scales, {} as never, 0) as {
      children: { type: string; y: number }[];
    };
    return children.find(({ type }) => type === 'text')!.y;
  };
  it('stand above a point that they would hide (would catch words over the lowest point)', () => {
    expect(foot(9)).toBe(184);
    // The point lies at 176 px, within the usual 168 to 184.
    expect(foot(1.2)).toBe(168);
  });
});
