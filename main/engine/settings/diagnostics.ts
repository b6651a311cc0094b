/** How healthy a model is, layer by layer: what is measured, and when. */
import type { Config, SettingSpec } from '../../../preload/contract/settings.ts';

/** What can be measured; see train/measures/diagnostics.ts for the metrics of each. */
export const DIAGNOSTICS = ['weights', 'activations', 'attention', 'loss', 'noise'] as const;
export type Diagnostic = (typeof DIAGNOSTICS)[number];

const one = `(${DIAGNOSTICS.join('|')})`;

export const diagnosticsSettings: readonly SettingSpec[] = [
  {
    name: 'log.diagnostics',
    type: {
      kind: 'string',
      pattern: String.raw`^(off|all|${one}(\+${one})*)$`,
      patternHelp: `off, all, or some of ${DIAGNOSTICS.join(', ')} joined by +`,
      suggestions: ['off', 'all', ...DIAGNOSTICS],
    },
    default: 'off',
    help: 'Measures how healthy each layer is: weights and updates, activations, attention, loss by position, noise of the gradient; some: weights+attention.',
    question: 'stability',
    touches: ['memory', 'time'],
  },
  {
    name: 'log.diagnostics_steps',
    type: { kind: 'int', min: 1 },
    default: 100,
    unit: 'steps',
    help: 'Steps between such measurements, beside the first. One takes about as long as a step: under 3 % of the time at 100.',
    question: 'stability',
    touches: ['time'],
    when: 'log.diagnostics != "off"',
  },
];

/** What a run measures. */
export function diagnosticsOf(config: Config): ReadonlySet<Diagnostic> {
  const chosen = String(config['log.diagnostics'] ?? 'off');
  if (chosen === 'off') return new Set();
  return new Set(chosen === 'all' ? DIAGNOSTICS : (chosen.split('+') as Diagnostic[]));
}

/** Whether step `step` (from 1) is measured. */
export function isDiagnosed(config: Config, step: number): boolean {
  if (diagnosticsOf(config).size === 0) return false;
  return step === 1 || step % (config['log.diagnostics_steps'] as number) === 0;
}
