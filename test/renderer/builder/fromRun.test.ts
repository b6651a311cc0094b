import { describe, expect, it } from 'vitest';
import { builtInRegistry, resolveConfig } from '../../../main/lab/settings/index.ts';
import { draftOfRun } from '../../../renderer/stores/draft/fromRun.ts';

const registry = builtInRegistry();
const resolved = (values: Record<string, unknown>) => resolveConfig({ registry, overrides: values }).config;

describe('a draft from a run', () => {
  it.each([
    [{}],
    [{ 'model.width': 64, 'optimizer.kind': 'sgd', seed: 7 }],
    [{ 'stop.tokens': 20_000 }],
    // Asked for although it is the default: left out, it would step aside for stop.tokens.
    [{ 'stop.steps': 500, 'stop.tokens': 20_000 }],
  ])('trains the same again: %j', (values) => {
    const config = resolved(values);
    const draft = draftOfRun({ name: 'a', config }, registry.specs);
    expect(resolved(draft.settings)).toEqual(config);
  });

  it('says only what differs from the defaults (a form full of changed settings would hide what matters)', () => {
    const { settings } = draftOfRun({ name: 'a', config: resolved({ 'model.depth': 2 }) }, registry.specs);
    expect(settings).toEqual({ 'model.depth': 2 });
  });
});
