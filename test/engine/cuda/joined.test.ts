import { describe, expect, test } from 'vitest';
import { compileForCuda } from '../../../main/engine/executors/cuda/target.ts';
import { translate } from '../../../main/engine/executors/cuda/translate.ts';
import { newGraph } from '../../../main/engine/graph/operation.ts';
import { input, optimizerUpdate, state } from '../../../main/engine/graph/ops/index.ts';
import { program } from '../../../main/engine/graph/program.ts';
import type { StateSpec, StateUpdate } from '../../../main/engine/graph/program.ts';
import type { DType, Value } from '../../../main/engine/graph/value.ts';
import { random, SEED } from '../../oracles/random.ts';
import { evaluate } from '../../oracles/reference.ts';
import { optimizerOf } from '../graph/cases/optimizer.ts';
import { whyNoEmulator } from './emulator/build.ts';
import { emulatedExecutor } from './harness.ts';

const why = whyNoEmulator();

interface Parameter {
  readonly name: string;
  readonly n: number;
  readonly rule: 'adamw' | 'sgd';
  readonly working?: DType;
  /** Whose value is its gradient; an input of its own unless given. */
  readonly gradient?: string;
}

const RULES = {
  adamw: optimizerOf({ rule: 'adamw', beta1: 0.9, beta2: 0.95, eps: 1e-6 }),
  sgd: optimizerOf({ rule: 'sgd', momentum: 0.9, nesterov: false }),
};

/** Updates all parameters, in order. */
function updating(parameters: readonly Parameter[]) {
  const graph = newGraph();
  const specs: StateSpec[] = [];
  const updates: StateUpdate[] = [];
  const hold = (name: string, n: number, dtype: DType = 'f32'): Value => {
    specs.push({ name, shape: [n], dtype, category: 'parameters', scope: '' });
    return state(graph, name, [n], dtype);
  };
  const number = (name: string) => input(graph, name, [], 'f32');
  const [lr, decay, gradientScale] = [number('lr'), number('decay'), number('scale')];
  const held = new Map(parameters.map(({ name, n }) => [name, hold(name, n)]));
  for (const { name, n, rule, working, gradient } of parameters) {
    const { kind, settings, names, scalars } = RULES[rule];
    const g = gradient === undefined ? input(graph, `${name}.g`, [n], 'f32') : held.get(gradient)!;
    const moments = Object.fromEntries(names.map((moment) => [moment, hold(`${name}.${moment}`, n)]));
    const hyper = { lr, decay, ...Object.fromEntries(scalars.map((scalar) => [scalar, lr])) };
    const next = optimizerUpdate(kind, settings, { p: held.get(name)!, g, moments, gradientScale, hyper, working });
    updates.push({ state: name, value: next.p });
    for (const moment of names) updates.push({ state: `${name}.${moment}`, value: next.moments[moment]! });
    if (working === undefined) continue;
    hold(`${name}.copy`, n, working);
    updates.push({ state: `${name}.copy`, value: next.working! });
  }
  return { program: program('update', graph, {}, updates), specs, updates };
}

describe.skipIf(why !== undefined)(
  `updates launched together on the emulated GPU${why ? ` (SKIPPED: ${why})` : ''}`,
  () => {
    const launchesOf = ({ program: source }: ReturnType<typeof updating>): string[] => {
      const names = new Map<string, number>();
      const at = (name: string) => names.get(name) ?? names.set(name, 2 ** 30 + names.size * 2 ** 20).get(name)!;
      const { pieces } = translate(compileForCuda(source), { arena: 2 ** 20, tables: 2 ** 25, state: at });
      return pieces.flatMap(({ launches }) => launches.map(({ launch }) => launch.fn));
    };

    // Catches parameters that are left out or updated by another's numbers, and blocks that find the wrong one.
    test('each parameter by its own numbers, in one launch for each rule', async () => {
      const parameters: Parameter[] = [
        { name: 'a', n: 3, rule: 'adamw' },
        { name: 'b', n: 9001, rule: 'adamw', working: 'bf16' },
        { name: 'c', n: 257, rule: 'sgd', working: 'bf16' },
        { name: 'd', n: 1, rule: 'adamw', working: 'f16' },
        { name: 'e', n: 8192, rule: 'sgd' },
      ];
      const built = updating(parameters);
      expect(launchesOf(built)).toEqual(['optimizer', 'optimizer']);
      const r = random(SEED);
      const feeds: Record<string, Float32Array> = {
        lr: Float32Array.of(0.05),
        decay: Float32Array.of(0.1),
        scale: Float32Array.of(0.7),
      };
      for (const { name, shape, dtype } of built.specs)
        if (dtype === 'f32') feeds[name] = Float32Array.from(r.normals(shape[0]!), Math.abs);
      for (const { name, n } of parameters) feeds[`${name}.g`] = Float32Array.from(r.normals(n));
      const want = evaluate(
        built.updates.map(({ value }) => value),
        feeds,
      );
      const session = (await emulatedExecutor()).open(built.specs);
      for (const { name, dtype } of built.specs) if (dtype === 'f32') session.write(name, feeds[name]!);
      const loaded = session.load(built.program);
      await session.run(
        loaded,
        Object.fromEntries([...built.program.inputs.keys()].map((name) => [name, feeds[name]!])),
      );
      for (const [i, { state: name }] of built.updates.entries()) {
        const got = await session.read(name);
        const bound = name.endsWith('.copy') ? 4e-3 : 1e-5;
        want[i]!.forEach((value, at) =>
          expect(Math.abs(got[at]! - value), `${name}, at ${at}`).toBeLessThan(bound * (1 + Math.abs(value))),
        );
      }
      session.dispose();
    });

    test('alone where one reads what another writes', () => {
      const pair = (gradient?: string): Parameter[] => [
        { name: 'a', n: 5, rule: 'sgd', ...(gradient === 'b' ? { gradient } : {}) },
        { name: 'b', n: 5, rule: 'sgd', ...(gradient === 'a' ? { gradient } : {}) },
      ];
      expect(launchesOf(updating(pair()))).toEqual(['optimizer']);
      for (const gradient of ['a', 'b'])
        expect(launchesOf(updating(pair(gradient))).filter((fn) => fn === 'optimizer')).toHaveLength(2);
    });
  },
);
