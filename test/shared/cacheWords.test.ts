import { expect, test } from 'vitest';
import { type CacheParts, cacheWords } from '../../preload/shared/cacheWords.ts';

const bytes = (...all: readonly number[]) => all.map((bytesOnDisk) => ({ bytesOnDisk }));

const words = (parts: CacheParts) => cacheWords(parts)?.replaceAll('\u00A0', ' ');

test('what the cache takes is said in all and by its parts, none of them empty', () => {
  const parts = { prepared: bytes(2e6, 1e6), unfinished: bytes(5e5), downloadedBytes: 4e6 };
  expect(words(parts)).toBe('7.50 MB on disk: 3.00 MB prepared, 500 kB begun and not finished, 4.00 MB downloaded');
  expect(words({ ...parts, unfinished: [] })).toBe('7.00 MB on disk: 3.00 MB prepared, 4.00 MB downloaded');
  expect(words({ prepared: [], unfinished: [], downloadedBytes: 4e6 })).toBe('4.00 MB downloaded, in all');
  expect(words({ prepared: [], unfinished: [], downloadedBytes: 0 })).toBeUndefined();
});
