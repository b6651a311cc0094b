/** The device of a run in words: `cuda:1`, `tfjs-gpu on cuda:0`, `cpu`; undefined where nothing is recorded. Programs have a card alone. */
import type { RunEnvironment } from '../contract/runs.ts';

export function deviceWords({ executor, card, device }: RunEnvironment): string | undefined {
  if (typeof card !== 'string') return executor ?? (typeof device === 'string' ? device : undefined);
  return card.startsWith(`${executor}:`) ? card : `${executor ?? '?'} on ${card}`;
}
