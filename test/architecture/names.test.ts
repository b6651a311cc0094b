/** How files are called: one style per language, so that a name can be guessed. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesUnder, nameOf, ROOT } from './sources.ts';

const CAMEL = '[a-z][A-Za-z0-9]*';
/** The first that matches a path decides. */
const STYLES: readonly (readonly [where: RegExp, name: RegExp, style: string])[] = [
  [/^main\/store\/migrations\/\d/u, new RegExp(`^\\d{4}-${CAMEL}\\.ts$`, 'u'), 'a number of four digits and camelCase'],
  [/\.vue$/u, /^[A-Z][A-Za-z0-9]*\.vue$/u, 'PascalCase'],
  [/^renderer\/.*\.ts$/u, /^(?:[A-Z]?[a-z][A-Za-z0-9]*(?:\.d|\.config)?)\.ts$/u, 'camelCase, components PascalCase'],
  [/\.ts$/u, new RegExp(`^${CAMEL}(?:\\.(?:settings|rules|dimensions|test|config|d|long))*\\.ts$`, 'u'), 'camelCase'],
  [/\.(?:cc|cpp|cu|cuh|h)$/u, /^[a-z][a-z0-9_]*\.\w+$/u, 'snake_case'],
];

const files = ['main', 'preload', 'renderer', 'test']
  .flatMap((folder) => filesUnder(join(ROOT, folder)))
  .map(nameOf)
  .filter((name) => !name.includes('/fixtures/'));
const fileOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

describe('names of files', () => {
  it('follow the style of their language (would catch a second style, and two names that differ in a letter)', () => {
    const checked = files.flatMap((name) => {
      const style = STYLES.find(([where]) => where.test(name));
      return style === undefined ? [] : [{ name, right: style[1].test(fileOf(name)), style: style[2] }];
    });
    expect(checked.length).toBeGreaterThan(400);
    expect(checked.filter(({ right }) => !right).map(({ name, style }) => `${name}: ${style}`)).toEqual([]);
  });

  it('differ by more than capitals (would catch a checkout that loses a file where systems do not tell them apart)', () => {
    const twins = files.filter((name, i) => files.findIndex((each) => each.toLowerCase() === name.toLowerCase()) !== i);
    expect(twins).toEqual([]);
  });

  it('of folders are camelCase', () => {
    const folders = new Set(files.flatMap((name) => name.split('/').slice(0, -1)));
    expect([...folders].filter((folder) => !/^[a-z][A-Za-z0-9]*$/u.test(folder))).toEqual([]);
  });
});
