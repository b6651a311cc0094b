/** The questions "what if …": which settings, and the values that a slider goes through. Every value obeys the rules between sizes. */
import type { Config, SettingValue } from '../../../../preload/contract/settings.ts';

export interface WhatIf {
  readonly name: string;
  readonly label: string;
  readonly control: 'slider' | 'choice';
  readonly values: readonly SettingValue[];
  /** What a step of it means for the result, in few words. */
  readonly note?: string;
}

const number = (config: Config, name: string): number => Number(config[name] ?? 0);

export function divisors(n: number): number[] {
  const found: number[] = [];
  for (let d = 1; d * d <= n; d++) {
    if (n % d !== 0) continue;
    found.push(d);
    if (d * d !== n) found.push(n / d);
  }
  return found.sort((a, b) => a - b);
}

const merged = (values: readonly number[], now: number): number[] =>
  [...new Set([...values, now])].filter((value) => value > 0).sort((a, b) => a - b);

/** 16, 32, … 8,192, and the present value. */
function powers(from: number, to: number, now: number): number[] {
  const values: number[] = [];
  for (let value = from; value <= to; value *= 2) values.push(value);
  return merged(values, now);
}

/** Widths that the heads divide into even head sizes (rotary positions need even ones). */
export function widths(config: Config): number[] {
  const heads = Math.max(1, number(config, 'model.heads'));
  const now = number(config, 'model.width');
  const unit = 2 * heads;
  const values: number[] = [];
  const step = unit * Math.max(1, Math.round(32 / unit));
  for (
    let width = step;
    width <= Math.max(2048, 2 * now) && values.length < 96;
    width += width < 512 ? step : width < 1024 ? 2 * step : 4 * step
  ) {
    values.push(width);
  }
  return merged(values, now);
}

/** Nothing where batches are not a number of sequences. */
function microBatch(config: Config): WhatIf[] {
  if ((config['batch.kind'] ?? 'sequences') !== 'sequences') return [];
  return [
    { name: 'batch.micro', label: 'Micro-batch', control: 'slider', values: microBatches(config), note: 'same result' },
  ];
}

/** Micro-batches: divisors of the effective batch, so that each is full. 0 in the settings means the whole batch. */
function microBatches(config: Config): number[] {
  return divisors(Math.max(1, number(config, 'batch.sequences')));
}

export function microBatchOf(config: Config): number {
  return number(config, 'batch.micro') || number(config, 'batch.sequences');
}

/** Sizes of the vocabularies that no setting changes, by kind of tokenizer. */
export type Vocabularies = Readonly<Record<string, number>>;

/** The present value of a what-if, as its control shows it. */
export function shownValue(name: string, config: Config, fixed: Vocabularies): SettingValue {
  if (name === 'batch.micro') return microBatchOf(config);
  if (name === 'tokenizer.vocabulary') return vocabularyOf(config, fixed);
  return config[name];
}

const vocabularyOf = (config: Config, fixed: Vocabularies): number =>
  fixed[String(config['tokenizer.kind'])] ?? number(config, 'tokenizer.vocabulary');

/** Settings that a value of a what-if sets: the vocabulary brings the kind of tokenizer along. */
export function changesFor(
  name: string,
  value: SettingValue,
  config: Config,
  fixed: Vocabularies,
): Record<string, SettingValue> {
  if (name === 'batch.micro') return { 'batch.micro': value === config['batch.sequences'] ? 0 : value };
  if (name === 'tokenizer.vocabulary') {
    const [kind] = Object.entries(fixed).find(([, size]) => size === value) ?? [];
    if (kind !== undefined) return { 'tokenizer.kind': kind };
    return { 'tokenizer.kind': 'bpe', 'tokenizer.vocabulary': value };
  }
  return { [name]: value };
}

/**
 * @param began the configuration before any what-if: the ends of the sliders are its, so that a slider does not grow under the pointer
 *   that drags it
 */
export function whatIfsFor(
  config: Config,
  policies: readonly string[],
  optimizers: readonly string[],
  fixed: Vocabularies,
  began: Config = config,
): WhatIf[] {
  const context = number(began, 'model.context');
  const depth = number(began, 'model.depth');
  return [
    ...microBatch(config),
    {
      name: 'model.context',
      label: 'Context',
      control: 'slider',
      values: merged(powers(16, Math.max(4096, 2 * context), context), number(config, 'model.context')),
    },
    {
      name: 'model.depth',
      label: 'Depth',
      control: 'slider',
      values: merged(
        Array.from({ length: Math.max(32, 2 * depth) }, (_, i) => i + 1),
        number(config, 'model.depth'),
      ),
    },
    {
      name: 'model.width',
      label: 'Width',
      control: 'slider',
      values: merged(widths(began), number(config, 'model.width')),
    },
    {
      name: 'tokenizer.vocabulary',
      label: 'Vocabulary',
      control: 'slider',
      values: merged([...powers(512, 65536, 512), ...Object.values(fixed)], vocabularyOf(config, fixed)),
    },
    {
      name: 'precision.recompute',
      label: 'Recomputation',
      control: 'choice',
      values: ['none', 'attention', 'block'],
      note: 'same result',
    },
    { name: 'precision.policy', label: 'Precision', control: 'choice', values: policies, note: 'other rounding' },
    { name: 'optimizer.kind', label: 'Optimizer', control: 'choice', values: optimizers, note: 'other training' },
  ];
}

/** The overrides with one what-if taken back. */
export function withoutChange(
  overrides: Readonly<Record<string, SettingValue>>,
  name: string,
): Record<string, SettingValue> {
  const gone = name === 'tokenizer.vocabulary' ? ['tokenizer.vocabulary', 'tokenizer.kind'] : [name];
  return Object.fromEntries(Object.entries(overrides).filter(([key]) => !gone.includes(key)));
}
