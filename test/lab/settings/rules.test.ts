import { describe, expect, it } from 'vitest';
import type { SettingValue } from '../../../preload/contract/settings.ts';
import { deriveModel } from '../../../main/engine/nn/models/gpt.dimensions.ts';
import { builtInCatalog } from '../../../main/engine/catalog.ts';
import { checkValue } from '../../../preload/shared/settings/values.ts';
import { builtInRegistry } from '../../../main/lab/settings/index.ts';
import { Stream } from '../../../main/engine/random/stream.ts';

const registry = builtInRegistry();
const check = (values: Record<string, SettingValue>) => builtInCatalog.check({ ...registry.defaults, ...values });

describe('model sizes', () => {
  it('refuses exactly what cannot be built (catches the crash of width 100 with 5 heads in the middle of a sweep)', () => {
    for (let width = 1; width <= 48; width++)
      for (let heads = 1; heads <= 12; heads++)
        for (const positions of ['learned', 'rotary', 'sinusoidal'])
          for (const kv of [0, 2, 3]) {
            const values = {
              'model.width': width,
              'model.heads': heads,
              'model.positions': positions,
              'model.kv_heads': kv,
            };
            let works = true;
            try {
              const { headSize } = deriveModel({ ...registry.defaults, ...values });
              if (positions === 'rotary') works = headSize % 2 === 0;
              if (positions === 'sinusoidal') works = width % 2 === 0;
            } catch {
              works = false;
            }
            expect(check(values).problems.length === 0, JSON.stringify(values)).toBe(works);
          }
  });

  it('names a nearest choice that mends the rule (catches a suggestion that fails again)', () => {
    const random = new Stream(3, 'test');
    let mended = 0;
    for (let i = 0; i < 3000; i++) {
      const values: Record<string, SettingValue> = {
        'model.width': 1 + random.int(96),
        'model.heads': 1 + random.int(16),
        'model.kv_heads': random.int(9),
        'model.head_size': random.int(3) === 0 ? random.int(20) : 0,
        'model.window': random.int(300),
        'model.mlp_ratio': random.uniform() * 2 + 0.001,
        'model.positions': ['rotary', 'sinusoidal', 'learned'][random.int(3)],
        'batch.micro': random.int(40),
        'schedule.warmup_steps': random.int(900),
      };
      for (const { setting, nearest, code } of check(values).problems) {
        if (nearest === undefined) continue;
        const after = check({ ...values, [setting]: nearest }).problems;
        expect(
          after.map((found) => found.code),
          JSON.stringify({ values, setting, nearest }),
        ).not.toContain(code);
        expect(checkValue(registry.get(setting)!, nearest)).toBeNull();
        mended++;
      }
    }
    expect(mended).toBeGreaterThan(1000);
  });

  it('leaves models of plug-ins to their own rules (catches gpt rules refusing a model without heads)', () => {
    expect(check({ 'model.kind': 'mine', 'model.width': 65, 'model.heads': 2 }).problems).toEqual([]);
  });

  it('says what an MLP width was rounded to (catches silent rounding)', () => {
    const [warning] = check({ 'model.width': 128, 'model.mlp_ratio': 8 / 3 }).warnings;
    expect(warning.code).toBe('model.mlp_width_rounded');
    expect(warning.message).toContain('rounded to a width of 344');
  });

  it('says when a latent keeps no less than the keys and values it replaces (catches one that costs and saves nothing)', () => {
    const sizes = { 'model.width': 64, 'model.heads': 4, 'model.kv_heads': 2, 'model.positions': 'rotary' };
    // Two heads of 16 keys and 16 values: 64 numbers; the rotary key beside the latent counts too.
    const [warning] = check({ ...sizes, 'model.kv_latent': 56, 'model.rope_size': 8 }).warnings;
    expect(warning).toMatchObject({ code: 'model.kv_latent_saves', setting: 'model.kv_latent', nearest: 55 });
    expect(warning.message).toContain('56 + model.rope_size 8 = 64');
    expect(warning.message).toContain('2 × 2 × 16 = 64');
    expect(check({ ...sizes, 'model.kv_latent': 55, 'model.rope_size': 8 }).warnings).toEqual([]);
    expect(check({ ...sizes, 'model.positions': 'learned', 'model.kv_latent': 63 }).warnings).toEqual([]);
  });
});

