/** Scopes and instants of a plan in words. */
import type { ProgramUse } from '../../engine/compile/use.ts';

/** Row of a breakdown by layer that a scope belongs to. */
export function layerOf(scope: string): string {
  const block = /(?:^|\.)block\.(\d+)(?:\.|$)/u.exec(scope);
  if (block !== null) return `block ${block[1]}`;
  const [first] = scope.split('.');
  if (first === undefined || first === '') return 'inputs and scalars';
  if (first === 'clipping') return 'gradient norm';
  return first.replaceAll('_', ' ');
}

const PARTS: Readonly<Record<string, string>> = {
  mlp: 'MLP',
  attention: 'attention',
  attention_norm: 'attention norm',
  mlp_norm: 'MLP norm',
};

/** `block.11.mlp.down` → "block 11's MLP (down)"; numbers count from 0, as in the names of parameters. */
export function placeOf(scope: string): string {
  const block = /(?:^|\.)block\.(\d+)(?:\.(.*))?$/u.exec(scope);
  if (block === null) {
    const [first = '', ...rest] = scope.split('.');
    if (first === '') return 'the whole model';
    const name = first === 'head' ? 'output head' : first === 'clipping' ? 'gradient norm' : first.replaceAll('_', ' ');
    return `the ${name}${rest.length > 0 ? ` (${rest.join(' ')})` : ''}`;
  }
  const [part, ...rest] = (block[2] ?? '').split('.');
  if (!part) return `block ${block[1]}`;
  const detail = rest.length > 0 ? ` (${rest.join(' ').replaceAll('_', ' ')})` : '';
  return `block ${block[1]}'s ${PARTS[part] ?? part.replaceAll('_', ' ')}${detail}`;
}

const PHASES: Readonly<Record<string, string>> = {
  forward: 'in the forward pass of',
  backward: 'in the backward pass of',
  update: 'in the optimizer update of',
};

/** When and where a program holds most: "in the backward pass of block 11's MLP". */
export function peakSentence(use: Pick<ProgramUse, 'name' | 'phase' | 'scope' | 'op'>): string {
  const when =
    use.phase === 'loss' && use.scope.startsWith('head')
      ? 'at the loss: output head, soft-max and cross-entropy'
      : `${PHASES[use.phase] ?? 'at the loss, in'} ${placeOf(use.scope)}`;
  if (use.name === 'evaluate') return `while evaluating, ${when}`;
  if (use.name === 'generate') return `while writing a sample, ${when}`;
  if (use.name.startsWith('diagnose')) return `while measuring diagnostics, ${when}`;
  return when;
}

/** Where most of a breakdown is: "mostly saved activations (82 %)". */
export function mostly(byCategory: Readonly<Record<string, number>>): string {
  const total = Object.values(byCategory).reduce((sum, bytes) => sum + bytes, 0);
  const [name, bytes] = Object.entries(byCategory).sort(([, a], [, b]) => b - a)[0] ?? ['nothing', 0];
  return total === 0 ? 'nothing' : `mostly ${name} (${Math.round((100 * bytes) / total)} %)`;
}
