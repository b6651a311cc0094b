import { describe, expect, it } from 'vitest';
import { listed, seedsOf } from '../../main/cli/valueLists.ts';
import { builtInRegistry } from '../../main/lab/settings/index.ts';

const registry = builtInRegistry();
const values = (name: string, ...texts: string[]): readonly string[] => listed(registry.get(name)!, texts);

describe('values of a flag', () => {
  it.each([
    ['model.depth', ['2,4'], ['2', '4']],
    ['model.depth', ['[2, 4,', '8]'], ['2', '4', '8']],
    ['model.depth', ['[2,4]'], ['2', '4']],
    ['model.width', ['128,256', '512'], ['128', '256', '512']],
    ['optimizer.lr', ['1e-3,3e-3'], ['1e-3', '3e-3']],
    ['optimizer.lr', ['0.001, 0.01'], ['0.001', '0.01']],
    ['optimizer.weight_decay', ['0,1,2'], ['0', '1', '2']],
    ['optimizer.kind', ['adamw,sgd'], ['adamw', 'sgd']],
    ['model.bias', ['on,off'], ['on', 'off']],
    ['stop.tokens', ['1M,2M'], ['1M', '2M']],
    ['model.depth', ['2', '4'], ['2', '4']],
  ])('%s %j are %j', (name, texts, wanted) => expect(values(name, ...texts)).toEqual(wanted));

  it('of a text keep their commas (would catch a path that is cut in two)', () => {
    expect(values('data.corpus', 'a,b.txt')).toEqual(['a,b.txt']);
  });

  // A comma that may be a decimal sign would sweep the rates 0 and 1 without a word.
  it.each([
    ['optimizer.lr', '0,001', ['--optimizer.lr 0.001', '--optimizer.lr 0 1']],
    ['optimizer.weight_decay', '0,1', ['--optimizer.weight_decay 0.1', '--optimizer.weight_decay 0 1']],
    ['stop.steps', '1,000', ['--stop.steps 1000', '--stop.steps 1 0']],
    ['stop.tokens', '10,000,000', ['--stop.tokens 10000000']],
  ])('%s %s may be one number, and both spellings are named', (name, text, parts) => {
    for (const part of parts) expect(() => values(name, text)).toThrow(part);
  });

  it('that are no list stay as they were written, for the message', () => {
    expect(values('model.depth', 'x,')).toEqual(['x,']);
  });
});

describe('seeds', () => {
  it.each([
    [['3'], 3],
    [
      ['1', '2'],
      [1, 2],
    ],
    [['1,7,42'], [1, 7, 42]],
    [
      ['[1,', '2]'],
      [1, 2],
    ],
    [['7,'], [7]],
    [['4..6'], [4, 5, 6]],
    [undefined, undefined],
  ])('%j are %j', (texts, wanted) => expect(seedsOf(texts)).toEqual(wanted));

  it.each([
    [['0'], 'nearest: 1'],
    [['2.4'], 'nearest: 2'],
    [['1', 'x'], '"1 x"'],
    [['-1', '2'], '1 7 42'],
    [['99999999'], 'nearest: 10000'],
  ])('%j is refused', (texts, part) => expect(() => seedsOf(texts)).toThrow(part));
});
