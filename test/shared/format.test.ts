import { describe, expect, it } from 'vitest';
import { formatMetric } from '../../main/cli/format.ts';
import type { RankedSetting } from '../../preload/shared/results/rank.ts';
import { differenceWords, meanWords } from '../../preload/shared/results/words.ts';
import { describe as describeValues } from '../../preload/shared/statistics/describe.ts';
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatDuration,
  formatDifference,
  formatDurationRange,
  formatInUnit,
  formatInteger,
  formatMean,
  formatMeanInUnit,
  formatMeasured,
  formatMemory,
  formatMemoryOf,
  formatPercent,
  formatRoughRange,
  briefSetting,
  digitsApart,
  formatSetting,
  formatValue,
  plural,
} from '../../preload/shared/format.ts';

const spaces = (text: string): string => text.replaceAll('\u00A0', ' ');

describe('values', () => {
  it('have four significant figures, whatever their size', () => {
    // Fixed decimals would show 0.0012 for 0.0012345 and 12345.6789 in full.
    expect(formatValue(2.41372)).toBe('2.414');
    expect(formatValue(0.0012345)).toBe('0.001234');
    expect(formatValue(12345.678)).toBe('12,346');
    expect(formatValue(0.99996)).toBe('1.000');
    expect(formatValue(9.9996)).toBe('10.00');
  });

  it('keep trailing zeros of a measured value: 2.500 was measured to four figures', () => {
    expect(formatValue(2.5)).toBe('2.500');
    expect(formatValue(0.99)).toBe('0.9900');
  });

  it('have an exponent when very small or large, and none for whole numbers below a million', () => {
    expect(formatValue(0.0003)).toBe('3e-4');
    expect(formatValue(1.2346e-7)).toBe('1.235e-7');
    expect(formatValue(1_234_567.8)).toBe('1.235e6');
    expect(formatValue(600_000)).toBe('600,000');
  });

  it('say what is no number, and use a true minus', () => {
    expect(formatValue(Number.NaN)).toBe('NaN');
    expect(formatValue(-Infinity)).toBe('−∞');
    expect(formatValue(null)).toBe('–');
    expect(formatValue(-1.5)).toBe('−1.500');
    expect(formatInteger(-1234567)).toBe('−1,234,567');
  });
});

describe('counts', () => {
  it.each([
    [0, '0'],
    [128, '128'],
    [999.94, '999.9'],
    [999.96, '1.00k'],
    [1000, '1.00k'],
    [86_208, '86.2k'],
    [999_499, '999k'],
    [999_950, '1.00M'],
    [999_999_999, '1.00B'],
    [27_234_000, '27.2M'],
    [124_439_808, '124M'],
    [-27_234_000, '−27.2M'],
  ])('%d is %s', (value, text) => {
    // 999,950 rounded after the unit is chosen would read "1000k".
    expect(formatCount(value)).toBe(text);
  });
});

describe('memory', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.00 KiB'],
    [1023 * 1024, '0.999 MiB'],
    [18.4 * 2 ** 30, '18.4 GiB'],
    [2 ** 40 - 1, '1.00 TiB'],
    [-3 * 2 ** 20, '−3.00 MiB'],
  ])('%d bytes are %s', (value, text) => expect(spaces(formatMemory(value))).toBe(text));

  it('names the unit once where both amounts share it', () => {
    expect(spaces(formatMemoryOf(18.3 * 2 ** 30, 23.6 * 2 ** 30))).toBe('18.3 of 23.6 GiB');
    expect(spaces(formatMemoryOf(215 * 2 ** 20, 23.6 * 2 ** 30))).toBe('215 MiB of 23.6 GiB');
  });
});

describe('files and data', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [999.6, '1000 B'],
    [1000, '1.00 kB'],
    [350e6, '350 MB'],
    [999_950, '1.00 MB'],
    [1.5e9, '1.50 GB'],
  ])('of %d bytes are %s', (value, text) => {
    // As memory this would be another number with the same letters.
    expect(spaces(formatBytes(value))).toBe(text);
  });
});

describe('a value with its uncertainty', () => {
  it.each([
    [2.17851, 0.0321, '2.179 ± 0.032'],
    [2.17851, Number.NaN, '2.179'],
    [152.4, 12.1, '152 ± 12'],
    [81_038.4, 43_982, '81,000 ± 44,000'],
    [1.38412345, 0.00057, '1.38412 ± 0.00057'],
    [0.00002, 0.000001, '(2.00 ± 0.10)e-5'],
    [0.0012, 0.0000345, '0.001200 ± 0.000034'],
    [4e300, 9e300, '(4.0 ± 9.0)e300'],
    [12_345_678, 1234, '(1.23457 ± 0.00012)e7'],
    [3.2, 1e-12, '3.20000000 ± 1e-12'],
    [3.25, 0, '3.250 ± 0'],
    [-0.001, 0.5, '0.00 ± 0.50'],
    [-12.34, 0.5, '−12.34 ± 0.50'],
    [Number.NaN, Number.NaN, 'NaN'],
    [1, Infinity, '1 ± ∞'],
  ])('%d and %d: %s', (mean, sd, text) => expect(formatMean(mean, sd)).toBe(text));

  it.each([
    [0.1234, 0.045, '+0.123 ± 0.045'],
    [-0.5344, 1.23, '−0.5 ± 1.2'],
    [0.05, 12.7, '+0 ± 13'],
    [0, 0, '0 ± 0'],
    [2, 0, '+2 ± 0'],
    [0.1, 1.4e-17, '+0.1000 ± 0'],
    [2, Number.NaN, '+2'],
  ])('a difference of %d ± %d: %s', (difference, half, text) => expect(formatDifference(difference, half)).toBe(text));
});

