/** Diagnostics of a run, recomputed from its checkpoints by code that knows nothing of graphs; and that they disturb nothing. */
import { describe, expect, test } from 'vitest';
import type { Config } from '../../../preload/contract/settings.ts';
import type { PreparedData } from '../../../main/engine/train/data.ts';
import { FrequencyBins } from '../../../main/engine/train/frequencyBins.ts';
import { sparsekByDefinition } from '../../oracles/sparsek.ts';
import { fakeData } from './fakeData.ts';
import { Forward } from './forward.ts';
import type { Seen, Tensors } from './forward.ts';
import { temporaryFolder, testConfig } from './helpers.ts';
import { stopDuring, tensorsOf, train } from './laboratory.ts';

const settings: Config = {
  'log.diagnostics': 'all',
  'log.diagnostics_steps': 2,
  'log.checkpoint_steps': 1,
  'model.depth': 2,
  'model.norm': 'rmsnorm',
  'model.norm_position': 'pre',
  'model.positions': 'learned',
  'model.mlp': 'relu',
  'model.bias': false,
  'model.tied': true,
  'batch.micro': 2,
  'eval.every_steps': 0,
  'optimizer.kind': 'adamw',
  'optimizer.lr': 0.01,
  'optimizer.weight_decay': 0.1,
  'optimizer.clip': 0,
  'schedule.kind': 'constant',
};

const norm = (arrays: readonly ArrayLike<number>[]): number =>
  Math.sqrt(arrays.reduce((sum, each) => sum + Array.from(each).reduce((own, x) => own + x * x, 0), 0));
const minus = (a: Float32Array, b: Float32Array): Float64Array => Float64Array.from(a, (x, i) => x - b[i]!);

/** Weights and moments after so many steps of the same run. */
async function after(steps: number, config: Config) {
  const made = await train({ config: { ...config, 'stop.steps': steps }, folder: await temporaryFolder() });
  expect(made.end.state, made.end.reason).toBe('finished');
  return { ...made, tensors: (await tensorsOf(made.host)) as Tensors };
}

