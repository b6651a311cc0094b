import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CorpusBuilder } from '../../../../main/engine/data/corpusBuilder.ts';
import { separatorOf, splitDocuments, unescapeSeparator } from '../../../../main/engine/data/formats/text.ts';
import { Dice, Folder, read, textsOf } from '../reading/helpers.ts';

const folder = new Folder();
beforeAll(() => folder.make());
afterAll(() => folder.remove());

const texts = async (name: string, content: string, separator = '\\n\\n') =>
  (await read(await folder.file(name, content), { 'data.separator': separator })).texts;

async function split(bytes: Buffer, separator: string, size: () => number): Promise<string[]> {
  const builder = new CorpusBuilder();
  async function* chunks() {
    for (let at = 0; at < bytes.length;) {
      const end = at + size();
      yield bytes.subarray(at, end);
      at = end;
    }
  }
  await splitDocuments(chunks(), separator, builder);
  return textsOf(builder.build());
}

/** What the separator "\n\n" means, by regular expression on the whole text. */
const byBlankLines = (text: string): string[] =>
  text
    .replace(/^(?:[ \t]*\n)+/, '')
    .replace(/\n[ \t\n]*$/, '')
    .split(/\n(?:[ \t]*\n)+/)
    .filter((document) => /[^ \t\n]/.test(document));

/** What a separator with line ends at its borders means: those of the file and of other separators serve as well. */
function byLines(text: string, separator: string): string[] {
  const whole = separator.endsWith('\n');
  let padded = `\n${text}${whole ? '\n' : ''}`;
  // A line end between two separators belongs to both.
  if (whole)
    while (padded.includes(separator + separator.slice(1)))
      padded = padded.replace(separator + separator.slice(1), separator);
  const parts = padded.split(separator);
  parts[0] = parts[0].replace(/^\n/, '');
  if (whole) parts.push(parts.pop()!.replace(/\n$/, ''));
  return parts.filter((each) => each !== '');
}

