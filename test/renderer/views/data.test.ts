import { expect, it } from 'vitest';
import { paintToken } from '../../../renderer/views/data/painted.ts';

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
