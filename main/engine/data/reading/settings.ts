/** The settings that say how text is found in files, checked. */
import type { Config } from '../../../../preload/contract/settings.ts';
import { nearestName } from '../../../../preload/shared/settings/nearest.ts';
import { DataError } from '../errors.ts';
import { FORMAT_NAMES } from '../formats/index.ts';
import { separatorOf, unescapeSeparator } from '../formats/text.ts';
import { ENCODINGS } from './encoding.ts';
import type { Encoding } from './encoding.ts';
import type { ReadingSettings } from './reader.ts';

const text = (config: Config, name: string, otherwise: string) => String(config[name] ?? otherwise);

function oneOf(config: Config, name: string, allowed: readonly string[]): string {
  const value = text(config, name, 'auto').toLowerCase();
  if (allowed.includes(value)) return value;
  throw new DataError(name, value, 'no such choice.', allowed.join(', '), nearestName(value, allowed));
}

function delimiterOf(config: Config): string {
  const setting = text(config, 'data.delimiter', '');
  const delimiter = unescapeSeparator(setting);
  const wrong = delimiter.length > 1 || delimiter > '\x7f' || ['"', '\n', '\r'].includes(delimiter);
  if (wrong && delimiter !== '')
    throw new DataError(
      'data.delimiter',
      setting,
      'a delimiter is one character.',
      "one ASCII character that is no quote and no line end, for example ; or \\t; empty: ',' for .csv, tab for .tsv",
      ';',
    );
  return delimiter;
}

/** @param own what a named corpus knows better than the settings. @throws DataError */
export function readingSettings(config: Config, own: { readonly column?: string } = {}): ReadingSettings {
  const encoding = oneOf(config, 'data.encoding', ENCODINGS);
  return {
    column: own.column ?? text(config, 'data.column', 'text'),
    separator: separatorOf(text(config, 'data.separator', '\n\n')),
    delimiter: delimiterOf(config),
    format: oneOf(config, 'data.format', FORMAT_NAMES),
    encoding: encoding === 'auto' ? null : (encoding as Encoding),
  };
}
