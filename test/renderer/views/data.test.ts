import { expect, it } from 'vitest';
import { paintToken, textFacts } from '../../../renderer/views/data/painted.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

it('shows what would be invisible', () => {
  expect(paintToken({ id: 1, bytes: bytes('a\n') })).toMatchObject({ text: 'a↵', breaks: true, whole: true });
  expect(paintToken({ id: 2, bytes: bytes('\t\u0007') }).text).toBe('⇥⟨07⟩');
  expect(paintToken({ id: 3, bytes: new Uint8Array() }).text).toBe('⟨end⟩');
});

it('shows the bytes of half a character, not a replacement sign', () => {
  expect(paintToken({ id: 4, bytes: Uint8Array.of(0xe6, 0x9d) })).toMatchObject({ text: '⟨e6 9d⟩', whole: false });
  // A byte order mark is three bytes that a lenient decoder drops.
  expect(paintToken({ id: 5, bytes: Uint8Array.of(0xef, 0xbb, 0xbf) }).text).toHaveLength(1);
});

const plainFacts = (...asked: Parameters<typeof textFacts>): string[] =>
  textFacts(...asked).map((fact) => fact.replaceAll('\u00A0', ' '));

it('counts no tokens before it knows of any (would catch "0 tokens" and "0 different" of a text)', () => {
  expect(plainFacts(undefined, 100)).toEqual(['counting tokens…', '100 bytes']);
  const tokens = [
    [1, 'ab'],
    [2, 'c'],
    [1, 'ab'],
    [9, ''],
  ] as const;
  const painted = tokens.map(([id, text]) => ({ id, bytes: [...bytes(text)] }));
  expect(plainFacts(painted, 5)).toEqual(['4 tokens', '5 bytes', '1.667 bytes/token', '3 different']);
  expect(plainFacts([], 0)).toEqual(['0 tokens', '0 bytes', '0 different']);
});
