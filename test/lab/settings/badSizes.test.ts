/** Impossible sizes of every model and attention, each refused with what is wrong and the nearest possible choice. */
import { describe, expect, it } from 'vitest';
import { builtInRegistry, parseConfigFile, resolveConfig } from '../../../main/lab/settings/index.ts';
import { parseSweep, planSweep, sweepFromFlags } from '../../../main/lab/sweeps/index.ts';
import { expectNamed, type Row } from './named.ts';

const registry = builtInRegistry();
const widths = (count: number): string => Array.from({ length: count }, () => 64).join(' ');
const entries = (count: number): string => Array.from({ length: count }, (_, i) => `${i}: heads=2`).join(';');

const rows: [Record<string, string>, Row][] = [
  [
    { 'model.experts': '4', 'model.experts_active': '8' },
    { setting: 'model.experts_active', value: '8', allowed: 'at most model.experts 4', nearest: 4 },
  ],
  [
    { 'model.experts': '4', 'model.experts_active': '0' },
    { setting: 'model.experts_active', value: '0', allowed: 'from 1 to 256', nearest: 1 },
  ],
  [{ 'model.experts': '0' }, { setting: 'model.experts', value: '0', allowed: 'from 1 to 256', nearest: 1 }],
  [
    { 'attention.kind': 'sparsek', 'attention.selected': '129' },
    { setting: 'attention.selected', value: '129', allowed: 'at most model.context 128', nearest: 128 },
  ],
  [
    { 'attention.kind': 'sparsek', 'attention.recent': '500' },
    { setting: 'attention.recent', value: '500', allowed: 'at most model.context 128', nearest: 128 },
  ],
  [
    { 'attention.kind': 'sparse', 'attention.block': '200' },
    { setting: 'attention.block', value: '200', allowed: 'at most model.context 128', nearest: 128 },
  ],
  [
    { 'attention.kind': 'sparse', 'attention.sparse': 'local stride' },
    {
      setting: 'attention.sparse',
      value: 'local stride',
      allowed: 'all, local, strided, fixed',
      nearest: 'local strided',
    },
  ],
  [
    { 'attention.kind': 'sparse', 'attention.sparse': ',' },
    { setting: 'attention.sparse', value: '","', allowed: '1 to 16 of the words', nearest: 'fixed' },
  ],
  [
    { 'attention.kind': 'sparse', 'attention.summary': '20' },
    {
      setting: 'attention.summary',
      value: '20',
      allowed: 'attention.summary × attention.summary_groups at most attention.block 16',
      nearest: 16,
      also: ['20 × 1 = 20'],
    },
  ],
  [
    { 'attention.kind': 'sparse', 'attention.summary': '4', 'attention.summary_groups': '5' },
    {
      setting: 'attention.summary_groups',
      value: '5',
      allowed: 'attention.summary × attention.summary_groups at most attention.block 16',
      nearest: 4,
      also: ['4 × 5 = 20'],
    },
  ],
  [
    { 'attention.kind': 'window_pattern', 'attention.pattern': 'SXSL' },
    { setting: 'attention.pattern', value: 'SXSL', allowed: 'letters S and L', nearest: 'SSSL' },
  ],
  [
    { 'attention.kind': 'window_pattern', 'attention.pattern': 'ssl' },
    { setting: 'attention.pattern', value: 'ssl', allowed: 'letters S and L', nearest: 'SSL' },
  ],
  [
    { 'attention.kind': 'window_pattern', 'attention.pattern': 'xyz' },
    { setting: 'attention.pattern', value: 'xyz', allowed: 'letters S and L', nearest: 'SSSL' },
  ],
  [
    { 'attention.kind': 'window' },
    { setting: 'model.window', value: '0', allowed: 'from 1 to model.context 128', nearest: 64 },
  ],
  [
    { 'model.kv_latent': '32', 'model.rope_size': '3', 'model.positions': 'rotary' },
    { setting: 'model.rope_size', value: '3', allowed: 'an even number', nearest: 4 },
  ],
  [
    { 'model.kv_latent': '0.5' },
    { setting: 'model.kv_latent', value: '0.5', allowed: 'an integer from 0', nearest: 1 },
  ],
  [
    { 'model.widths': '96 64', 'model.depth': '4' },
    {
      setting: 'model.depth',
      value: '4',
      allowed: 'one block more than model.widths has widths',
      nearest: 3,
      also: ['2 + 1 = 3'],
    },
  ],
  // A list is no longer than a model may be deep, whether its depth is given, gives way or follows.
  [{ 'model.widths': widths(1024) }, { setting: 'model.widths', value: '64 64', allowed: 'at most 1023 widths' }],
  [
    { 'model.kind': 'unet', 'model.widths': widths(1100) },
    { setting: 'model.widths', value: '64 64', allowed: 'at most 1023 widths' },
  ],
  [
    { 'model.widths': widths(1024), 'model.depth': '1024' },
    { setting: 'model.widths', value: '64 64', allowed: 'at most 1023 widths' },
  ],
  [
    { 'model.per_layer': entries(1025), 'model.depth': '1024' },
    { setting: 'model.per_layer', value: '0: heads=2', allowed: 'at most 1024 entries', also: ['1025 entries'] },
  ],
  [
    { 'attention.kind': 'window_pattern', 'attention.pattern': 'S'.repeat(1025) },
    { setting: 'attention.pattern', value: 'SSSS', allowed: 'at most 1024 letters', also: ['1,025 characters'] },
  ],
  // What follows from given values is bounded as if it were given.
  [
    { 'model.kind': 'depth-dial', 'model.depth': '24', 'model.aspect_ratio': '4096' },
    {
      setting: 'model.depth',
      value: '24',
      allowed: 'one for which model.width is an integer from 1 to 65536',
      nearest: 16,
      also: ['model.aspect_ratio 4096', 'model.width is 98304'],
    },
  ],
  [
    { 'model.widths': '96 x 64' },
    { setting: 'model.widths', value: '96 x 64', allowed: 'widths from 1 to 65536', nearest: '96 64' },
  ],
  [
    { 'model.widths': '96.5 0 97', 'model.depth': '4' },
    { setting: 'model.widths', value: '96.5 0 97', allowed: 'widths from 1 to 65536', nearest: '96 4 96' },
  ],
  [
    { 'model.widths': '96 63 96' },
    {
      setting: 'model.widths',
      value: '96 63 96',
      allowed: 'multiples of model.heads 4',
      nearest: '96 64 96',
      also: ['63 % 4 = 3'],
    },
  ],
  [
    { 'model.per_layer': '0: headz=2' },
    { setting: 'model.per_layer', value: 'headz', allowed: 'heads, kv_heads', nearest: '0: heads=2' },
  ],
  [{ 'model.per_layer': '1: window=4' }, { setting: 'model.per_layer', value: 'window=4', allowed: 'heads, kv_heads' }],
  [
    { 'model.per_layer': '0 heads=2' },
    { setting: 'model.per_layer', value: '0 heads=2', allowed: '0: heads=2', nearest: '0: heads=2' },
  ],
  [
    { 'model.per_layer': '3-1: heads=2' },
    { setting: 'model.per_layer', value: '3-1', allowed: 'ranges from a lower', nearest: '1-3: heads=2' },
  ],
  [
    { 'model.per_layer': '1: heads=2; 2-9: mlp=relu' },
    { setting: 'model.per_layer', value: '2-9', allowed: 'layers from 0 to 3', nearest: '1: heads=2; 2-3: mlp=relu' },
  ],
  [
    { 'model.per_layer': '0: mlp=relu heads=3; 2: heads=5' },
    {
      setting: 'model.per_layer',
      value: 'heads=3',
      allowed: 'a divisor of model.width 128',
      nearest: '0: mlp=relu heads=4; 2: heads=4',
      also: ['in layer 0', '128 % 3 = 2'],
    },
  ],
  [
    { 'model.per_layer': '0: heads=2', 'model.kv_heads': '4' },
    {
      setting: 'model.per_layer',
      value: '0: heads=2',
      allowed: 'a divisor of model.heads 2',
      nearest: '0: heads=2; 0: kv_heads=2',
      also: ['2 % 4 = 2'],
    },
  ],
  [
    { 'model.attention_width': '63' },
    {
      setting: 'model.attention_width',
      value: '63',
      allowed: 'multiple of model.heads 4',
      nearest: 64,
      also: ['63 % 4 = 3'],
    },
  ],
  [
    { 'model.attention_width': '64', 'model.head_size': '32' },
    { setting: 'model.attention_width', value: '64', allowed: '128, or 0', nearest: 128, also: ['4 × 32 = 128'] },
  ],
  [
    { 'model.kind': 'latent', 'model.heads': '7' },
    {
      setting: 'model.heads',
      value: '7',
      allowed: 'a divisor of model.width',
      nearest: 8,
      also: ['384 % 7 = 6', '48 % 7 = 6'],
    },
  ],
  [
    { 'model.kind': 'latent', 'model.query_divisor': '400' },
    {
      setting: 'model.query_divisor',
      value: '400',
      allowed: 'at most model.width 384',
      nearest: 384,
      also: ['⌊384 / 400⌋ = 0'],
    },
  ],
  [
    { 'model.kind': 'latent', 'model.width': '390', 'model.heads': '4' },
    { setting: 'model.heads', value: '4', allowed: 'model.width 388', nearest: 3, also: ['390 % 4 = 2'] },
  ],
  [
    { 'model.kind': 'classic', 'model.heads': '7' },
    { setting: 'model.heads', value: '7', allowed: 'a divisor of model.width 384', nearest: 8 },
  ],
  [
    { 'model.kind': 'unet', 'model.narrowest': '256' },
    { setting: 'model.narrowest', value: '256', allowed: 'at most model.width 128', nearest: 128 },
  ],
  [
    { 'model.kind': 'unet', 'model.widths': '64 32 48' },
    { setting: 'model.widths', value: '64 32 48', allowed: 'the same widths up as down', nearest: '64 32 64' },
  ],
  [
    { 'model.kind': 'unet', 'model.widths': '64 30 64' },
    { setting: 'model.widths', value: '64 30 64', allowed: 'multiples of model.heads 4', nearest: '64 32 64' },
  ],
  [
    { 'model.kind': 'unet', 'model.window': '1000' },
    { setting: 'model.window', value: '1000', allowed: 'at most model.context 128', nearest: 128 },
  ],
  [
    { 'model.kind': 'depth-dial', 'model.heads': '7' },
    {
      setting: 'model.heads',
      value: '7',
      allowed: 'a divisor of model.width 256',
      nearest: 2,
      also: ['7 × 128 = 896'],
    },
  ],
  [
    { 'model.kind': 'depth-dial', 'model.head_size': '96', 'model.width': '128' },
    { setting: 'model.head_size', value: '96', allowed: 'heads that fill model.width 128', nearest: 128 },
  ],
  [
    { 'model.kind': 'depth-dial', 'model.positions': 'learned' },
    {
      setting: 'model.positions',
      value: 'learned',
      allowed: 'positions of a depth-dial: rotary, none',
      nearest: 'rotary',
    },
  ],
  [
    { 'model.kind': 'depth-dial', 'model.mlp_ratio': '0.0001' },
    { setting: 'model.mlp_ratio', value: '0.0001', allowed: 'at least 1 / model.width', nearest: 1 / 256 },
  ],
  [
    { 'model.kind': 'depthdial' },
    {
      setting: 'model.kind',
      value: 'depthdial',
      allowed: 'gpt, latent, classic, unet, depth-dial',
      nearest: 'depth-dial',
    },
  ],
  [
    { 'attention.kind': 'sparce' },
    { setting: 'attention.kind', value: 'sparce', allowed: 'causal, window', nearest: 'sparse' },
  ],
];

