/** What decides how many sequences a batch has. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { DeclarationError, definer } from '../../kind.ts';
import type { Declared, Kind } from '../../kind.ts';
import type { Milestones } from '../milestones.ts';

export interface BatchKind extends Kind {
  /** What the sizes count. Tokens give as many sequences of the present length as fit, at least one. */
  readonly counts: 'sequences' | 'tokens';
  /** Size of a batch over the run, from 1 on. */
  sizes(c: Config): Milestones;
}

const define = definer<BatchKind>('batch', ['sizes']);

export function defineBatch(kind: Declared<BatchKind>): BatchKind {
  if (kind.counts !== 'sequences' && kind.counts !== 'tokens')
    throw new DeclarationError(`batch ${String(kind.name)}: counts must be sequences or tokens`);
  return define(kind);
}
