import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TextFacts, cleanText } from '../../../../main/engine/data/reading/cleanText.ts';
import { ENCODINGS } from '../../../../main/engine/data/reading/encoding.ts';
import { markOf } from '../../../../preload/shared/textEncoding.ts';
import type { Encoding } from '../../../../main/engine/data/reading/encoding.ts';
import { invalidBytes } from '../../../../main/engine/data/utf8.ts';
import { Dice, Folder, read } from './helpers.ts';

const folder = new Folder();
beforeAll(() => folder.make());
afterAll(() => folder.remove());

const utf16 = (text: string, big = false): Buffer => {
  const bytes = Buffer.from(text, 'utf16le');
  return big ? bytes.swap16() : bytes;
};
const utf32 = (text: string, big = false): Buffer => {
  const points = [...text].map((character) => character.codePointAt(0)!);
  const bytes = Buffer.alloc(4 * points.length);
  points.forEach((point, i) => (big ? bytes.writeUInt32BE(point, 4 * i) : bytes.writeUInt32LE(point, 4 * i)));
  return bytes;
};
const ENCODERS: readonly (readonly [name: string, encode: (text: string) => Buffer])[] = [
  ['UTF-8', (text) => Buffer.from(text)],
  ['UTF-16LE', (text) => utf16(text)],
  ['UTF-16BE', (text) => utf16(text, true)],
  ['UTF-32LE', (text) => utf32(text)],
  ['UTF-32BE', (text) => utf32(text, true)],
];
const MARK = '\uFEFF';

async function clean(bytes: Buffer, size: () => number, wanted: Encoding | null = null) {
  const facts = new TextFacts();
  async function* chunks() {
    for (let at = 0; at < bytes.length;) {
      const end = at + size();
      yield bytes.subarray(at, end);
      at = end;
    }
  }
  const parts: Buffer[] = [];
  for await (const chunk of cleanText(chunks(), bytes.subarray(0, 1000), wanted, facts)) parts.push(Buffer.from(chunk));
  return { text: Buffer.concat(parts), facts };
}

