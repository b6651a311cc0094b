import type { SettingSpec } from '../../../../preload/contract/settings.ts';
import { KINDS_HERE } from '../../kind.ts';

/** What all models share. */
export const modelSettings: readonly (SettingSpec | typeof KINDS_HERE)[] = [
  {
    name: 'model.kind',
    type: { kind: 'enum', values: [] },
    default: 'gpt',
    help: 'Model family: gpt and its variants, hlb-gpt (latent, classic), a U-shaped transformer (unet), nanochat (depth-dial), or one that a plug-in adds.',
    question: 'capacity',
    touches: ['memory', 'time', 'stability'],
  },
  {
    name: 'model.context',
    type: { kind: 'int', min: 1, max: 1048576 },
    default: 128,
    unit: 'tokens',
    help: 'Tokens per sequence. Longer sees further back; activations grow with it.',
    question: 'memory',
    touches: ['memory', 'time'],
  },
  KINDS_HERE,
];
