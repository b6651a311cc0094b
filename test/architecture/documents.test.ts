/** What is written down leads where it says. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesUnder, nameOf, ROOT } from './sources.ts';

const documents = ['', '.github', 'main', 'preload', 'renderer', 'resources', 'test']
  .flatMap((folder) => (folder === '' ? [join(ROOT, 'README.md')] : filesUnder(join(ROOT, folder))))
  .filter((path) => path.endsWith('.md'));
const pages = documents.map((path) => ({ path, name: nameOf(path), text: readFileSync(path, 'utf8') }));
/** Without code, where brackets and backticks mean something else. */
const prose = (text: string): string => text.replaceAll(/```[\s\S]*?```/gu, '').replaceAll(/^ {4}.*$/gmu, '');

describe('documents', () => {
  it('link to files that exist (would catch a folder that was moved without its readers)', () => {
    expect(pages.length).toBeGreaterThan(40);
    const broken = pages.flatMap(({ path, name, text }) =>
      [...prose(text).matchAll(/\]\((?!https?:|#|mailto:)([^)\s#]+)(?:#[^)\s]*)?\)/gu)]
        .map(([, target]) => target)
        .filter((target) => !existsSync(resolve(dirname(path), target)))
        .map((target) => `${name} links to ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('name files of the house that exist (would catch a description of what is no longer there)', () => {
    const named = pages.flatMap(({ name, text }) =>
      [...prose(text).matchAll(/`((?:main|preload|renderer|test|resources)\/[\w./-]+\.(?:ts|vue|js|md|yaml|h|cc))`/gu)]
        .map(([, target]) => target)
        .filter((target) => !existsSync(join(ROOT, target)))
        .map((target) => `${name} names ${target}`),
    );
    expect(named).toEqual([]);
  });
});

describe('decisions', () => {
  const records = pages.filter(({ name }) => /^\.github\/decisions\/\d/u.test(name));
  const index = pages.find(({ name }) => name === '.github/decisions/README.md')!.text;

  it('are numbered without a gap, say why and what was rejected, and stand in the index', () => {
    const numbers = records
      .map(({ name }) => Number(/\/(\d{4})-[a-z0-9-]+\.md$/u.exec(name)?.[1]))
      .sort((a, b) => a - b);
    expect(numbers).toEqual(records.map((_, i) => i + 1));
    for (const { name, text } of records) {
      expect(text, name).toMatch(/^# .+\n/u);
      for (const part of ['**Why.**', '**Rejected']) expect(text, name).toContain(part);
      expect(index, name).toContain(`(${name.slice('.github/decisions/'.length)})`);
    }
  });
});