describe('an impossible size', () => {
  // Catches a size that is rounded, clipped or accepted in silence, and a message that does not say what would do.
  it.each(rows)('%o', (overrides, row) => {
    expectNamed(resolveConfig({ registry, overrides }).problems, row);
  });

  it('is mended by the nearest choice, where there is one (catches advice that does not help)', () => {
    for (const [overrides, row] of rows) {
      if (row.nearest === undefined) continue;
      const after = resolveConfig({ registry, overrides: { ...overrides, [row.setting]: row.nearest } });
      expect(after.problems.map(({ message }) => message)).toEqual([]);
    }
  });

  it('begins beyond the largest that is allowed (catches a bound that is off by one)', () => {
    const largest = [
      { 'model.widths': widths(1023), 'model.width': 64 },
      { 'model.kind': 'unet', 'model.widths': widths(1023), 'model.width': 64 },
      { 'attention.kind': 'window_pattern', 'attention.pattern': 'S'.repeat(1024) },
      { 'model.kind': 'depth-dial', 'model.depth': 16, 'model.aspect_ratio': 4096 },
    ];
    for (const overrides of largest) expect(resolveConfig({ registry, overrides }).problems).toEqual([]);
  });

  it('starts nothing from flags, a config file or a sweep file (catches a way in past the check)', () => {
    const [overrides, row] = rows[0]!;
    const values = Object.fromEntries(Object.entries(overrides).map(([name, value]) => [name, [value]]));
    const flags = planSweep({ registry, sweep: sweepFromFlags(values, { registry }).sweep });
    expect(flags.runs).toEqual([]);
    expect(flags.problems[0]!.message).toContain(`${row.setting} is ${row.value}; allowed: ${row.allowed}`);
    const lines = Object.entries(overrides).map(([name, value]) => `  ${name}: ${value}\n`);
    expectNamed(
      resolveConfig({ registry, file: parseConfigFile(lines.join('').replaceAll('  ', ''), 'c.yaml') }).problems,
      {
        ...row,
        also: ['c.yaml:2:1'],
      },
    );
    const file = parseSweep(
      `method: grid\nsettings:\n${lines.join('')}parameters: { model.depth: { values: [1, 2] } }\n`,
    );
    const { runs, dropped } = planSweep({ registry, sweep: file.sweep!, places: file.places });
    expect(runs).toEqual([]);
    expectNamed([dropped[0]!.problem], row);
  });
});
