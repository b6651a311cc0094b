import { expect, test } from 'vitest';
import { formatBytes, formatCount, formatDuration, formatMemory } from '../../main/cli/format.ts';

// Catches a trailing zero cut off a whole number (350 MB shown as 35 MB).
test.each([
  [0, '0 B'],
  [999, '999 B'],
  [350e6, '350 MB'],
  [100e3, '100 kB'],
  [999_950, '1 MB'],
  [1.5e9, '1.5 GB'],
])('%d bytes of data are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test.each([
  [350 * 2 ** 20, '350 MiB'],
  [1023.9 * 2 ** 20, '1020 MiB'],
  [18.25 * 2 ** 30, '18.3 GiB'],
])('%d bytes of memory are %s', (bytes, text) => expect(formatMemory(bytes)).toBe(text));

// Catches "1000k" for 999,950.
test.each([
  [999, '999'],
  [1500, '1.5k'],
  [46_009_736, '46M'],
  [999_950, '1M'],
])('%d is counted as %s', (n, text) => expect(formatCount(n)).toBe(text));

test.each([
  [8.04, '8 s'],
  [80, '1 min 20 s'],
  [7500, '2 h 05 min'],
])('%d seconds are %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));