describe('diagnostics', () => {
  test.each([
    ['cpu', 'adamw'],
    ['tfjs-cpu', 'adamw'],
    ['cpu', 'nadam'],
  ])('%s, %s: are what checkpoints and the batch say', async (device, optimizer) => {
    const config = testConfig({ ...settings, device, 'optimizer.kind': optimizer });
    const [before, step] = [await after(3, config), await after(4, config)];
    const [old, now] = [before.tensors, step.tensors];
    const at = (name: string): number => step.host.series.get(name)?.get(4) ?? Number.NaN;
    const same = (name: string, expected: number): void => {
      const found = at(name);
      expect(Math.abs(found - expected), `${name}: ${found}, ${expected}`).toBeLessThan(
        1e-4 * Math.abs(expected) + 1e-6,
      );
    };
    const names = Object.keys(old).filter((name) => !name.includes(':'));
    const [beta1, beta2] = [config['optimizer.beta1'] as number, config['optimizer.beta2'] as number];
    const gradient = (name: string): Float64Array =>
      Float64Array.from(now[`${name}:first`]!, (m, i) => (m - beta1 * old[`${name}:first`]![i]!) / (1 - beta1));
    const moved = (name: string) => minus(now[name]!, old[name]!);
    for (const layer of [0, 1]) {
      const own = names.filter((name) => name.startsWith(`block.${layer}.`));
      const gains = own.filter((name) => name.endsWith('gain'));
      expect(gains).toHaveLength(2);
      same(`layer_grad_norm[${layer}]`, norm(own.map(gradient)));
      same(`layer_param_norm[${layer}]`, norm(own.map((name) => old[name]!)));
      same(`layer_update_norm[${layer}]`, norm(own.map(moved)));
      same(`update_to_weight_ratio[${layer}]`, norm(own.map(moved)) / norm(own.map((name) => old[name]!)));
      same(`ln_weight_grad_norm[${layer}]`, norm(gains.map(gradient)));
      same(`ln_gain[${layer}]`, norm(gains.map((name) => old[name]!)) / Math.sqrt(32));
    }
    same('grad/norm', norm(names.map(gradient)));
    same('global_param_norm', norm(names.map((name) => old[name]!)));
    same('param_update_norm', norm(names.map(moved)));
    const mean = (name: string) => Float64Array.from(now[`${name}:first`]!, (m) => m / (1 - beta1 ** 4));
    const spread = (name: string) => Float64Array.from(now[`${name}:second`]!, (v) => v / (1 - beta2 ** 4));
    same('adam_m_norm', norm(names.map(mean)));
    same('adam_v_norm', norm(names.map(spread)));
    const signal = (name: string) => {
      const v = spread(name);
      return mean(name).map((m, i) => m / (Math.sqrt(v[i]!) + 1e-8));
    };
    same('adam_elemwise_snr_norm', norm(names.map(signal)));

    const data: PreparedData = await fakeData()({ config, cache: '' });
    const batch = data.rows(3 * 4, 2);
    const forward = new Forward(old, config, batch.inputs, 2);
    for (const layer of [0, 1]) {
      const { stream, hidden, entropy, top } = forward.layers[layer]!;
      same(`activation_norm[${layer}]`, norm([stream]) / Math.sqrt(stream.length));
      same(`activation_max[${layer}]`, Math.max(...stream.map(Math.abs)));
      const units = 64;
      const usual = norm([hidden]) / Math.sqrt(hidden.length);
      const dead = Array.from({ length: units }, (_, unit) =>
        Number(hidden.every((x, i) => i % units !== unit || Math.abs(x) <= 1e-3 * usual)),
      );
      same(`dead_units[${layer}]`, dead.reduce((sum, each) => sum + each, 0) / units);
      for (const head of [0, 1]) {
        same(`attention_entropy[${layer},${head}]`, entropy[head]!);
        same(`attention_logit_max[${layer},${head}]`, top[head]!);
      }
    }
    same('logit_max', Math.max(...forward.logits));
    // What cannot be is not measured: relu has no flat end but zero, and nothing is capped.
    expect([...step.host.series.keys()].filter((name) => /saturated|capped/u.test(name))).toEqual([]);
    const losses = forward.losses(batch.targets);
    const frequencies = FrequencyBins.of(data);
    const byPlace = (name: string, place: (i: number) => number): void => {
      for (const [bin, of] of Map.groupBy(losses.keys(), place))
        same(`${name}[${bin}]`, of.reduce((sum, i) => sum + losses[i]!, 0) / of.length);
    };
    byPlace('loss_by_position', (i) => [1, 2, 4, 8, 16].find((last) => (i % 16) + 1 <= last)!);
    byPlace('loss_by_frequency', (i) => frequencies.placeOf(batch.targets[i]!));

    // A step with the first micro-batch alone has the small gradient.
    const alone = await after(1, { ...config, 'batch.sequences': 2 });
    const first = (host: typeof step.host, name: string): number => host.series.get(name)!.get(1)!;
    const [small, large] = [alone.host, step.host].map((host) => first(host, 'grad/norm') ** 2) as [number, number];
    const noise = { trace: (small - large) / (1 / 32 - 1 / 64), squared: (64 * large - 32 * small) / (64 - 32) };
    expect(first(step.host, 'gradient_noise_trace') / noise.trace).toBeCloseTo(1, 4);
    expect(first(step.host, 'gradient_noise_squared') / noise.squared).toBeCloseTo(1, 4);
  });

  test.each(['cpu', 'tfjs-cpu'])('%s: see the numbers of moments that are kept in bytes', async (device) => {
    const config = testConfig({ ...settings, device, 'optimizer.moments': '8bit', 'model.width': 64 });
    const { host, tensors } = await after(2, config);
    const squares = { m: 0, v: 0, inBytes: 0 };
    for (const [name, first] of Object.entries(tensors).filter(([key]) => key.endsWith(':first'))) {
      const [kept, second] = [name.slice(0, -':first'.length), tensors[name.replace(/first$/u, 'second')]!];
      const [scale, largest] = ['first_scale', 'second_scale'].map((key) => tensors[`${kept}:${key}`]);
      if (scale !== undefined) squares.inBytes++;
      for (const [i, code] of first.entries()) {
        const [k, block] = [(code - 127) / 127, i >> 8];
        squares.m += (scale === undefined ? code : Math.sign(k) * k ** 4 * scale[block]!) ** 2;
        squares.v += (largest === undefined ? second[i]! : (second[i]! / 255) ** 8 * largest[block]!) ** 2;
      }
    }
    expect(squares.inBytes).toBeGreaterThan(0);
    const [beta1, beta2] = [config['optimizer.beta1'] as number, config['optimizer.beta2'] as number];
    const corrected = (sum: number, beta: number): number => Math.sqrt(sum) / (1 - beta ** 2);
    expect(host.series.get('adam_m_norm')!.get(2)! / corrected(squares.m, beta1)).toBeCloseTo(1, 4);
    expect(host.series.get('adam_v_norm')!.get(2)! / corrected(squares.v, beta2)).toBeCloseTo(1, 4);
    expect(host.series.get('adam_elemwise_snr_norm')!.get(2)).toSatisfy(Number.isFinite);
  });

  test.each(['cpu', 'tfjs-cpu'])(
    '%s: find gates, scores and logits that are where they hardly move',
    async (device) => {
      // Large weights and few tokens: some gates are flat at all of them.
      const config = testConfig({
        ...settings,
        device,
        'log.diagnostics': 'activations+attention+loss',
        'model.mlp': 'swiglu',
        'model.init_std': 1,
        'model.residual_scale': false,
        'model.attention_softcap': 3,
        'model.softcap': 5,
        'model.context': 3,
        'batch.micro': 1,
      });
      const [{ tensors }, { host }] = [await after(1, config), await after(2, config)];
      const batch = (await fakeData()({ config, cache: '' })).rows(4, 1);
      const forward = new Forward(tensors, config, batch.inputs, 1);
      const at = (name: string): number => host.series.get(name)!.get(2)!;
      for (const [layer, { gate, capped, top }] of forward.layers.entries()) {
        const units = gate.length / 3;
        const flat = Array.from({ length: units }, (_, unit) => gate.every((x, i) => i % units !== unit || x < -4));
        const share = flat.filter(Boolean).length / units;
        expect(share).toBeGreaterThan(0);
        expect(at(`saturated_units[${layer}]`)).toBeCloseTo(share, 5);
        for (const head of [0, 1]) {
          expect(at(`attention_logit_capped[${layer},${head}]`)).toBeCloseTo(capped[head]!, 5);
          expect(at(`attention_logit_max[${layer},${head}]`)).toBeCloseTo(top[head]!, 3);
        }
      }
      expect(forward.layers.flatMap(({ capped }) => capped).filter((share) => share > 0 && share < 1)).not.toEqual([]);
      const beyond = forward.logits.filter((each) => Math.abs(each) > 0.95 * 5).length / forward.logits.length;
      expect(beyond).toBeGreaterThan(0);
      expect(at('logit_capped')).toBeCloseTo(beyond, 5);
      expect(at('logit_max')).toBeCloseTo(Math.max(...forward.logits), 3);
    },
  );

  test.each([
    [{ 'attention.kind': 'sparse', 'attention.sparse': 'fixed strided', 'attention.block': 6, 'attention.summary': 2 }],
    [{ 'attention.kind': 'sparsek', 'attention.selected': 5, 'attention.recent': 3, 'attention.drift': 0.1 }],
  ] as Config[][])('%o: entropy and scores are of the keys that count', async (own) => {
    // Longer than a stretch of queries that is looked at.
    const length = 80;
    const config = testConfig({ ...settings, device: 'cpu', 'model.context': length, ...own });
    const [{ tensors }, { host }] = [await after(1, config), await after(2, config)];
    const batch = (await fakeData()({ config, cache: '' })).rows(4, 2);
    const seen = own['attention.kind'] === 'sparse' ? fixedAndStrided : selected(tensors);
    const forward = new Forward(tensors, config, batch.inputs, 2, seen);
    for (const layer of [0, 1])
      for (const head of [0, 1]) {
        const at = (name: string): number => host.series.get(`${name}[${layer},${head}]`)!.get(2)!;
        expect(at('attention_entropy')).toBeCloseTo(forward.layers[layer]!.entropy[head]!, 4);
        expect(at('attention_logit_max')).toBeCloseTo(forward.layers[layer]!.top[head]!, 4);
      }

    /** Head 0 sees its block of 6 and the last 2 of each before; head 1 each sixth back. */
    function fixedAndStrided(_: unknown, head: number, i: number, j: number): number {
      if (head === 1) return Number((i - j) % 6 === 0);
      return Number(Math.floor(i / 6) === Math.floor(j / 6) || j % 6 >= 4);
    }

    /** The last 3, and of those before the best 5 so far, by how far each is above the threshold. */
    function selected(of: Tensors): Seen {
      const width = config['model.width'] as number;
      const scores = new Map<string, { z: number[]; threshold: Float64Array; expiry: Float64Array }>();
      return ({ layer, row, normed }, _, i, j) => {
        const key = `${layer},${row}`;
        let found = scores.get(key);
        if (found === undefined) {
          const weight = of[`block.${layer}.attention.score.weight`]!;
          const z = Array.from({ length }, (_token, t) =>
            weight.reduce((sum, w, c) => sum + w * normed[(row * length + t) * width + c]!, t * 0.1),
          );
          const [threshold, expiry] = sparsekByDefinition(z, length, 5);
          scores.set(key, (found = { z, threshold, expiry }));
        }
        if (i - j < 3) return 1;
        return i < found.expiry[j]! ? Math.min(1, Math.max(0, found.z[j]! - found.threshold[i]!)) : 0;
      };
    }
  });

  // Would catch a random number that is drawn, a state that is written, and a mean that is forgotten.
  test('disturb nothing, and a run that is continued measures the same', async () => {
    const config = testConfig({ ...settings, device: 'cpu', 'model.dropout': 0.1, 'stop.steps': 7 });
    const plain = await train({ config: { ...config, 'log.diagnostics': 'off' }, folder: await temporaryFolder() });
    const whole = await train({ config, folder: await temporaryFolder() });
    const folder = await temporaryFolder();
    const { host } = await train({ config, folder, onProgram: stopDuring(5) });
    await train({ config, folder, host, resume: true });
    expect(host.reproducible).toEqual(whole.host.reproducible);
    expect(await tensorsOf(host)).toEqual(await tensorsOf(whole.host));
    expect(await tensorsOf(plain.host)).toEqual(await tensorsOf(whole.host));
    const measured = whole.host.reproducible;
    expect(plain.host.reproducible).toEqual(
      Object.fromEntries(Object.entries(measured).filter(([name]) => name in plain.host.reproducible)),
    );
    expect(measured['layer_grad_norm[1]']!.map(([step]) => step)).toEqual([1, 2, 4, 6]);
    // Lists of runs carry what is of the whole model alone.
    const names = Object.keys(whole.end.summary);
    expect(names).toContain('global_param_norm');
    expect(names.filter((name) => name.includes('['))).toEqual([]);
  });

  test.each([
    [{ 'log.diagnostics': 'weights' }, false, ['diagnose-update']],
    [{ 'log.diagnostics': 'attention+loss' }, true, ['diagnose']],
    [
      { 'log.diagnostics': 'all', 'model.mlp': 'swiglu', 'model.positions': 'bias', 'model.experts': 4 },
      true,
      ['diagnose', 'diagnose-update', 'diagnose-gradient'],
    ],
    [
      { 'log.diagnostics': 'all', 'batch.micro': 0, 'precision.policy': 'bf16', 'attention.kind': 'window' },
      false,
      ['diagnose', 'diagnose-update'],
    ],
  ] as [Config, boolean, string[]][])('%o, padded: %s, runs %o and gives numbers', async (own, keyMasked, programs) => {
    const ran = new Set<string>();
    const { end, host } = await train({
      config: testConfig({ ...settings, device: 'cpu', ...own, 'stop.steps': 2 }),
      folder: await temporaryFolder(),
      prepare: fakeData({ keyMasked }),
      onProgram: (name) => void ran.add(name),
    });
    expect(end.state, end.reason).toBe('finished');
    expect([...ran].filter((name) => name.startsWith('diagnose'))).toEqual(expect.arrayContaining(programs));
    expect([...ran].filter((name) => name.startsWith('diagnose'))).toHaveLength(programs.length);
    for (const [name, points] of host.series)
      for (const value of points.values()) expect(value, name).toSatisfy(Number.isFinite);
    const loads = [...host.series].filter(([name]) => name.startsWith('expert_load[0,'));
    expect(loads).toHaveLength(own['model.experts'] === 4 ? 4 : 0);
    if (loads.length > 0) expect(loads.reduce((sum, [, points]) => sum + points.get(2)!, 0)).toBeCloseTo(4, 4);
  });
});
