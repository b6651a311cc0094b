/** Rules for the text and its held-out part. */
import type { Config } from '../../../../preload/contract/settings.ts';
import type { Rule } from '../../../../preload/shared/settings/rules.ts';
import { problem } from '../../../../preload/shared/settings/values.ts';
import type { CorpusKind } from './corpusKind.ts';

const number = (config: Config, name: string): number => config[name] as number;

/** The rules for a corpus. */
export const dataRules = (corpus: CorpusKind): readonly Rule[] => [
  {
    code: 'data.validation_missing',
    settings: ['data.validation', 'data.validation_path'],
    severity: 'error',
    check: (config) => {
      if (config['data.validation_path'] !== '' || number(config, 'data.validation') > 0) return null;
      const allowed = 'above 0, at most 0.5, unless data.validation_path names a validation file';
      return problem('data.validation', 0, allowed, 0.05, 'nothing would be held out to measure the loss on');
    },
  },
  {
    code: 'data.validation_too_small',
    settings: ['data.corpus', 'data.size', 'data.validation', 'data.validation_path', 'model.context'],
    severity: 'error',
    yields: ['data.validation'],
    check: (config) => {
      if (config['data.validation_path'] !== '') return null;
      const size = corpus.bytes(config) ?? 0;
      const validation = number(config, 'data.validation');
      const context = number(config, 'model.context');
      // A token is at least one byte, so fewer bytes than a window can never fill one.
      if (size === 0 || validation === 0 || size * validation >= context + 1) return null;
      const needed = Math.ceil((context + 1) / validation);
      const held = Math.floor(size * validation);
      const why = `${size} × data.validation ${validation} = ${held} bytes held out, less than one sequence of model.context ${context}`;
      // Rounded up to three digits, and at most what the setting allows.
      const share = Math.ceil(((context + 1) / size) * 1000) / 1000;
      const allowed = `as much as holds out one sequence of model.context ${context}`;
      const others = share > 0.5 ? [] : [{ setting: 'data.validation', value: validation, nearest: share, allowed }];
      return problem('data.size', number(config, 'data.size'), `at least ${needed} bytes`, needed, why, others);
    },
  },
];
