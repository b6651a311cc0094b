import { expect, it } from 'vitest';
import { jsonWithoutCommands, shownText, withoutCommands } from '../../preload/shared/plainText.ts';

const ESC = '\u001B';
it.each([
  ['the clipboard (OSC 52)', `${ESC}]52;c;ZXZpbA==\u0007`, '␛]52;c;ZXZpbA==␇'],
  ['colours and the cursor (CSI)', `${ESC}[31mred${ESC}[2J`, '␛[31mred␛[2J'],
  ['CSI in one character (C1)', '\u009B2Jx', '<U+009B>2Jx'],
  ['the direction of writing', 'a\u202Ecba\u2066', 'a<U+202E>cba<U+2066>'],
  ['going back over a line', 'good\rbad\b', 'good␍bad␈'],
  ['delete and nothing', '\u007F\u0000', '␡␀'],
  ['separators of lines', 'a\u2028b\u2029c\u0085d', 'a<U+2028>b<U+2029>c<U+0085>d'],
  ['what has no width', 'a\u200Bb\u2060c\uFEFFd\u00ADe', 'a<U+200B>b<U+2060>c<U+FEFF>d<U+00AD>e'],
  ['letters without a picture', '\u3164\u115F\u{E0061}', '<U+3164><U+115F><U+E0061>'],
  ['joiners and variants where they join nothing', 'a\u200Db\u200Cc\uFE0Fd', 'a<U+200D>b<U+200C>c<U+FE0F>d'],
])('makes %s visible', (_, given, shown) => {
  expect(withoutCommands(given)).toBe(shown);
  expect(JSON.parse(jsonWithoutCommands(JSON.stringify({ given })))).toEqual({ given });
  expect(jsonWithoutCommands(JSON.stringify({ given }))).not.toMatch(
    /[\u0080-\u009F\u2028-\u202E\u2060-\u2069\u200B\u007F]/u,
  );
});

it('leaves texts of people as they are (would catch broken languages and emoji)', () => {
  for (const text of [
    'a\nb\tc',
    'Grüße – naïve',
    'שלום עולם',
    'مرحبا',
    '日本語',
    '👩‍👩‍👧‍👦',
    'e\u0301',
    '❤️',
    '👩🏽‍🚀',
    '1️⃣',
    '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
    'می‌خواهم',
    'क्‍ष',
    '葛󠄀',
  ])
    expect(withoutCommands(text)).toBe(text);
});

it('keeps letters that run to the left from moving what stands beside them', () => {
  expect(shownText('שלום 3')).toBe('\u2066שלום 3\u2069');
  expect(shownText('\u202Eשלום')).toBe('\u2066<U+202E>שלום\u2069');
  for (const text of ['safe\u202Etxt.exe', 'a\u200Bb', 'plain', '']) {
    expect(shownText(text)).toBe(withoutCommands(text));
    expect(shownText(shownText(text))).toBe(shownText(text));
  }
});
