/** The optimizers, in the order in which they are offered. */
import type { Family } from '../../kind.ts';
import { adafactor } from './adafactor.ts';
import { adagrad } from './adagrad.ts';
import { adam } from './adam.ts';
import { adamw } from './adamw.ts';
import { groupsRule } from './groups.rules.ts';
import { lion } from './lion.ts';
import { muon } from './muon.ts';
import { nadam } from './nadam.ts';
import type { OptimizerKind } from './optimizer.ts';
import { rmsprop } from './rmsprop.ts';
import { scheduleFree } from './scheduleFree.ts';
import { sgd } from './sgd.ts';
import { optimizerSettings } from './shared.settings.ts';

export const optimizerFamily: Family<OptimizerKind> = {
  name: 'optimizer',
  setting: 'optimizer.kind',
  shared: optimizerSettings,
  rules: (kind, kinds, all) => [groupsRule(kind, kinds, all)],
  kinds: [adamw, muon, lion, scheduleFree, adafactor, nadam, adam, sgd, adagrad, rmsprop],
};