describe('byte-order marks', () => {
  const text = 'Übergröße\n\n日本語 🦊\n\nlast';

  test('the same text in every encoding is the very same dataset, as text, JSON lines and CSV (catches UTF-16 bytes as text)', async () => {
    const forms = [
      ['txt', text],
      ['jsonl', '{"text":"Übergröße"}\n{"text":"日本語 🦊"}\n"last"\n'],
      ['json', '["Übergröße","日本語 🦊","last"]'],
      ['csv', 'text\nÜbergröße\n日本語 🦊\nlast\n'],
      ['tsv', 'id\ttext\n1\tÜbergröße\n2\t日本語 🦊\n3\tlast\n'],
    ];
    for (const [format, content] of forms)
      for (const [encoding, encode] of ENCODERS) {
        const path = await folder.file(`marked.${format}`, encode(MARK + content));
        const { texts, report } = await read(path);
        expect(texts, `${encoding} ${format}`).toEqual(['Übergröße', '日本語 🦊', 'last']);
        expect(report.encodings).toEqual({ [encoding]: 1 });
        expect(report.changed[0]).toMatchObject({ what: 'byte-order marks taken out', count: 1 });
        const packed = await folder.file(`marked.${format}.gz`, gzipSync(encode(MARK + content)));
        expect((await read(packed)).texts, `${encoding} ${format}.gz`).toEqual(['Übergröße', '日本語 🦊', 'last']);
      }
  });

  test('marks in the middle, where files were joined, are no text either', async () => {
    for (const [encoding, encode] of ENCODERS) {
      const joined = encode(`${MARK}one\n\n${MARK}two ${MARK}half${MARK}`);
      const { texts, report } = await read(await folder.file('joined.txt', joined));
      expect(texts, encoding).toEqual(['one', 'two half']);
      expect(report.changed[0].count).toBe(4);
    }
  });

  test('UTF-16 and UTF-32 without a mark are refused by name, and read when the setting names them', async () => {
    for (const [name, encode] of ENCODERS.slice(1)) {
      for (const content of [
        'Plain words of a text.\n\nAnd more of them.\n',
        'Русский текст, и ещё слова.\n\nКонец\n',
      ]) {
        const path = await folder.file('unmarked.txt', encode(content));
        await expect(read(path), name).rejects.toThrow(
          new RegExp(`unmarked.txt" \\(not text.*${name} without a byte-order mark.*data.encoding`),
        );
        const { texts } = await read(path, { 'data.encoding': name.toLowerCase() });
        expect(texts.join('\n\n')).toBe(content.trim());
      }
    }
  });

  test('Chinese in UTF-16 without a mark is read when the setting names it (would catch its few zero bytes taken for binary data)', async () => {
    const content = Array.from({ length: 24 }, (_, i) => `我们在这里学习语言模型第${i}篇`).join('\n\n');
    for (const [name, encode] of ENCODERS.slice(1)) {
      const path = await folder.file('chinese.txt', encode(content));
      const { texts } = await read(path, { 'data.encoding': name.toLowerCase() });
      expect(texts.join('\n\n'), name).toBe(content);
    }
    const zeros = await folder.file('zeros.txt', new Uint8Array(100_000));
    await expect(read(zeros, { 'data.encoding': 'utf-16le' })).rejects.toThrow(/NUL characters/);
  });

  test('UTF-8 that the setting has read as something else is told (would catch mojibake trained on without a word)', async () => {
    const path = await folder.file('utf8.txt', 'Über Größe – und mehr davon, älter und größer.');
    for (const encoding of ['windows-1252', 'utf-16le', 'gb18030', 'koi8-r']) {
      const { report } = await read(path, { 'data.encoding': encoding });
      expect(report.warnings, encoding).toContainEqual(expect.stringContaining('utf8.txt is UTF-8 by its bytes'));
    }
    for (const [encoding, bytes] of [
      ['utf-8', Buffer.from('Über Größe')],
      ['windows-1252', Buffer.from('\xdcber Gr\xf6\xdfe', 'latin1')],
      ['windows-1252', Buffer.from('plain')],
      ['utf-16le', utf16('Über Größe')],
    ] as const)
      expect(
        (await read(await folder.file('right.txt', bytes), { 'data.encoding': encoding })).report.warnings,
        encoding,
      ).toEqual([]);
  });

  test('a mark counts against the setting, with a warning', async () => {
    const path = await folder.file('both.txt', utf16(`${MARK}one`));
    const { texts, report } = await read(path, { 'data.encoding': 'utf-8' });
    expect(texts).toEqual(['one']);
    expect(report.warnings).toEqual([expect.stringMatching(/byte-order mark of UTF-16LE: it counts/)]);
  });

  test('every encoding of the setting can be decoded; a wrong one is named with the nearest', async () => {
    for (const encoding of ENCODINGS.slice(1)) {
      const { text: decoded } = await clean(Buffer.from('plain'), () => 3, encoding as Encoding);
      if (!/^utf-(16|32)/.test(encoding)) expect(decoded.toString(), encoding).toBe('plain');
    }
    const latin = await folder.file('latin.txt', Buffer.from('caf\xe9 au lait\n', 'latin1'));
    expect((await read(latin, { 'data.encoding': 'windows-1252' })).texts).toEqual(['café au lait']);
    await expect(read(latin, { 'data.encoding': 'utf8' })).rejects.toThrow(/data.encoding is "utf8".*nearest: utf-8/);
  });
});

