/** Where in a path a glob begins. What is there by its very name is no glob, whatever characters its name has. */
import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';

export const hasMagic = (path: string): boolean => /[*?[\]{}]/u.test(path);

export interface Glob {
  /** The folder in which the glob is looked for, or the whole path where it is none; as it was written, relative or absolute. */
  readonly fixed: string;
  /** With `/`, without `.` parts; empty where the path is no glob. */
  readonly pattern: string;
}

/** @param exists whether a name stands for itself at this place; without it every part with such characters is a glob */
export function globOf(path: string, exists: (path: string) => boolean = existsSync): Glob {
  const parts = path.split(/[/\\]/u);
  const upTo = (count: number): string => parts.slice(0, count).join('/') || (isAbsolute(path) ? '/' : '.');
  let first = parts.findIndex(hasMagic);
  while (first >= 0 && exists(resolve(upTo(first + 1)))) {
    const next = parts.slice(first + 1).findIndex(hasMagic);
    first = next < 0 ? -1 : first + 1 + next;
  }
  if (first < 0) return { fixed: path, pattern: '' };
  const pattern = parts.slice(first).filter((part) => part !== '' && part !== '.');
  return { fixed: upTo(first), pattern: pattern.join('/') };
}

const literal = (part: string): string => part.replaceAll(/[*?[\]{}]/gu, '[$&]');

/** The pattern as it is meant for one of the paths that it may match: parts that stand there by their very name are no globs. */
export function patternFor(pattern: string, inside: string): string {
  const there = new Set(inside.split('/'));
  return pattern
    .split('/')
    .map((part) => (hasMagic(part) && there.has(part) ? literal(part) : part))
    .join('/');
}
