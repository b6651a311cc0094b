/** A count of one reads as one: `1 empty file`, never `1 empty files`. */
import { expect, it } from 'vitest';
import { counted, plural } from '../../preload/shared/format.ts';
import { sources } from './sources.ts';

/** What is counted and comes after a number that is not known before; `N of M runs` too. */
const NOUNS =
  'bytes characters checkpoints combinations columns documents elements epochs files heads layers lines lists members metrics moments passes points probabilities problems rows runs samples seeds settings steps sweeps texts times values warnings words';
/** `${x.length} files`, `{{ count }} runs`: names of counts, not of limits, which are large. */
const COUNT = String.raw`(?:\$\{|\{\{ ?)(?:[^}{]*[.\s(])?(?:length|count|size|total|steps|files|rows|runs|seeds|bytes|left|shared|grown|wanted)\)*(?: - [\w.]+)? ?\}\}?`;
const RAW = new RegExp(`${COUNT} (?:more |other |further )?(?:${NOUNS.split(' ').join('|')})\\b`, 'u');
/** Where one is told apart by hand. */
const BY_HAND = /=== 1 \?|> 1 \?|< 2 \?|\/token/u;
/** Limits are never one. */
const CONSTANT = /\$\{(?:\w+\.)?[A-Z_]{3,}/u;
/** Never one. */
const MANY = [
  'main/cli/settingFlags.ts: a list of several values',
  'preload/contract/codec.ts: more bytes than a message may have',
  'renderer/charts/board/ChartTable.vue: more points than a table has rows',
].map((line) => line.split(':')[0]);

it('no message writes a plural after a count by hand (would catch "1 empty files")', () => {
  const found = sources
    .filter(({ name }) => !MANY.includes(name))
    .flatMap(({ name, text }) =>
      text.split('\n').flatMap((line, i) => {
        const raw = RAW.test(line) && !BY_HAND.test(line) && !CONSTANT.test(line);
        return raw ? [`${name}:${i + 1}: ${line.trim()}`] : [];
      }),
    );
  expect(found).toEqual([]);
});

it('helpers write one as one', () => {
  expect([0, 1, 2].map((n) => counted(n, 'run'))).toEqual(['0 runs', '1 run', '2 runs']);
  expect([1, 3].map((n) => counted(n, 'entry', 'entries'))).toEqual(['1 entry', '3 entries']);
  expect(plural(1, 'step')).toBe('1\u00A0step');
});
