/** No file and no folder may need, through others, itself: what can be read, moved and tested alone stays so. */
import { describe, expect, it } from 'vitest';
import { circlesOf, levelsOf, sources } from './sources.ts';

/** Circles that are still being taken apart. An entry that is no longer there fails: this list only shrinks. */
const KNOWN: readonly string[] = [];

describe('circles', () => {
  it('are found (would catch a search that finds none)', () => {
    const file = (name: string, ...imports: string[]) => ({ name, imports });
    const files = [
      file('a/x.ts', 'a/b/y.ts'),
      file('a/b/y.ts', 'a/c/z.ts'),
      file('a/c/z.ts', 'a/types.ts', 'a/b/w.ts'),
      file('a/b/w.ts', 'a/types.ts'),
      file('a/types.ts'),
    ];
    const found = [...levelsOf(files)].map(([level, graph]) => [level, circlesOf(graph)]);
    // No file of these needs itself: the circle is one of folders alone.
    expect(found).toEqual([['a', [['b', 'c']]]]);
    const rings = new Map([
      ['a', new Set(['b'])],
      ['b', new Set(['c', 'd'])],
      ['c', new Set(['a'])],
      ['d', new Set(['e'])],
      ['e', new Set(['d'])],
      ['f', new Set(['a'])],
    ]);
    expect(circlesOf(rings)).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e'],
    ]);
  });

  it('are none but the known ones, of files and of folders (would catch two rooms that need each other)', () => {
    const found = [...levelsOf(sources)].flatMap(([level, graph]) =>
      circlesOf(graph).map((circle) => `${level}: ${circle.join(', ')}`),
    );
    expect(found.sort()).toEqual([...KNOWN].sort());
  });
});
