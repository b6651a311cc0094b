import { describe, expect, it } from 'vitest';
import {
  defaultState,
  lookOf,
  stateFromText,
  stateText,
  unpackState,
} from '../../../renderer/charts/board/boardState.ts';
import { layoutHistory } from '../../../renderer/charts/board/history.ts';
import { toggleWord } from '../../../preload/shared/runFilter.ts';

describe('what one chart does otherwise', () => {
  it('replaces the choices of the board; a logarithm belongs to the x for which it was chosen', () => {
    const state = { ...defaultState(), x: 'tokens', xLog: true, smoothing: 0.9 };
    expect(lookOf(state, {})).toEqual({ x: 'tokens', xLog: true, yLog: false, smoothing: 0.9, outliers: false });
    expect(lookOf(state, { x: 'lr', smoothing: 0 })).toMatchObject({ x: 'lr', xLog: false, smoothing: 0 });
    expect(lookOf(state, { x: 'lr', xLog: true })).toMatchObject({ xLog: true });
  });
  it('comes back from the address, and nonsense in it does no harm', () => {
    const state = { ...defaultState(), facet: 'model.depth', charts: { 'val/loss': { x: 'tokens', yLog: true } } };
    expect(stateFromText(stateText(state))).toEqual(state);
    const { charts } = unpackState({ charts: { a: { x: 3, smoothing: 2, yLog: 'yes', large: true }, b: null } });
    expect(charts).toEqual({ a: { large: true }, b: {} });
  });
});

describe('the way back', () => {
  it('takes changes back one by one, a dragged slider as one', () => {
    const history = layoutHistory();
    history.restart('');
    expect(history.undo()).toBeUndefined();
    history.record('x', 1000);
    for (const at of [5000, 5100, 5200]) history.record(`x smooth ${at}`, at);
    expect(history.undo()).toBe('x');
    // What undoing wrote is no change of its own.
    history.record('x', 6000);
    expect(history.undo()).toBe('');
    expect(history.canUndo.value).toBe(false);
  });
  it('does not reach into another board', () => {
    const history = layoutHistory();
    history.restart('a');
    history.record('b', 0);
    history.restart('c');
    expect(history.undo()).toBeUndefined();
  });
});

describe('a chip of a tag', () => {
  it('adds its word to the search, and takes it away', () => {
    expect(toggleWord('lr>1e-3', 'tag:base')).toBe('lr>1e-3 tag:base');
    expect(toggleWord('tag:base  lr>1e-3', 'tag:base')).toBe('lr>1e-3');
  });
});
