/** The models, in the order in which they are offered. */
import type { Family } from '../../kind.ts';
import type { ModelKind } from '../model.ts';
import { classic } from './classic.ts';
import { depthDial } from './depthDial.ts';
import { gpt } from './gpt.ts';
import { latent } from './latent.ts';
import { modelSettings } from './shared.settings.ts';
import { baseWidthFits } from './base.rules.ts';
import { unet } from './unet.ts';

export const modelFamily: Family<ModelKind> = {
  name: 'model',
  setting: 'model.kind',
  shared: modelSettings,
  rules: (kind) => [baseWidthFits(kind)],
  kinds: [gpt, latent, classic, unet, depthDial],
};
