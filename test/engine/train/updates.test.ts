/** Ratios of updates to weights: against the weights of checkpoints, on fresh random tensors, and when they are measured. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Session } from '../../../main/engine/executors/executor.ts';
import type { ParameterSpec } from '../../../main/engine/nn/model.ts';
import { Stream } from '../../../main/engine/random/stream.ts';
import { WEIGHTS } from '../../../main/engine/train/checkpoint.ts';
import { SafetensorsFile } from '../../../main/engine/train/safetensors.ts';
import { measuresUpdate, UpdateRatios } from '../../../main/engine/train/updates.ts';
import { temporaryFolder, testConfig } from './helpers.ts';
import { train } from './laboratory.ts';

describe('ratios of updates to weights', () => {
  test.each(['tfjs-cpu', 'cpu'])('%s: are those of the weights in two checkpoints', async (device) => {
    const config = testConfig({
      device,
      'stop.steps': 3,
      'eval.every_steps': 2,
      'log.checkpoint_steps': 1,
      'optimizer.lr': 0.01,
      'optimizer.weight_decay': 0.1,
    });
    const weights: Map<string, Float32Array>[] = [];
    const folder = await temporaryFolder();
    // Each checkpoint replaces the one before, so every one is read while it is there.
    for (const steps of [2, 3]) {
      const { host } = await train({ config: { ...config, 'stop.steps': steps }, folder, resume: steps === 3 });
      const { path } = host.of('checkpoint').findLast(({ kind }) => kind === 'last')!;
      const file = await SafetensorsFile.open(join(path, WEIGHTS));
      const tensors = new Map<string, Float32Array>();
      for (const name of file.header.tensors.keys()) tensors.set(name, await file.read(name));
      await file.close();
      weights.push(tensors);
      if (steps === 2) continue;
      const [before, after] = weights as [Map<string, Float32Array>, Map<string, Float32Array>];
      const names = [...before.keys()].filter((name) => name.startsWith('block.') && before.get(name)!.length > 16);
      expect(names.length).toBeGreaterThan(3);
      const moved = Math.hypot(...names.map((name) => lengthOf(after.get(name)!, before.get(name)!)));
      const expected = moved / Math.hypot(...names.map((name) => lengthOf(before.get(name)!)));
      expect(host.series.get('update/matrix')!.get(3)! / expected).toBeCloseTo(1, 4);
    }
  });

  test('are measured at the first logged step after each evaluation, and only there', async () => {
    const points = async (settings: Parameters<typeof testConfig>[0]) => {
      const { host } = await train({ config: testConfig(settings), folder: await temporaryFolder() });
      return [...(host.series.get('update/embedding')?.keys() ?? [])];
    };
    expect(await points({ 'stop.steps': 10, 'eval.every_steps': 4 })).toEqual([1, 5, 9]);
    expect(await points({ 'stop.steps': 13, 'eval.every_steps': 4, 'log.every_steps': 3 })).toEqual([1, 6, 9]);
    expect(await points({ 'stop.steps': 5, 'eval.every_steps': 0 })).toEqual([1]);
  });

  test('every logged step is one where evaluations are denser, and every hundredth step without any', () => {
    const measured = (log: number, evaluate: number) =>
      Array.from({ length: 400 }, (_, i) => i + 1).filter((step) => measuresUpdate(step, log, evaluate));
    expect(measured(100, 7)).toEqual([1, 100, 200, 300, 400]);
    expect(measured(1, 0)).toEqual([1, 101, 201, 301]);
    expect(measured(10, 100)).toEqual([1, 110, 210, 310]);
  });

  test('a large tensor is judged by pieces of all of it, each role by itself (catches weights of tensors that are read in part)', async () => {
    const seed = Math.floor(Math.random() * 1e9);
    const random = new Stream(seed, 'updates');
    const normal = () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
    const shapes = { large: [701, 311], small: [17, 23], gain: [9], zero: [5] } as const;
    const role = { large: 'matrix', small: 'matrix', gain: 'vector', zero: 'head' } as const;
    const scale = { large: 1, small: 20, gain: 3, zero: 0 };
    const names = Object.keys(shapes) as (keyof typeof shapes)[];
    const filled = (name: keyof typeof shapes, by: number) =>
      Float32Array.from({ length: shapes[name].reduce<number>((a, b) => a * b, 1) }, () => by * normal());
    const state = new Map<string, Float32Array>(names.map((name) => [name, filled(name, scale[name])]));
    const session = {
      read: (name: string, from: number, into: Float32Array) => {
        into.set(state.get(name)!.subarray(from, from + into.length));
        return Promise.resolve(into);
      },
    } as unknown as Session;
    const parameters = names.map(
      (name) => ({ name, shape: [...shapes[name]], role: role[name] }) as unknown as ParameterSpec,
    );
    const ratios = new UpdateRatios(session, parameters);
    for (let round = 0; round < 2; round++) {
      const before = new Map(state);
      await ratios.begin();
      const moves = { large: 0.01, small: 0.5, gain: 0.1, zero: 1 };
      for (const name of names) {
        const by = filled(name, moves[name]);
        state.set(
          name,
          state.get(name)!.map((value, i) => value + by[i]!),
        );
      }
      const found = await ratios.end();
      const exact = (members: readonly string[]) =>
        Math.hypot(...members.map((name) => lengthOf(state.get(name)!, before.get(name)!))) /
        Math.hypot(...members.map((name) => lengthOf(before.get(name)!)));
      expect(found.vector, `seed ${seed}`).toBeCloseTo(exact(['gain']), 6);
      // 16,384 of 218,011 values: within a few per cent.
      expect(found.matrix! / exact(['large', 'small']), `seed ${seed}`).toBeCloseTo(1, 1);
      expect(Object.keys(found).sort()).toEqual(round === 0 ? ['matrix', 'vector'] : ['head', 'matrix', 'vector']);
    }
  });
});

/** ‖a − b‖, for arrays too long to be arguments. */
function lengthOf(a: Float32Array, b?: Float32Array): number {
  let sum = 0;
  for (const [i, value] of a.entries()) sum += (value - (b?.[i] ?? 0)) ** 2;
  return Math.sqrt(sum);
}
