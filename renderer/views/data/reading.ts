/** How the files of a corpus are read: the settings that the Data view lets one choose, and what is sent of them. */
import type { Values } from './tokenizers.ts';

export interface ReadingChoice {
  readonly key: string;
  readonly setting: string;
  readonly label: string;
  /** As it is typed. */
  readonly usual: string;
  readonly placeholder?: string;
}

export const READING: readonly ReadingChoice[] = [
  { key: 'format', setting: 'data.format', label: 'Format', usual: 'auto' },
  { key: 'encoding', setting: 'data.encoding', label: 'Encoding', usual: 'auto' },
  { key: 'column', setting: 'data.column', label: 'Column', usual: 'text' },
  { key: 'delimiter', setting: 'data.delimiter', label: 'Delimiter', usual: '', placeholder: 'by the name' },
  {
    key: 'separator',
    setting: 'data.separator',
    label: 'Separator',
    usual: '\\n\\n',
    placeholder: 'none: a file each',
  },
  { key: 'size', setting: 'data.size', label: 'At most (bytes)', usual: '0' },
];

/** What differs from what is usual, as settings. A size that is no number is sent as it is: the answer says what is allowed. */
export function readingValues(chosen: Readonly<Record<string, string>>): Values {
  const values: Values = {};
  for (const { key, setting, usual } of READING) {
    const value = chosen[key] ?? usual;
    if (value !== usual)
      values[setting] = setting === 'data.size' && /^\d+$/u.test(value.trim()) ? Number(value) : value;
  }
  return values;
}
