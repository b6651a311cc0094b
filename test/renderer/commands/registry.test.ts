import { effectScope } from 'vue';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  addCommands,
  allCommands,
  findCommands,
  runCommand,
  useCommands,
} from '../../../renderer/stores/keys/registry.ts';
import type { Command } from '../../../renderer/stores/keys/registry.ts';
import { chordOf, createMatcher, keyLabels } from '../../../renderer/stores/keys/chords.ts';

const command = (id: string, more: Partial<Command> = {}): Command => ({
  id,
  title: id,
  section: 'Test',
  run: () => undefined,
  ...more,
});

const undo: (() => void)[] = [];
const add = (list: Command[]): (() => void) => {
  const remove = addCommands(list);
  undo.push(remove);
  return remove;
};
afterEach(() => {
  for (const remove of undo.splice(0).reverse()) remove();
  expect(allCommands.value).toEqual([]);
});

describe('the registry', () => {
  it('gives back the command that a view had hidden', () => {
    const first = vi.fn();
    const second = vi.fn();
    add([command('run.stop', { run: first })]);
    const remove = add([command('run.stop', { run: second })]);
    runCommand('run.stop');
    remove();
    runCommand('run.stop');
    expect([first.mock.calls.length, second.mock.calls.length]).toEqual([1, 1]);
  });

  it('leaves the newer command alone when the older view goes last', () => {
    const removeOld = add([command('a')]);
    const run = vi.fn();
    add([command('a', { run })]);
    removeOld();
    expect(runCommand('a')).toBe(true);
    expect(run).toHaveBeenCalledOnce();
  });

  it('forgets the commands of a view that is gone', () => {
    const scope = effectScope();
    scope.run(() => useCommands([command('view.only')]));
    expect(allCommands.value.map(({ id }) => id)).toEqual(['view.only']);
    scope.stop();
    expect(allCommands.value).toEqual([]);
  });

  it('does not run what is disabled', () => {
    const run = vi.fn();
    add([command('queue.pause', { enabled: () => false, run })]);
    expect(runCommand('queue.pause')).toBe(false);
    expect(run).not.toHaveBeenCalled();
  });
});

describe('finding', () => {
  const list = [
    command('1', { title: 'Pause the queue' }),
    command('2', { title: 'Go to sweeps' }),
    command('3', { title: 'Compact or normal rows', also: 'density' }),
    command('4', { title: 'quick start', section: 'Sweep' }),
  ];
  const ids = (query: string): string[] => findCommands(query, list).map(({ id }) => id);

  it('puts what begins with the words first', () => expect(ids('qu')).toEqual(['4', '1']));
  it('finds by initials', () => expect(ids('gts')).toEqual(['2']));
  it('finds by other words', () => expect(ids('density')).toEqual(['3']));
  it('does not find scattered letters', () => expect(ids('ptqe')).not.toContain('3'));
  it('keeps the order without a query', () => expect(ids('')).toEqual(['1', '2', '3', '4']));
});

describe('keys', () => {
  const press = (key: string, more: object = {}) => ({
    key,
    ctrlKey: false,
    metaKey: false,
    shiftKey: false,
    altKey: false,
    ...more,
  });

  it('are named the same on both systems', () => {
    expect(chordOf(press('k', { ctrlKey: true }), false)).toBe('mod+k');
    expect(chordOf(press('k', { metaKey: true }), true)).toBe('mod+k');
    // Shift is part of typing "?" on most layouts and must not be asked for.
    expect(chordOf(press('?', { shiftKey: true }), false)).toBe('?');
    expect(chordOf(press('R', { shiftKey: true }), false)).toBe('shift+r');
  });

  it('may be two in a row, within their time', () => {
    const list = [command('b', { keys: ['g b'] }), command('n', { keys: ['b'] })];
    const matcher = createMatcher();
    expect(matcher.press('g', 0, list)).toBe('prefix');
    expect(matcher.press('b', 500, list)).toBe(list[0]);
    expect(matcher.press('g', 1000, list)).toBe('prefix');
    expect(matcher.press('b', 9000, list)).toBe(list[1]);
  });

  it('are left alone while someone types who lost the focus (would catch "baseline" that opens a new sweep at its n)', () => {
    const list = [
      command('new', { keys: ['n'] }),
      command('go', { keys: ['g b'] }),
      command('mod', { keys: ['mod+z'] }),
    ];
    const matcher = createMatcher();
    const typed = [...'baseline begb'].map((key, i) =>
      matcher.press(key === ' ' ? 'space' : key, 1000 + 120 * i, list),
    );
    expect(typed.every((found) => found === null)).toBe(true);
    // A key with Ctrl is never text, and after a pause keys are shortcuts again.
    expect(matcher.press('mod+z', 2700, list)).toBe(list[2]);
    expect(matcher.press('n', 9000, list)).toBe(list[0]);
    // Arrows miss without being text.
    expect(matcher.press('arrowdown', 9100, list)).toBeNull();
    expect(matcher.press('n', 9200, list)).toBe(list[0]);
  });

  it('go to the newest enabled command', () => {
    const list = [command('old', { keys: ['s'] }), command('new', { keys: ['s'], enabled: () => false })];
    expect(createMatcher().press('s', 0, list)).toBe(list[0]);
  });

  it('are shown as on the keyboard', () => {
    expect(keyLabels('mod+k', true)).toEqual(['⌘', 'K']);
    expect(keyLabels('g b', false)).toEqual(['G', 'then', 'B']);
    expect(keyLabels('mod++', false)).toEqual(['Ctrl', '+']);
  });
});
