/** Plans are remembered: whatever changes a plan must change its key. */
import { describe, expect, it } from 'vitest';
import { builtInCatalog } from '../../../main/engine/catalog.ts';
import { modelKey, optimizerKey } from '../../../main/lab/fit/memo.ts';
import { programKey, programsOf } from '../../../main/engine/nn/programs.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import type { Config, SettingSpec, SettingValue } from '../../../preload/contract/settings.ts';

const registry = builtInRegistry();
const keyOf = (config: Config): string =>
  JSON.stringify([
    modelKey(config, builtInCatalog),
    optimizerKey(config, builtInCatalog),
    programsOf(config).map(programKey),
  ]);

/** Configurations in which, together, every setting applies. */
const bases: readonly Config[] = [
  { ...registry.defaults, 'model.kv_latent': 8, 'model.positions': 'rotary' },
  ...registry.specs.flatMap(({ name, type }) =>
    type.kind === 'enum' ? type.values.map((value) => ({ ...registry.defaults, [name]: value })) : [],
  ),
];

function othersThan(spec: SettingSpec, value: SettingValue): SettingValue[] {
  const { type } = spec;
  if (type.kind === 'enum') return type.values.filter((each) => each !== value);
  if (type.kind === 'bool') return [value !== true];
  if (type.kind === 'string') {
    // `32 64@100` becomes `64 64@100`.
    const doubled = String(value).replace(/\d+/u, (digits) => String(2 * Number(digits)));
    if (type.pattern !== undefined && doubled !== value && new RegExp(type.pattern, 'u').test(doubled))
      return [doubled];
  }
  const { min = -Infinity, max = Infinity } = type.kind === 'string' ? {} : type;
  const numbers = type.kind === 'int' ? [1, 2, 512, 4096] : [0.25, 0.5];
  return numbers.filter((each) => each !== value && each >= min && each <= max);
}

describe('keys of remembered plans', () => {
  // The device is a part of the key beside these; a choice of one cannot change.
  const memory = registry.specs.filter(
    ({ name, type, touches }) =>
      touches?.includes('memory') && name !== 'device' && !(type.kind === 'enum' && type.values.length === 1),
  );

  it('are looked at for many settings', () => expect(memory.length).toBeGreaterThan(20));

  // Would catch a setting that adds state or activations while an old plan is still shown.
  it.each(memory.map((spec) => [spec.name, spec] as const))('change with %s', (name, spec) => {
    const where = bases.filter((base) => registry.applies(name, base));
    expect(where.length).toBeGreaterThan(0);
    // A setting may act through those that are derived from it.
    const settled = (base: Config, value: SettingValue): Config =>
      builtInCatalog.withDefaults(
        { ...base, [name]: value },
        (each) => each === name || base[each] !== registry.defaults[each],
      ).config;
    const changed = where.some((base) => {
      const before = keyOf(settled(base, base[name]!));
      return othersThan(spec, base[name]!).some((value) => keyOf(settled(base, value)) !== before);
    });
    expect(changed).toBe(true);
  });

  // Would catch a sweep over learning rates that plans every run again.
  it('stay where only numbers change', () => {
    const base = registry.defaults;
    const same: Config = {
      seed: 7,
      'optimizer.lr': 0.5,
      'schedule.kind': 'linear',
      'stop.steps': 9,
      'log.every_steps': 3,
    };
    expect(keyOf({ ...base, ...same })).toBe(keyOf(base));
  });
});
