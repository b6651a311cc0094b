/** What decides how long the sequences of a step are. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { definer } from '../../kind.ts';
import type { Declared, Kind } from '../../kind.ts';
import type { Milestones } from '../milestones.ts';

export interface LengthKind extends Kind {
  /** Tokens of a sequence over the run: from 1 to `context`, which is `model.context`. */
  lengths(c: Config, context: number): Milestones;
}

const define = definer<LengthKind>('length', ['lengths']);

export function defineLength(kind: Declared<LengthKind>): LengthKind {
  return define(kind);
}