describe('bytes that are no text', () => {
  test('a few stay, are counted and told; a share of more than 1 % is refused with what may help', async () => {
    const words = 'some plain words of text\n\n'.repeat(200);
    const few = Buffer.concat([Buffer.from(words), Buffer.from([0xff, 0xc3, 0x28, 0]), Buffer.from('end')]);
    const { corpus, report } = await read(await folder.file('few.txt', few));
    expect(Buffer.from(corpus.bytes).subarray(-7)).toEqual(Buffer.from([0xff, 0xc3, 0x28, 0, 0x65, 0x6e, 0x64]));
    expect(report.warnings).toEqual([
      expect.stringMatching(/2 of 5207 bytes are no UTF-8, 1 is a NUL character \(first at byte 5200\); they stay/),
    ]);
    const latin = Buffer.from('Der Bär läßt grüßen, schöne Grüße überall.\n\n'.repeat(20), 'latin1');
    await expect(read(await folder.file('latin.txt', latin))).rejects.toThrow(
      /latin.txt" \(not text in UTF-8: it is text in another encoding, or damaged \(\d+ of \d+ bytes .* data.encoding names any other/,
    );
    const dice = new Dice();
    const noise = Buffer.from(dice.list(20_000, () => dice.below(256)));
    await expect(read(await folder.file('noise.bin', noise))).rejects.toThrow(/noise.bin" \(not text.*binary data/);
  });

  test('NUL characters are named, never called a wrong encoding (would catch "no UTF-8" of what is UTF-8)', async () => {
    const many = await folder.file('nul.txt', `a line\0of text\0with NULs in it\0`.repeat(20));
    await expect(read(many)).rejects.toThrow('not text: it is binary data (it holds NUL characters)');
    const late = await folder.file('late.txt', 'plain words '.repeat(10_000) + '\0'.repeat(2000));
    await expect(read(late)).rejects.toThrow(
      'it is binary data (it holds NUL characters) (2000 of 122000 bytes are NUL characters, 1.6 %; first at byte 120000)',
    );
    const one = await folder.file('one.txt', `${'plain text '.repeat(300)}\0 and on`);
    const { report } = await read(one);
    expect(report.warnings).toEqual([
      expect.stringMatching(/1 of 3308 bytes is a NUL character \(first at byte 3300\); it stays/u),
    ]);
  });

  test('sizes and places are those of the file, whatever its encoding (would catch places of the text once it is UTF-8)', async () => {
    const dice = new Dice();
    const plain = dice.list(60, () => dice.of(['ä', '日', '本', 'b', '\n'])).join('');
    const sjis = Buffer.from([0x93, 0xfa, 0x96, 0x7b, 0x61]);
    const gb = Buffer.from([0x81, 0x30, 0x84, 0x36, 0xc8, 0xd5, 0x62]);
    // What stands before the fault, the fault, what follows.
    const texts: [Encoding, Buffer, Buffer, Buffer][] = [
      ['utf-16le', utf16(plain), Buffer.from([0x00, 0xd8]), utf16(plain)],
      ['utf-16be', utf16(plain, true), Buffer.from([0xdc, 0x00]), utf16(plain, true)],
      ['utf-16le', utf16(plain), Buffer.from([0x41]), Buffer.alloc(0)],
      ['utf-16le', utf16(plain), utf16('\0'), utf16(plain)],
      ['utf-32le', utf32(plain), Buffer.from([0, 0xd8, 0, 0]), utf32(plain)],
      ['utf-32be', utf32(plain, true), Buffer.from([0, 0, 0]), Buffer.alloc(0)],
      ['shift_jis', Buffer.concat(dice.list(20, () => sjis)), Buffer.from([0xa0]), sjis],
      ['gb18030', Buffer.concat(dice.list(20, () => gb)), Buffer.from([0xff]), gb],
      ['gb18030', Buffer.concat(dice.list(20, () => gb)), Buffer.from([0xc8]), Buffer.alloc(0)],
    ];
    for (const [wanted, before, fault, after] of texts) {
      const bytes = Buffer.concat([before, fault, after]);
      for (const size of [1, 7, 64, bytes.length]) {
        const { facts } = await clean(bytes, () => size, wanted);
        expect(
          [facts.firstUndecodable, facts.encodedBytes, facts.undecodable],
          `${wanted}, ${size}, seed ${dice.seed}`,
        ).toEqual([before.length, bytes.length, 1]);
      }
    }
    const odd = Buffer.concat([utf16(MARK + 'naïve words\n'.repeat(400)), Buffer.from([0x41])]);
    const { report } = await read(await folder.file('odd.txt', odd));
    expect(report.warnings).toEqual([
      expect.stringContaining('1 place of the text (9603 bytes) is no UTF-16LE (first at byte 9602)'),
    ]);
  });

  test('zero bytes are binary data: token ids of 16 and 32 bits, zeros', async () => {
    const dice = new Dice();
    const ids = Uint16Array.from(dice.list(5000, () => dice.below(dice.of([50, 500, 50_257]))));
    const shards: [string, Uint8Array][] = [
      ['ids.bin', new Uint8Array(ids.buffer)],
      ['ids32.bin', new Uint8Array(Int32Array.from(ids).buffer)],
      ['zeros.txt', new Uint8Array(100_000)],
    ];
    for (const [name, bytes] of shards)
      await expect(read(await folder.file(name, bytes)), name).rejects.toThrow(
        /not text.*(binary data|NUL characters)/,
      );
    await expect(read(folder.at('ids.bin'))).rejects.toThrow(/set data.format to tokens/);
  });
});

describe('line ends', () => {
  test('\\n, \\r\\n, \\r and mixtures are the same dataset for every separator (catches \\r left at the end of documents)', async () => {
    const dice = new Dice();
    for (const separator of [
      '\\n\\n',
      '\\n',
      '\\n<|endoftext|>\\n',
      '<|endoftext|>',
      '\\r\\n',
      '\\r\\n\\r\\n',
      '---\\n',
      '',
    ]) {
      const pieces = dice.list(40, () => dice.of(['word', 'two words', '', ' ', '<|endoftext|>', '---', '\t', 'é']));
      const ends: (() => string)[] = [() => '\n', () => '\r\n', () => '\r', () => dice.of(['\n', '\r\n'])];
      const [lf, ...others] = await Promise.all(
        ends.map(async (end, i) =>
          read(await folder.file(`ends${i}.txt`, pieces.map((piece) => piece + end()).join('')), {
            'data.separator': separator,
          }),
        ),
      );
      for (const other of others) {
        expect(other.texts, `${separator}, seed ${dice.seed}`).toEqual(lf.texts);
        expect(other.hash).toBe(lf.hash);
      }
      expect(lf.texts.some((text) => text.includes('\r'))).toBe(false);
    }
  });

  test('chunks cut anywhere change nothing: marks, line ends and characters across borders', async () => {
    const dice = new Dice();
    const items = ['\r', '\n', '\r\n', MARK, 'a', 'é', '日', '🦊', ' ', '\uFFFD'];
    for (let trial = 0; trial < 200; trial++) {
      const text = dice.list(dice.below(30), () => dice.of(items)).join('');
      const expected = text.replaceAll(MARK, '').replace(/\r\n?/g, '\n');
      const label = `seed ${dice.seed}, trial ${trial}: ${JSON.stringify(text)}`;
      for (const [name, encode] of ENCODERS) {
        const bytes = encode(MARK + text);
        const { text: found, facts } = await clean(bytes, () => 1 + dice.below(7));
        // A mark between \r and \n parts them.
        if (!/\r\uFEFF+\n/.test(text)) expect(found.toString(), `${name} ${label}`).toBe(expected);
        expect([facts.undecodable, facts.marks], label).toEqual([0, text.split(MARK).length]);
      }
    }
  });

  test('halves of UTF-16 characters become U+FFFD and count; a U+FFFD that the text holds does not (would catch damage seen in whole texts)', async () => {
    const dice = new Dice();
    for (let trial = 0; trial < 200; trial++) {
      const units = dice.list(dice.below(30), () => dice.of([0xd83e, 0xdd8a, 0xfffd, 0x41, 0x65e5]));
      const text = String.fromCharCode(...units);
      const [big, odd] = [dice.below(2) === 0, dice.below(3) === 0];
      const bytes = Buffer.concat([utf16(text, big), Buffer.alloc(odd ? 1 : 0)]);
      const { text: found, facts } = await clean(bytes, () => 1 + dice.below(5), big ? 'utf-16be' : 'utf-16le');
      const label = `seed ${dice.seed}, trial ${trial}: ${bytes.toString('hex')}`;
      expect(found.toString(), label).toBe(text.toWellFormed() + (odd ? '\uFFFD' : ''));
      const own = units.filter((unit) => unit === 0xfffd).length;
      expect(facts.undecodable, label).toBe(found.toString().split('\uFFFD').length - 1 - own);
    }
  });

  test('invalid bytes are counted the same however they are cut', async () => {
    const dice = new Dice();
    for (let trial = 0; trial < 200; trial++) {
      const bytes = Buffer.from(
        dice.list(dice.below(40), () => dice.of([0x41, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0xff, 0x80])),
      );
      if (markOf(bytes) !== null) continue;
      const { text, facts } = await clean(bytes, () => 1 + dice.below(4));
      const label = `seed ${dice.seed}, trial ${trial}: ${bytes.toString('hex')}`;
      expect(text.equals(bytes), label).toBe(true);
      expect([facts.undecodable, facts.firstUndecodable], label).toEqual(Object.values(invalidBytes(bytes)));
      // What a fatal decoder accepts has none.
      const valid = (() => {
        try {
          new TextDecoder('utf-8', { fatal: true }).decode(bytes);
          return true;
        } catch {
          return false;
        }
      })();
      expect(facts.undecodable === 0, label).toBe(valid);
    }
  });
});
