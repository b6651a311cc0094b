/**
 * Colours of a terminal. Until a text is written, they are marks that no other text can hold, so that escape codes from names and notes
 * can be told from ours. Marks are control characters: whoever measures a text counts them as nothing.
 */
import { randomBytes } from 'node:crypto';
import { styleText } from 'node:util';
import { withoutCommands } from '../../preload/shared/plainText.ts';

export type Style = Parameters<typeof styleText>[0];

/** Another one in every process: nobody can write it into a name. */
const MARK = `\u0001${[...randomBytes(12)].map((byte) => String.fromCodePoint(2 + (byte % 6))).join('')}`;
/** A code is named by a control character of this block. */
const FIRST = 0x80;
const CODES: string[] = [];

function mark(code: string): string {
  if (code === '') return '';
  if (!CODES.includes(code)) CODES.push(code);
  return MARK + String.fromCodePoint(FIRST + CODES.indexOf(code));
}

export function styled(style: Style, text: string): string {
  const [open = '', close = ''] = styleText(style, '|', { validateStream: false }).split('|');
  return mark(open) + text + mark(close);
}

/** A text for a terminal: our marks become codes, everything else that is a command becomes visible. */
export function forTerminal(text: string): string {
  return text
    .split(MARK)
    .map((part, i) => {
      const code = i === 0 || part === '' ? undefined : CODES[part.codePointAt(0)! - FIRST];
      return code === undefined ? withoutCommands(part) : code + withoutCommands(part.slice(1));
    })
    .join('');
}
