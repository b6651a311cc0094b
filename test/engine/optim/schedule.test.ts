import { describe, expect, test } from 'vitest';
import { builtInCatalog } from '../../../main/engine/catalog.ts';
import { buildSchedule, ScheduleError, scheduleWarnings } from '../../../main/engine/optim/schedule.ts';
import type { Config } from '../../../preload/contract/settings.ts';
import { testConfig } from '../train/helpers.ts';

const TOKENS = 512;
const END = { steps: 100, tokensPerStep: TOKENS };

/** Multipliers at these steps, with full batches. */
function at(
  settings: Config,
  steps: readonly number[],
  end: { steps: number | undefined; tokensPerStep: number } = END,
) {
  const named = Object.fromEntries(Object.entries(settings).map(([name, value]) => [`schedule.${name}`, value]));
  const schedule = buildSchedule(testConfig(named), end);
  return steps.map((step) => schedule({ step, tokens: step * end.tokensPerStep }));
}

const close = (found: readonly number[], wanted: readonly number[]) =>
  found.forEach((value, i) => expect(value, `point ${i}`).toBeCloseTo(wanted[i]!, 12));

describe('schedules at tabulated points', () => {
  test('warm-up: the first step has a rate above zero, its last step the peak (catches off-by-one and a wasted first step)', () => {
    close(at({ kind: 'constant', warmup_steps: 4 }, [0, 1, 2, 3, 4, 50]), [0.25, 0.5, 0.75, 1, 1, 1]);
    close(at({ kind: 'constant', warmup_steps: 4, start: 0.2 }, [0, 1, 2, 3]), [0.4, 0.6, 0.8, 1]);
    close(at({ kind: 'constant', warmup_steps: 1 }, [0, 1]), [1, 1]);
    const from = { kind: 'constant', warmup_steps: 4, start: 0.2, from_start: true };
    close(at(from, [0, 1, 3, 4, 5]), [0.2, 0.4, 0.8, 1, 1]);
  });

  test('cosine from the peak to the final fraction at the horizon and flat beyond (catches a second rise)', () => {
    const f = 0.1;
    const half = f + (1 - f) / 2;
    const quarter = f + ((1 - f) * (1 + Math.SQRT1_2)) / 2;
    close(at({ kind: 'cosine' }, [0, 25, 50, 100, 150]), [1, quarter, half, f, f]);
    close(at({ kind: 'cosine', warmup_steps: 20 }, [19, 20, 40, 60, 100]), [1, 1, quarter, half, f]);
    close(at({ kind: 'cosine', horizon_steps: 40, final: 0 }, [20, 40, 41]), [0.5, 0, 0]);
  });

  test('linear', () => {
    close(at({ kind: 'linear', final: 0 }, [0, 25, 50, 75, 100, 130]), [1, 0.75, 0.5, 0.25, 0, 0]);
    close(at({ kind: 'linear', final: 0.2, warmup_steps: 50 }, [24, 50, 75, 100]), [0.5, 1, 0.6, 0.2]);
  });

  test('step drops exactly at its multiples, whatever the warm-up', () => {
    const steps = [0, 9, 10, 19, 20, 30];
    close(at({ kind: 'step', step_every_steps: 10, step_factor: 0.5 }, steps), [1, 1, 0.5, 0.5, 0.25, 0.125]);
    close(
      at({ kind: 'step', step_every_steps: 10, step_factor: 0.5, warmup_steps: 5 }, steps.slice(1)),
      [1, 0.5, 0.5, 0.25, 0.125],
    );
  });

  test('inverse power is 1 where the warm-up ends and scale-free after it', () => {
    close(at({ kind: 'inverse_power', power: 0.5 }, [0, 3, 8, 99]), [1, 0.5, 1 / 3, 0.1]);
    close(at({ kind: 'inverse_power', power: 0.5, warmup_steps: 4 }, [1, 3, 15, 63]), [0.5, 1, 0.5, 0.25]);
    close(at({ kind: 'inverse_power', power: 1, warmup_steps: 10 }, [9, 19, 99]), [1, 0.5, 0.1]);
  });

  test('wsd stays at the peak until the last part, and falls as it is told', () => {
    const stable = [0, 40, 79, 80];
    close(at({ kind: 'wsd', final: 0 }, [...stable, 85, 90, 100, 140]), [1, 1, 1, 1, 0.75, 0.5, 0, 0]);
    const last = { kind: 'wsd', decay_fraction: 0.4, final: 0.2, warmup_steps: 20 };
    close(at(last, [19, 20, 60, 70, 80, 100]), [1, 1, 1, 0.8, 0.6, 0.2]);
    close(at({ ...last, decay_shape: 'cosine' }, [60, 70, 80, 100]), [1, 0.2 + 0.4 * (1 + Math.SQRT1_2), 0.6, 0.2]);
    close(at({ ...last, decay_shape: 'root', final: 0 }, [60, 70, 80, 100]), [1, 0.5, 1 - Math.SQRT1_2, 0]);
    close(at({ ...last, decay_steps: 10 }, [60, 90, 95, 100]), [1, 1, 0.6, 0.2]);
    close(at({ ...last, decay_tokens: 10 * TOKENS }, [60, 90, 95, 100]), [1, 1, 0.6, 0.2]);
  });

  test('wsd is the multiplier of nanochat: warm-up, flat, the last 65 % in a line (catches a part counted from the warm-up)', () => {
    const steps = 528;
    const nanochat = (it: number): number => {
      const [warm, down] = [40, Math.round(0.65 * steps)];
      if (it < warm) return (it + 1) / warm;
      if (it <= steps - down) return 1;
      const left = (steps - it) / down;
      return left + (1 - left) * 0.05;
    };
    const points = [0, 1, 39, 40, 184, 185, 186, 300, 527, 528];
    const kind = { kind: 'wsd', warmup_steps: 40, decay_steps: Math.round(0.65 * steps), final: 0.05 };
    close(at(kind, points, { steps, tokensPerStep: TOKENS }), points.map(nanochat));
  });

  test('exponential falls by a share at each step (the positions of hlb-gpt)', () => {
    close(at({ kind: 'exponential', base: 0.995 }, [0, 1, 100, 1000]), [1, 0.995, 0.995 ** 100, 0.995 ** 1000]);
    const inTokens = at({ kind: 'exponential', base: 0.995, unit: 'tokens' }, [100], {
      steps: 1,
      tokensPerStep: 57_236,
    });
    // By the token it would be 1e-125 after one step.
    close(inTokens, [0.995 ** 100]);
  });

  test('lengths as fractions are those of the horizon, or of the run without one (catches a share of the unit)', () => {
    const points = [0, 9, 10, 19, 60, 100];
    close(at({ kind: 'constant', warmup_fraction: 0.2 }, points), at({ kind: 'constant', warmup_steps: 20 }, points));
    close(
      at({ kind: 'cosine', warmup_fraction: 0.2, horizon_tokens: 50 * TOKENS }, points),
      at({ kind: 'cosine', warmup_steps: 10, horizon_steps: 50 }, points),
    );
    close(at({ kind: 'step', step_every_fraction: 0.25 }, points), at({ kind: 'step', step_every_steps: 25 }, points));
    expect(() => at({ kind: 'constant', warmup_fraction: 0.2 }, [0], { steps: undefined, tokensPerStep: 1 })).toThrow(
      /schedule\.warmup_fraction is 0\.2.*schedule\.warmup_steps/,
    );
  });

  test('a unit that is chosen is that of every position (catches steps where rows are of several lengths)', () => {
    const of = (settings: Config) =>
      buildSchedule(testConfig({ 'schedule.kind': 'power_law', 'schedule.power': 0.5, ...settings }), END);
    const position = { step: 8, tokens: 3 * TOKENS };
    expect(of({})(position)).toBeCloseTo(1 / 3, 12);
    expect(of({ 'schedule.unit': 'tokens' })(position)).toBeCloseTo(0.5, 12);
    expect(of({ 'schedule.warmup_tokens': 2 * TOKENS })(position)).toBeCloseTo(2 ** -0.5, 12);
  });

  test('a horizon in seconds follows the clock', () => {
    const config = testConfig({ 'schedule.kind': 'linear', 'schedule.final': 0, 'schedule.horizon_seconds': 60 });
    const schedule = buildSchedule(config, { steps: undefined, tokensPerStep: TOKENS });
    const found = [0, 15, 60, 90].map((seconds) => schedule({ step: 3, tokens: 3 * TOKENS, seconds }));
    close(found, [1, 0.75, 0, 0]);
  });

  // Values of torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=101, pct_start=.3, div_factor=25, final_div_factor=250).
  test('one cycle rises and falls along cosines', () => {
    const cycle = { kind: 'one_cycle', rise_fraction: 0.3, rise_from: 0.04, final: 1e-4 };
    close(at(cycle, [0, 15, 30, 65, 100, 120]), [0.04, 0.52, 1, 0.50005, 1e-4, 1e-4]);
  });

  test('power law falls from the end of the warm-up (the points of hlb-gpt after its warm-up)', () => {
    const hlb = { kind: 'power_law', power: 0.08, warmup_steps: 100, start: 0.02 };
    close(at(hlb, [99, 100, 101, 199, 1099]), [1, 1, 2 ** -0.08, 100 ** -0.08, 1000 ** -0.08]);
    close(at({ kind: 'power_law', power: 0.2 }, [0, 1, 31]), [1, 2 ** -0.2, 0.5]);
  });

  // A power law of tokens tuned for steps falls to 0.4 of the peak one batch after it.
  test('lengths in tokens give the same multipliers as in steps, for every kind and batch size', () => {
    const kinds: [Config, Config][] = [
      [
        { kind: 'cosine', warmup_steps: 8, horizon_steps: 60 },
        { kind: 'cosine', warmup_tokens: 8, horizon_tokens: 60 },
      ],
      [
        { kind: 'linear', warmup_steps: 8 },
        { kind: 'linear', warmup_tokens: 8 },
      ],
      [
        { kind: 'step', step_every_steps: 7 },
        { kind: 'step', step_every_tokens: 7 },
      ],
      [
        { kind: 'inverse_power', warmup_steps: 8, power: 0.3 },
        { kind: 'inverse_power', warmup_tokens: 8, power: 0.3 },
      ],
      [
        { kind: 'wsd', warmup_steps: 8, horizon_steps: 60 },
        { kind: 'wsd', warmup_tokens: 8, horizon_tokens: 60 },
      ],
      [
        { kind: 'one_cycle', horizon_steps: 60 },
        { kind: 'one_cycle', horizon_tokens: 60 },
      ],
      [
        { kind: 'power_law', warmup_steps: 8, power: 0.3 },
        { kind: 'power_law', warmup_tokens: 8, power: 0.3 },
      ],
      [
        { kind: 'constant', warmup_steps: 8, start: 0.1 },
        { kind: 'constant', warmup_tokens: 8, start: 0.1 },
      ],
    ];
    const steps = [0, 1, 6, 7, 8, 9, 14, 21, 59, 60, 61, 99, 1000];
    for (const tokensPerStep of [1, 96, 57_236]) {
      for (const [inSteps, inTokens] of kinds) {
        const scaled = Object.fromEntries(
          Object.entries(inTokens).map(([name, value]) => [
            name,
            name.endsWith('_tokens') ? (value as number) * tokensPerStep : value,
          ]),
        );
        close(at(scaled, steps, { steps: 100, tokensPerStep }), at(inSteps, steps, { steps: 100, tokensPerStep }));
      }
    }
  });

  test('a schedule in tokens follows the tokens really seen, not the steps', () => {
    const config = testConfig({
      'schedule.kind': 'linear',
      'schedule.final': 0,
      'schedule.horizon_tokens': 10 * TOKENS,
    });
    const schedule = buildSchedule(config, END);
    expect(schedule({ step: 3, tokens: 5 * TOKENS })).toBeCloseTo(0.5, 12);
  });

  test('a run that time ends has its schedule in time, and what counts steps still does', () => {
    const end = { steps: undefined, seconds: 10, tokensPerStep: TOKENS };
    const of = (settings: Config) => buildSchedule(testConfig(settings), end);
    // Each step takes a quarter of a second.
    const rates = (schedule: ReturnType<typeof of>) =>
      [0, 4, 20, 40, 60].map((step) => schedule({ step, tokens: step * TOKENS, seconds: step / 4 }));
    const linear = { 'schedule.kind': 'linear', 'schedule.final': 0 };
    close(rates(of(linear)), [1, 0.9, 0.5, 0, 0]);
    close(rates(of({ ...linear, 'schedule.warmup_fraction': 0.2 })), [0, 0.5, 5 / 8, 0, 0]);
    close(rates(of({ ...linear, 'schedule.warmup_steps': 8 })), [1 / 8, 5 / 8, 0.5, 0, 0]);
    close(rates(of({ 'schedule.kind': 'constant', 'schedule.warmup_fraction': 0.2 })), [0, 0.5, 1, 1, 1]);
    const wsd = { 'schedule.kind': 'wsd', 'schedule.final': 0, 'schedule.decay_fraction': 0.75 };
    close(rates(of(wsd)), [1, 1, 2 / 3, 0, 0]);
    // Steps that are known say where the schedule ends, though time may end the run before.
    const both = buildSchedule(testConfig(linear), { ...end, steps: 100 });
    expect(both({ step: 50, tokens: 50 * TOKENS, seconds: 9 })).toBeCloseTo(0.5, 12);
  });

  test('what cannot be scheduled is refused with the settings to change', () => {
    expect(() => at({ kind: 'cosine' }, [0], { steps: undefined, tokensPerStep: 1 })).toThrow(
      /schedule\.horizon_steps.*schedule\.kind constant/,
    );
    expect(() => at({ kind: 'step' }, [0])).toThrow(/schedule\.step_every_steps/);
    expect(() => at({ warmup_steps: 3, warmup_tokens: 5 }, [0])).toThrow(ScheduleError);
    expect(at({ kind: 'cosine', horizon_steps: 4, final: 0 }, [4], { steps: undefined, tokensPerStep: 1 })).toEqual([
      0,
    ]);
  });

  test('units are never mixed in silence', () => {
    const rules = (settings: Config) => {
      const { problems, warnings } = builtInCatalog.check(testConfig(settings));
      return { problems: problems.map(({ message }) => message), warnings: warnings.map(({ message }) => message) };
    };
    const mixed = { 'schedule.warmup_steps': 2, 'schedule.horizon_tokens': 256 };
    expect(rules(mixed).problems).toEqual([]);
    expect(rules(mixed).warnings.join()).toMatch(/horizon_tokens tokens, 64 of them a step, so it is 4 steps/u);
    const growing = { ...mixed, 'stop.steps': 3, 'batch.length': 'listed', 'batch.lengths': '3 4@1' };
    expect(rules(growing).warnings.join()).toMatch(/tokens, \d+(?:\.\d)? of them a step, so it is \d+(?:\.\d)? steps/u);
    expect(rules({ ...mixed, 'schedule.unit': 'steps' }).problems.join()).toMatch(
      /schedule\.unit is "steps" \(beside schedule\.horizon_tokens 256\).*nearest: auto, or schedule\.horizon_tokens 0/u,
    );
    expect(rules({ 'schedule.warmup_tokens': 2, 'schedule.warmup_fraction': 0.1 }).problems.join()).toMatch(
      /one of schedule\.warmup_steps, schedule\.warmup_tokens and schedule\.warmup_fraction/u,
    );
    expect(rules({ 'schedule.horizon_seconds': 60, 'stop.seconds': 60 }).warnings.join()).toMatch(/not the same, bit/u);
  });

  test('a warm-up that never ends is warned about', () => {
    expect(scheduleWarnings(testConfig({ 'schedule.warmup_steps': 200 }), END).join()).toMatch(
      /never reached.*drops at once/s,
    );
    expect(scheduleWarnings(testConfig({ 'schedule.warmup_steps': 10 }), END)).toEqual([]);
  });
});