it('values of metrics stand in their unit: shares in per cent, memory in binary units', () => {
  const shown = (value: number, unit: string): string => spaces(formatInUnit(value, unit));
  expect(shown(0.42134, 'share')).toBe('42.1 %');
  expect(shown(1, 'share')).toBe('100 %');
  expect(shown(126 * 2 ** 20, 'bytes')).toBe('126 MiB');
  expect(shown(90, 's')).toBe('1 min 30 s');
  expect(shown(1.5e9, 'FLOP')).toBe('1.50B');
  expect(shown(2.41372, 'nats/token')).toBe('2.414');
});

describe('durations', () => {
  it.each([
    [0, '0 s'],
    [0.0123, '12 ms'],
    [4.26, '4.3 s'],
    [9.97, '10 s'],
    [59.6, '1 min'],
    [250, '4 min 10 s'],
    [3599.7, '1 h'],
    [4320, '1 h 12 min'],
    [86_399, '1 d'],
    [187_200, '2 d 4 h'],
  ])('%d s is %s', (value, text) => {
    // Rounding the parts one by one would give "60 s" and "59 min 60 s".
    expect(spaces(formatDuration(value))).toBe(text);
  });

  it('share their unit in a range', () => {
    expect(spaces(formatDurationRange(38 * 60, 52 * 60))).toBe('38–52 min');
    expect(spaces(formatDurationRange(50, 4320))).toBe('50 s – 1 h 12 min');
    expect(spaces(formatDurationRange(60, 60.2))).toBe('1 min');
  });
});

it('estimates have two figures and one unit where they can', () => {
  const rough = (low: number, high: number): string => spaces(formatRoughRange(low, high));
  expect(rough(0.3, 2.1)).toBe('under 5 s');
  expect(rough(68, 361)).toBe('1.1–6 min');
  expect(rough(33_900, 180_000)).toBe('9.4 h – 2.1 d');
  expect(rough(59.7, 60.2)).toBe('1 min');
});

it('percentages keep two figures when small', () => {
  expect(spaces(formatPercent(0.613))).toBe('61 %');
  expect(spaces(formatPercent(0.00053))).toBe('0.053 %');
  expect(spaces(formatPercent(0.0996))).toBe('10 %');
  expect(spaces(formatPercent(0))).toBe('0 %');
});

it('settings read as they are typed', () => {
  expect(formatSetting(1024)).toBe('1,024');
  expect(formatSetting(0.0001)).toBe('0.0001');
  expect(formatSetting(true)).toBe('on');
  expect(formatSetting('\n\n')).toBe('\\n\\n');
  expect(formatSetting('')).toBe('none');
  // Catches eighteen digits of a drawn number in every name, and two settings that look like one.
  expect(briefSetting(0.002210786749025765)).toBe('0.002211');
  expect(briefSetting(1_234_567)).toBe('1,234,567');
  expect(briefSetting(0.1)).toBe('0.1');
  expect(briefSetting(6.5e-7)).toBe('6.5e-7');
  expect(briefSetting('gelu')).toBe('gelu');
  expect(digitsApart([0.25, 0.5, 'a'])).toBe(4);
  expect(digitsApart([0.123456789, 0.123456777, 0.123456777])).toBe(8);
  expect(digitsApart([0.1, 0.1 + 2 ** -56])).toBe(17);
});

it('ages never say "60 min" or "24 h"', () => {
  const ago = (seconds: number): string => spaces(formatAgo(0, seconds * 1000));
  expect(ago(10)).toBe('just now');
  expect(ago(3580)).toBe('1 h ago');
  expect(ago(86_300)).toBe('1 d ago');
});

it('plurals', () => {
  expect(spaces(plural(1, 'run'))).toBe('1 run');
  expect(spaces(plural(1200, 'run'))).toBe('1,200 runs');
});

describe('a share', () => {
  it('is in per cent wherever it stands (would catch 0.274 in a list beside 27.4 % in its chart)', () => {
    expect(spaces(formatInUnit(0.274, 'share'))).toBe('27.4 %');
    expect(spaces(formatMeanInUnit(0.2741, 0.0093, 'share'))).toBe('27.41 ± 0.93 %');
    expect(spaces(formatMeanInUnit(0.274, Number.NaN, 'share'))).toBe('27.4 %');
    expect(formatMeanInUnit(2.178, 0.032, 'nats')).toBe(formatMean(2.178, 0.032));
    const row = { metric: describeValues([0.27, 0.28]), unit: 'share', difference: undefined };
    expect(spaces(meanWords(row))).toBe(spaces(formatMeanInUnit(row.metric.mean, row.metric.sd, 'share')));
    const difference = { mean: -0.0123, half: 0.0045 } as NonNullable<RankedSetting['difference']>;
    expect(spaces(differenceWords({ difference, unit: 'share' }))).toBe('−1.23 ± 0.45 %');
    expect(spaces(formatMetric(0.274, 'share'))).toBe('27.4 %');
    expect(formatMetric(2.5, 'nats/token')).toBe('2.5000');
  });
});

describe('a value with its standard error', () => {
  it('shares its decimals with it (would catch 5.537 beside 8.7e-4)', () => {
    expect(formatMeasured(5.53701, 0.00087)).toBe('5.53701 ± 0.00087');
    expect(formatMeasured(2.4174, 0.0113)).toBe('2.417 ± 0.011');
    expect(formatMeasured(1234.5, 12.3)).toBe('1,235 ± 12');
  });
  it('stands alone where no error is known', () => {
    for (const error of [null, undefined, Number.NaN]) expect(formatMeasured(5.53701, error)).toBe('5.537');
    expect(formatMeasured(undefined, 0.1)).toBe('–');
  });
});
