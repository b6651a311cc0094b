import { describe, expect, test } from 'vitest';
import { skipSources, unetWidths } from '../../../../main/engine/nn/models/unet.dimensions.ts';
import { buildTraining } from '../../../../main/engine/nn/training.ts';
import { builtInRegistry, resolveConfig } from '../../../../main/lab/settings/index.ts';
import { parseSweep, planSweep } from '../../../../main/lab/sweeps/index.ts';
import type { Config } from '../../../../preload/contract/settings.ts';
import { modelConfig } from './oracle.ts';

const registry = builtInRegistry();
const unet = (given: Config = {}): Config => modelConfig({ 'model.kind': 'unet', ...given });

describe('unet', () => {
  test.each([
    [{ 'model.depth': 5, 'model.width': 12, 'model.heads': 2 }, [12, 10, 6, 6, 10, 12]],
    [{ 'model.depth': 6, 'model.width': 128, 'model.heads': 4 }, [128, 108, 84, 64, 84, 108, 128]],
    [{ 'model.depth': 4, 'model.width': 96, 'model.narrowest': 96 }, [96, 96, 96, 96, 96]],
    [{ 'model.depth': 1, 'model.width': 40 }, [40, 40]],
    [{ 'model.depth': 2, 'model.width': 40, 'model.positions': 'rotary' }, [40, 24, 40]],
    [{ 'model.width': 32, 'model.widths': '16, 8 16' }, [32, 16, 8, 16, 32]],
  ])('%o has these widths (catches a list that is not mirrored, or heads that do not divide)', (given, widths) => {
    const config = unet(given);
    expect(unetWidths(config)).toEqual(widths);
    expect(config['model.depth']).toBe(widths.length - 1);
  });

  test('joins mirrored blocks and no neighbours (catches a skip that adds a block to itself)', () => {
    const sources = (depth: number) => skipSources(unet({ 'model.depth': depth }), depth);
    const none = undefined;
    expect(sources(2)).toEqual([none, none]);
    expect(sources(3)).toEqual([none, none, 0]);
    expect(sources(4)).toEqual([none, none, none, 0]);
    expect(sources(5)).toEqual([none, none, none, 1, 0]);
    expect(skipSources(unet({ 'model.skips': 'none' }), 5)).toEqual([none, none, none, none, none]);
    // Both ends of a skip are equally wide, whatever the depth.
    for (let depth = 1; depth < 30; depth++) {
      const config = unet({ 'model.depth': depth, 'model.width': 60, 'model.heads': 3 });
      const widths = unetWidths(config);
      skipSources(config, depth).forEach((source, block) => {
        if (source !== undefined) expect(widths[source + 1]).toBe(widths[block]);
      });
    }
  });

  test('has as many parameters as its formula says (catches a projection where nothing changes width)', () => {
    const config = unet({ 'model.depth': 5, 'model.width': 12, 'model.heads': 2, 'model.context': 9 });
    const { parameterCount } = buildTraining({ config, vocabularySize: 23, keyMasked: false });
    const widths = [12, 10, 6, 6, 10, 12];
    const blocks = widths.slice(1).map((to, i) => {
      const from = widths[i]!;
      const attention = 3 * from * from + from * to;
      return attention + (from === to ? 0 : from * to) + 8 * to * to + from + to;
    });
    expect(parameterCount).toBe(23 * 12 + 9 * 12 + blocks.reduce((a, b) => a + b, 0) + 12 + 2);
  });

  test.each([
    [{ 'model.widths': '16 x 16' }, 'model.widths', '16 16', 'widths from 1 to 65536'],
    [{ 'model.widths': '16 8 12' }, 'model.widths', '16 8 16', 'the same widths up as down'],
    [{ 'model.widths': '16 10 16' }, 'model.widths', '16 12 16', '10 % 4 = 2'],
    [{ 'model.widths': '16 8 16', 'model.depth': '7' }, 'model.depth', 4, '3 + 1 = 4'],
    [{ 'model.width': '64', 'model.narrowest': '80' }, 'model.narrowest', 64, 'at most model.width 64'],
    [{ 'model.width': '66', 'model.heads': '4', 'model.positions': 'rotary' }, 'model.heads', 3, '66 % 8 = 2'],
  ])('refuses %o with the nearest choice (catches a crash when the run starts)', (given, setting, nearest, part) => {
    const overrides = { 'model.kind': 'unet', ...given };
    const { problems } = resolveConfig({ registry, overrides });
    expect(problems.map((problem) => [problem.setting, problem.nearest])).toEqual([[setting, nearest]]);
    expect(problems[0]!.message).toContain(part);
    expect(resolveConfig({ registry, overrides: { ...overrides, [setting]: String(nearest) } }).problems).toEqual([]);
  });

  test('is one run where two settings give the same widths', () => {
    const planned = (parameters: string) =>
      planSweep({
        registry,
        sweep: parseSweep(`method: grid\nparameters: { model.kind: { value: unet }, ${parameters} }`).sweep!,
      }).runs.length;
    expect(planned('model.narrowest: { values: [0, 64, 32] }')).toBe(2);
    expect(planned('model.depth: { value: 2 }, model.skips: { values: [mirrored, none] }')).toBe(1);
    expect(planned('model.skips: { values: [mirrored, none] }')).toBe(2);
  });
});
