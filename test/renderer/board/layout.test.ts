import { describe, expect, it } from 'vitest';
import { layoutHistory } from '../../../renderer/charts/board/history.ts';

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
