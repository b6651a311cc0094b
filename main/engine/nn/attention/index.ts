/** The attentions, in the order in which they are offered. */
import { problem } from '../../../../preload/shared/settings/values.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { settingNames } from '../../kind.ts';
import type { Family } from '../../kind.ts';
import type { AttentionKind } from './attention.ts';
import { causal } from './causal.ts';
import { attentionSettings } from './shared.settings.ts';
import { sparse } from './sparse.ts';
import { sparsek } from './sparsek.ts';
import { window } from './window.ts';
import { windowPattern } from './windowPattern.ts';

/** A window that the chosen attention does not look at. */
const windowUnused: Rule = {
  code: 'attention.window_unused',
  settings: ['attention.kind', 'model.window'],
  severity: 'warning',
  check: (config) => {
    const size = config['model.window'] as number;
    if (!(size > 0)) return null;
    const why = `attention.kind ${String(config['attention.kind'])} has no window`;
    return problem('model.window', size, '0, or attention.kind window', 0, why, [
      { setting: 'attention.kind', value: config['attention.kind']!, nearest: 'window' },
    ]);
  },
};

export const attentionFamily: Family<AttentionKind> = {
  name: 'attention',
  setting: 'attention.kind',
  shared: attentionSettings,
  rules: (kind) => (settingNames(kind).includes('model.window') ? [] : [windowUnused]),
  kinds: [causal, window, windowPattern, sparse, sparsek],
};
