import { describe, expect, it } from 'vitest';
import type { SettingSpec } from '../../../preload/contract/settings.ts';
import { builtInCatalog, Catalog } from '../../../main/engine/catalog.ts';
import { builtInRegistry, DeclarationError, SettingsRegistry } from '../../../main/lab/settings/index.ts';

const registry = builtInRegistry();
/** A registry of these settings alone. */
const registryOf = (settings: readonly SettingSpec[]) => new SettingsRegistry(new Catalog([], [{ settings }]));
const good: SettingSpec = { name: 'x.a', type: { kind: 'int', min: 0 }, default: 1, help: 'h', question: 'data' };

describe('built-in declarations', () => {
  it('have one-line help with an end, and stay short enough for --help (catches empty or runaway help)', () => {
    for (const { name, help } of registry.specs) {
      expect(help, name).toMatch(/^[^\n]{15,170}[.)?]$/u);
    }
  });

  it('form a default configuration that breaks no rule (catches defaults that cannot run)', () => {
    expect(builtInCatalog.check(registry.defaults)).toEqual({ problems: [], warnings: [] });
  });

  it('are each in one section and answer one question (catches a setting that no form shows)', () => {
    const bySection = registry.sections().flatMap(({ specs }) => specs.map(({ name }) => name));
    const byQuestion = registry.questions().flatMap(({ specs }) => specs.map(({ name }) => name));
    expect([...bySection].sort()).toEqual([...registry.names].sort());
    expect([...byQuestion].sort()).toEqual([...registry.names].sort());
    expect(registry.sections().map(({ name }) => name)).toEqual([
      'general',
      'data',
      'tokenizer',
      'model',
      'attention',
      'optimizer',
      'schedule',
      'batch',
      'precision',
      'eval',
      'stop',
      'log',
    ]);
    for (const { specs } of registry.questions()) expect(specs.length).toBeGreaterThan(0);
  });

  it('stand beside what they belong to (catches a window that is looked for among forty settings)', () => {
    const at = (name: string): number => registry.names.indexOf(name);
    expect(at('model.window')).toBe(at('attention.kind') + 1);
  });

  it('have rules that read declared settings, each with its own code (catches a rule on a renamed setting)', () => {
    const rules = builtInCatalog.allRules();
    for (const { settings, code } of rules)
      for (const name of settings) expect(registry.has(name), `${code}: ${name}`).toBe(true);
    // A rule for several kinds of a family is the same rule.
    for (const [code, same] of Map.groupBy(rules, (rule) => rule.code))
      expect(new Set(same.map(({ settings, severity }) => `${severity} ${settings.join()}`)).size, code).toBe(1);
  });

  it('apply when their expression says so (catches optimizer fields shown for the wrong kind)', () => {
    const applies = (name: string, kind: string): boolean =>
      registry.applies(name, { ...registry.defaults, 'optimizer.kind': kind });
    expect(applies('optimizer.beta1', 'adamw')).toBe(true);
    expect(applies('optimizer.beta1', 'sgd')).toBe(false);
    expect(applies('optimizer.momentum', 'rmsprop')).toBe(true);
    expect(applies('optimizer.lr', 'sgd')).toBe(true);
  });
});

describe('SettingsRegistry', () => {
  it.each([
    [{ ...good, name: 'Bad Name' }, 'lower snake case'],
    [{ ...good, default: -1 }, 'default that is not allowed'],
    [{ ...good, default: 'one' }, 'default that is not allowed'],
    [{ ...good, when: 'x.b > 0' }, 'when of setting x.a'],
    [{ ...good, when: 'x.a +' }, 'when of setting x.a'],
    [{ ...good, when: 'x.a' }, 'true or false'],
    [{ ...good, help: ' ' }, 'no help'],
    [{ ...good, question: 'magic' as 'data' }, 'question must be one of'],
  ])('refuses declaration %# (catches plug-in mistakes that would surface mid-run)', (spec, part) => {
    expect(() => registryOf([spec])).toThrow(DeclarationError);
    expect(() => registryOf([spec])).toThrow(part);
  });

  it('refuses a name declared twice (catches a plug-in that silently replaces a setting)', () => {
    expect(() => registryOf([good, good])).toThrow('x.a is declared twice');
  });
});
