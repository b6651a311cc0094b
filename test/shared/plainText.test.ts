import { expect, it } from 'vitest';
import { jsonWithoutCommands, withoutCommands } from '../../preload/shared/plainText.ts';

const ESC = '\u001B';
it.each([
  ['the clipboard (OSC 52)', `${ESC}]52;c;ZXZpbA==\u0007`, '␛]52;c;ZXZpbA==␇'],
  ['colours and the cursor (CSI)', `${ESC}[31mred${ESC}[2J`, '␛[31mred␛[2J'],
  ['CSI in one character (C1)', '\u009B2Jx', '<U+009B>2Jx'],
  ['the direction of writing', 'a\u202Ecba\u2066', 'a<U+202E>cba<U+2066>'],
  ['going back over a line', 'good\rbad\b', 'good␍bad␈'],
  ['delete and nothing', '\u007F\u0000', '␡␀'],
])('makes %s visible', (_, given, shown) => {
  expect(withoutCommands(given)).toBe(shown);
  expect(JSON.parse(jsonWithoutCommands(JSON.stringify({ given })))).toEqual({ given });
  expect(jsonWithoutCommands(JSON.stringify({ given }))).not.toMatch(/[\u0080-\u009F\u202E\u2066\u007F]/u);
});

it('leaves texts of people as they are (would catch broken languages and emoji)', () => {
  for (const text of ['a\nb\tc', 'Grüße – naïve', 'שלום עולם', 'مرحبا', '日本語', '👩‍👩‍👧‍👦', 'e\u0301'])
    expect(withoutCommands(text)).toBe(text);
});