describe('documents of plain text', () => {
  test('blank lines separate documents, also with Windows line ends, spaces and at both ends of the file', async () => {
    expect(await texts('a.txt', '\n\r\n one\ntwo\r\n\r\nthree\n \t\n\n  four \n\n\n')).toEqual([
      ' one\ntwo',
      'three',
      '  four ',
    ]);
  });

  test('a separator of a line counts on the first and last line too, and several times in a row (catches markers in the text)', async () => {
    const marker = '<|endoftext|>';
    const separator = `\n${marker}\n`;
    const ways = [
      `a\nb${separator}c`,
      `${marker}\na\nb${separator}c${separator}`,
      `${marker}\na\nb${separator}${marker}\n${marker}\nc\n${marker}`,
      `${marker}\n${marker}\na\nb${separator}c${separator}${marker}`,
    ];
    for (const way of ways) expect(await texts('line.txt', way, separator), JSON.stringify(way)).toEqual(['a\nb', 'c']);
    expect(await texts('line.txt', `a ${marker}\nb`, separator)).toEqual([`a ${marker}\nb`]);
    expect(await texts('line.txt', `a\n${marker} b`, separator)).toEqual([`a\n${marker} b`]);
    expect(await texts('line.txt', '### one\n### two\nthree ### four', '\n### ')).toEqual([
      'one',
      'two\nthree ### four',
    ]);
  });

  test('characters that some programs take for line ends are text, and can be separators', async () => {
    const odd = 'a\u2028b\u0085c\fd\ve\x1cf';
    expect(await texts('odd.txt', `${odd}\n\ng`)).toEqual([odd, 'g']);
    for (const [typed, character] of [
      ['\\u2028', '\u2028'],
      ['\\f', '\f'],
      ['\\v', '\v'],
      ['\\x1C', '\x1c'],
    ])
      expect(await texts('odd.txt', odd, typed)).toEqual(odd.split(character));
    expect(unescapeSeparator('\\x4 \\u12 \\q \\N')).toBe('\\x4 \\u12 \\q \\N');
  });

  test('other separators, none, and escapes', async () => {
    expect(await texts('b.txt', 'a<|>b\n\nc<|><|>d<|>', '<|>')).toEqual(['a', 'b\n\nc', 'd']);
    expect(await texts('b.txt', 'a<|>b\n\nc<|><|>d<|>', '')).toEqual(['a<|>b\n\nc<|><|>d<|>']);
    expect(unescapeSeparator('a\\n\\n\\t\\\\n')).toBe('a\n\n\t\\n');
    expect(separatorOf('\\r\\n\\r\\n')).toBe('\n\n');
    await expect(texts('empty.txt', '')).rejects.toThrow(/empty.txt" \(holds no text \(empty files: 1\)/);
    await expect(texts('blank.txt', ' \n\n\t\n')).rejects.toThrow(
      /blank.txt" \(holds no text \(files without text: 1\)/,
    );
  });

  test('the result does not depend on how the file is cut into chunks (catches separators lost at a border)', async () => {
    const dice = new Dice();
    const alphabet = ['\n', ' ', 'x', 'yz', '\n\n', '\t', '|', '||', '|-|', '\n \n'];
    for (let trial = 0; trial < 400; trial++) {
      const text = dice.list(dice.below(40), () => dice.of(alphabet)).join('');
      const bytes = Buffer.from(text);
      for (const separator of ['\n\n', '|-|', '||', '\n', '', '\n|\n', '\n||']) {
        const whole = await split(bytes, separator, () => 1000);
        const label = `seed ${dice.seed}, trial ${trial}: ${JSON.stringify([text, separator])}`;
        expect(await split(bytes, separator, () => 1 + dice.below(4)), label).toEqual(whole);
        if (separator === '\n\n') expect(whole, label).toEqual(byBlankLines(text));
        else if (separator.length > 1 && separator.startsWith('\n'))
          expect(whole, label).toEqual(byLines(text, separator));
        else if (separator !== '') expect(whole, label).toEqual(text.split(separator).filter((each) => each !== ''));
      }
    }
  });

  test('a line without end stops at data.size (catches a long line kept whole)', async () => {
    const long = 'é'.repeat(3_000_000);
    const path = await folder.file('long.txt', long);
    const { texts: found, report } = await read(path, { 'data.size': 1001 });
    expect(found).toEqual(['é'.repeat(500)]);
    expect(report.whole).toBe(false);
    expect((await read(await folder.file('two.txt', `first\n\n${long}`), { 'data.size': 1001 })).texts).toEqual([
      'first',
    ]);
  });
});

test('the builder gives what was put in, however it comes, up to the limit', () => {
  const dice = new Dice();
  for (let trial = 0; trial < 300; trial++) {
    const documents = dice.list(1 + dice.below(12), () =>
      dice.list(dice.below(30), () => dice.of(['a', 'é', '日', '🦊'])).join(''),
    );
    const limit = dice.below(3) === 0 ? 0 : 1 + dice.below(200);
    const builder = new CorpusBuilder(limit);
    for (const document of documents) {
      const bytes = Buffer.from(document);
      const way = dice.below(3);
      if (way === 0) builder.add(bytes);
      else if (way === 1) builder.addText(document);
      else {
        const cut = dice.below(bytes.length + 1);
        builder.part(bytes.subarray(0, cut));
        builder.part(bytes.subarray(cut));
        builder.close();
      }
    }
    const expected: string[] = [];
    let length = 0;
    for (const document of documents.filter((each) => each !== '')) {
      const size = Buffer.byteLength(document);
      if (limit > 0 && length + size > limit) {
        // The very first is cut between characters.
        let cut = '';
        const fits = (character: string) => Buffer.byteLength(cut + character) <= limit;
        if (length === 0)
          for (const character of document)
            if (fits(character)) cut += character;
            else break;
        if (cut !== '') expected.push(cut);
        break;
      }
      expected.push(document);
      length += size;
      if (length === limit) break;
    }
    expect(textsOf(builder.build()), `seed ${dice.seed}, trial ${trial}`).toEqual(expected);
  }
});
