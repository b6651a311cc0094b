/** Lines of a chart that are no run: what no model can get below, and where gradients are clipped. */
import type { RunRecord } from '../../../preload/contract/runs.ts';
import type { Reference } from '../draw/model.ts';

/** Only where all runs share it: a line for some of them would mislead about the others. */
export function referencesOf(runs: readonly RunRecord[], metric: string): Reference[] {
  if (metric === 'grad/norm') return clipOf(runs);
  const floors = new Set(runs.map(({ environment }) => floorOf(environment, metric)));
  const [floor] = floors;
  if (floors.size !== 1 || floor === undefined) return [];
  return [{ value: floor, label: `entropy of the text ${floor.toFixed(3)}` }];
}

/** Above it gradients are clipped. */
function clipOf(runs: readonly RunRecord[]): Reference[] {
  const [clip, ...others] = new Set(runs.map(({ config }) => config['optimizer.clip']));
  if (others.length > 0 || typeof clip !== 'number' || clip <= 0) return [];
  return [{ value: clip, label: `clipped above ${clip}` }];
}

/** The entropy of generated text. It is known in bits per byte; one token of the validation text stands for bytes / tokens of them. */
function floorOf(environment: RunRecord['environment'], metric: string): number | undefined {
  const { entropyFloor: floor } = environment;
  // Runs from before the floor was that of the scored text name the whole validation text.
  const { scoredBytes: bytes = environment.validationBytes, scoredTokens: tokens = environment.validationTokens } =
    environment;
  if (typeof floor !== 'number') return undefined;
  if (metric === 'val/bpb') return floor;
  if (metric !== 'val/loss' || typeof bytes !== 'number' || typeof tokens !== 'number') return undefined;
  return (floor * Math.LN2 * bytes) / tokens;
}
