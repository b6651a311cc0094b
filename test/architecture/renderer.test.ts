/** The layers of the interface: each file imports from its own layer or from one below. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesUnder, nameOf, ROOT, sources } from './sources.ts';

/** From the bottom to the top. What stands in one line is one layer. */
const LAYERS: readonly (readonly string[])[] = [
  ['env.d.ts'],
  ['tokens'],
  ['connect'],
  ['stores'],
  ['components'],
  ['frame'],
  ['commands'],
  ['charts'],
  ['widgets'],
  ['views'],
  ['routes.ts'],
  ['start.ts'],
  ['App.vue', 'main.ts'],
  // Builds the pages, and reads the guide as they show it.
  ['vite.config.ts'],
];

const files = sources.filter(({ name }) => name.startsWith('renderer/'));
const placeOf = (name: string): string => name.split('/')[1];
const layerOf = (name: string): number => LAYERS.findIndex((layer) => layer.includes(placeOf(name)));

describe('the renderer', () => {
  it('consists of its layers (would catch a new folder beside them, which nothing checks)', () => {
    expect(files.length).toBeGreaterThan(100);
    expect(files.filter(({ name }) => layerOf(name) < 0).map(({ name }) => name)).toEqual([]);
  });

  it('imports downwards only (would catch a store that needs a view)', () => {
    const back = files.flatMap(({ name, imports }) =>
      imports
        .filter((target) => target.startsWith('renderer/') && layerOf(target) > layerOf(name))
        .map((target) => `${name} imports ${target}`),
    );
    expect(back).toEqual([]);
  });

  it('has views that know nothing of each other (would catch a view that cannot be changed alone)', () => {
    const viewOf = (name: string): string | undefined => /^renderer\/views\/([^/]+)\//u.exec(name)?.[1];
    const across = files.flatMap(({ name, imports }) =>
      imports
        .filter((target) => viewOf(name) !== undefined && ![undefined, viewOf(name)].includes(viewOf(target)))
        .map((target) => `${name} imports ${target}`),
    );
    expect(across).toEqual([]);
  });

  it('reads only custom properties that something sets (would catch a border in a colour that is not there: none is drawn)', () => {
    const texts = filesUnder(join(ROOT, 'renderer'))
      .filter((path) => /\.(?:vue|css|ts)$/u.test(path))
      .map((path) => ({ name: nameOf(path), text: readFileSync(path, 'utf8') }));
    // Declared, or set by a script.
    const set = new Set(
      texts.flatMap(({ text }) => [...text.matchAll(/(--[\w-]+)['"\]]*\s*[:,]/gu)].map(([, name]) => name)),
    );
    const missing = texts.flatMap(({ name, text }) =>
      [...text.matchAll(/var\((--[\w-]+)/gu)]
        // Those of reka-ui, and the colours of data, whose names end in their number.
        .filter(([, property]) => !/^--(?:reka-|data-$)/u.test(property!) && !set.has(property))
        .map(([, property]) => `${name} reads ${property}`),
    );
    expect(missing).toEqual([]);
  });
});
