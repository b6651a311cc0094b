/** `precision.policy: auto` is a policy before anything is planned, recorded or named. */
import { describe, expect, it } from 'vitest';
import { fastestHere, knowing } from '../../../main/engine/executors/fastest.ts';
import { EXECUTORS } from '../../../main/engine/executors/index.ts';
import { selectExecutor } from '../../../main/engine/executors/select.ts';
import { fastestFor, findGpu, tableGpu } from '../../../main/lab/fit/index.ts';
import { builtInRegistry, listRecipes, resolveConfig, resolveValues } from '../../../main/lab/settings/index.ts';
import { parseSweep, planSpec } from '../../../main/lab/sweeps/index.ts';
import type { SpecOptions, SweepPlan } from '../../../main/lab/sweeps/index.ts';

const registry = builtInRegistry();
const POLICY = 'precision.policy';

async function plan(text: string, options: SpecOptions = {}): Promise<SweepPlan> {
  const { sweep, problems } = parseSweep(text);
  if (sweep === undefined) throw new Error(problems.map(({ message }) => message).join('\n'));
  return await planSpec(registry, sweep, options);
}
const policiesOf = ({ runs }: SweepPlan): unknown[] => runs.map(({ config }) => config[POLICY]);

describe('precision.policy auto', () => {
  it.each(EXECUTORS)(
    'is on $name a policy that it runs without scaling the loss, and says why',
    ({ name, policies }) => {
      const { config, problems, warnings } = resolveConfig({ registry, overrides: { [POLICY]: 'auto', device: name } });
      expect(problems).toEqual([]);
      expect(['fp32', 'bf16']).toContain(config[POLICY]);
      expect(policies).toContain(config[POLICY]);
      expect(warnings).toMatchObject([{ code: 'auto', setting: POLICY }]);
      expect(warnings[0]!.message).toMatch(
        new RegExp(`^precision\\.policy auto is ${config[POLICY]} on ${name}: \\w`, 'u'),
      );
    },
  );

  it('is bf16 on cards and fp32 on TensorFlow.js (would catch a choice that costs speed or accuracy for nothing)', () => {
    expect(fastestHere('cuda:3')).toMatchObject({ executor: 'cuda', policy: 'bf16' });
    expect(fastestHere('tfjs')).toMatchObject({ policy: 'fp32' });
    expect(fastestHere('tfjs-wasm')).toMatchObject({ executor: 'tfjs-wasm', policy: 'fp32' });
  });

  it('with device auto is that of the executor that would train here (would catch a plan for another one)', async () => {
    const { executor } = await selectExecutor('auto');
    const found = await resolveValues(registry, { values: { [POLICY]: 'auto' } });
    expect(found.config[POLICY]).toBe(fastestHere(executor.device.executor).policy);
    expect(found.warnings[0]!.message).toContain(`on ${executor.device.executor}: `);
    expect(await knowing(() => fastestHere('auto').executor)).toBe(executor.device.executor);
  });

  it('of a named card follows from what the card multiplies', async () => {
    const on = async (name: string) => fastestFor(await tableGpu(findGpu(name)));
    expect((await on('RTX 4090'))('cpu')).toMatchObject({ executor: 'cuda', policy: 'bf16' });
    expect((await on('T4'))('cpu')).toMatchObject({ policy: 'fp32' });
    const text =
      'method: grid\nsettings: { precision.policy: auto, device: tfjs-cpu }\nparameters: { model.depth: { values: [1, 2] } }';
    expect(policiesOf(await plan(text, { fastest: await on('RTX 4090') }))).toEqual(['bf16', 'bf16']);
    expect(policiesOf(await plan(text))).toEqual(['fp32', 'fp32']);
  });

  it('settles before other settings depend on it', () => {
    const given = { [POLICY]: 'auto', device: 'tfjs-cpu', 'precision.stochastic_rounding': true };
    const { config, warnings } = resolveConfig({ registry, overrides: given });
    expect(warnings.find(({ code }) => code === 'no_effect')?.message).toContain('pure-bf16');
    expect(registry.applies('precision.tf32', config)).toBe(true);
  });

  it('comes from a recipe too, and gives way to what is set', async () => {
    const [recipe] = await listRecipes();
    const source = { ...recipe!.source, entries: [{ name: POLICY, value: 'auto', fromText: false }] };
    const of = (overrides: Record<string, unknown>) =>
      resolveConfig({ registry, recipe: source, overrides: { device: 'tfjs-cpu', ...overrides } });
    expect(of({})).toMatchObject({ problems: [], config: { [POLICY]: 'fp32' } });
    expect(of({ [POLICY]: 'bf16' })).toMatchObject({ problems: [], warnings: [], config: { [POLICY]: 'bf16' } });
  });
});

describe('a sweep over policies with auto', () => {
  it('has each policy once, under its own name, and says what auto came to (would catch a run trained twice)', async () => {
    const found = await plan(
      'method: grid\nseeds: 2\nsettings: { device: tfjs-cpu }\nparameters: { precision.policy: { values: [auto, fp32, bf16] } }',
    );
    expect(found.problems).toEqual([]);
    expect(found.settings.map(({ label }) => label)).toEqual(['policy=fp32', 'policy=bf16']);
    expect(found.settings.map(({ values }) => values)).toEqual([{ [POLICY]: 'fp32' }, { [POLICY]: 'bf16' }]);
    expect(found.duplicates).toBe(1);
    expect(policiesOf(found)).toEqual(['fp32', 'fp32', 'bf16', 'bf16']);
    expect(found.runs.map(({ name }) => name)).not.toContainEqual(expect.stringContaining('auto'));
    const [said] = found.warnings.filter(({ code }) => code === 'auto');
    expect(said?.message).toContain('precision.policy auto is fp32 on tfjs-cpu: ');
    // The same setting as in a sweep that names the policy.
    const named = await plan(
      'method: grid\nsettings: { device: tfjs-cpu }\nparameters: { precision.policy: { values: [fp32] } }',
    );
    expect(found.settings[0]!.key).toBe(named.settings[0]!.key);
  });

  it('takes that of each device that it is swept with', async () => {
    const found = await plan(
      'method: grid\nsettings: { precision.policy: auto }\nparameters: { device: { values: [tfjs-cpu, cuda] } }',
    );
    expect(policiesOf(found)).toEqual(['fp32', 'bf16']);
    expect(found.runs.map(({ config }) => config.device)).toEqual(['tfjs-cpu', 'cuda']);
  });
});