describe('budget', () => {
  const codes = (values: Record<string, SettingValue>): string[] => {
    const { problems, warnings } = check(values);
    return [...problems, ...warnings].map(({ code }) => code);
  };
  const off = { 'stop.steps': 0 };

  it.each([
    [{ 'schedule.warmup_steps': 5, 'schedule.warmup_tokens': 5 }, 'schedule.one_warmup'],
    [{ 'schedule.horizon_steps': 5, 'schedule.horizon_tokens': 5 }, 'schedule.one_horizon'],
    [
      { 'schedule.kind': 'step', 'schedule.step_every_steps': 5, 'schedule.step_every_tokens': 5 },
      'schedule.one_step_length',
    ],
    [{ 'schedule.kind': 'step' }, 'schedule.step_length_missing'],
    [{ 'schedule.warmup_steps': 50, 'schedule.horizon_steps': 49 }, 'schedule.warmup_in_horizon'],
    [{ 'schedule.warmup_tokens': 4097, 'schedule.horizon_steps': 1 }, 'schedule.warmup_in_horizon'],
    [{ 'schedule.warmup_steps': 501 }, 'schedule.warmup_in_run'],
    [{ 'schedule.warmup_tokens': 500 * 4096 + 1 }, 'schedule.warmup_in_run'],
    [{ 'schedule.warmup_steps': 2, ...off, 'stop.tokens': 4096 }, 'schedule.warmup_in_run'],
    [{ 'schedule.warmup_steps': 900, 'schedule.horizon_steps': 1000 }, 'schedule.peak_unreached'],
    [{ 'schedule.warmup_steps': 900, 'schedule.kind': 'constant' }, 'schedule.peak_unreached'],
    [{ ...off }, 'stop.none'],
    [{ ...off, 'stop.loss': 2 }, 'schedule.horizon_unknown'],
    [{ ...off, 'stop.seconds': 60 }, 'schedule.follows_the_clock'],
    [{ ...off, 'stop.seconds': 60, 'schedule.kind': 'wsd', 'schedule.decay_steps': 9 }, 'schedule.decay_by_the_clock'],
    [{ 'stop.loss': 2, 'eval.every_steps': 0 }, 'stop.loss_needs_evaluations'],
    [{ ...off, 'stop.loss': 2, 'schedule.kind': 'constant' }, 'stop.loss_alone'],
    [{ 'stop.tokens': 500 * 4096 + 1 }, 'stop.tokens_unreached'],
    [{ 'batch.micro': 5 }, 'batch.micro_divides_batch'],
    [{ 'data.validation': 0 }, 'data.validation_missing'],
    [{ 'data.size': 2000 }, 'data.validation_too_small'],
    [{ 'optimizer.kind': 'sgd', 'optimizer.nesterov': true }, 'optimizer.nesterov_needs_momentum'],
  ])('%o breaks %s (catches a run that cannot do what was asked)', (values, code) => {
    expect(codes(values as Record<string, SettingValue>)).toContain(code);
  });

  it('lets a run end inside its warm-up where the schedule has no end of its own (catches a warm-up study refused)', () => {
    expect(check({ 'schedule.warmup_steps': 900, 'schedule.kind': 'constant' }).problems).toEqual([]);
  });

  it.each([
    { 'schedule.warmup_steps': 500 },
    { 'schedule.warmup_steps': 50, 'schedule.horizon_steps': 50 },
    { ...off, 'stop.seconds': 60, 'schedule.kind': 'constant' },
    { ...off, 'stop.seconds': 60, 'schedule.horizon_steps': 100 },
    { ...off, 'stop.seconds': 60, 'stop.epochs': 1 },
    { ...off, 'stop.flops': 1e12 },
    { 'stop.tokens': 500 * 4096 },
    { 'data.validation': 0, 'data.validation_path': 'val.txt' },
    { 'data.corpus': 'book.txt' },
  ])('%o is fine (catches a rule that refuses too much)', (values) => {
    expect(codes(values as unknown as Record<string, SettingValue>)).toEqual([]);
  });
});
