/**
 * Names, tags, notes and generated texts come from anywhere. What a terminal would take as a command (colours, the clipboard, the title),
 * what turns the direction of writing around, and what cannot be seen at all, is shown instead of obeyed.
 */

/** Control characters but line ends and tabs, those that change the direction of text or break lines, and those without a picture. */
const COMMANDS = /[\p{Cc}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2028\u2029\uFFF9-\uFFFB]/gu;
const CONTROL_PICTURES = 0x2400;
const DELETE = 0x7f;

/** Scripts whose letters take another shape where a joiner, or none, stands between them. */
const JOINING =
  /[\p{scx=Arab}\p{scx=Syrc}\p{scx=Nkoo}\p{scx=Mong}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tibt}]$/u;
const BEFORE_JOINER = /\p{Extended_Pictographic}(?:\uFE0F|\p{Emoji_Modifier})?$/u;
const BEFORE_SELECTOR = /[\p{Extended_Pictographic}\p{sc=Han}\p{sc=Mong}\p{Sm}]$/u;
const KEYCAP = /[0-9#*]$/u;
const FLAG = /\u{1F3F4}[\u{E0020}-\u{E007E}]*$/u;
/** Of a text before or behind a character, enough to know what it does there. */
const AROUND = 32;

/** Whether a character without a picture belongs to what is seen: the joints of emoji and of scripts that join, chosen variants of signs. */
function isPart(code: number, before: string, after: string): boolean {
  if (code === 0x200d && BEFORE_JOINER.test(before)) return /^\p{Extended_Pictographic}/u.test(after);
  if (code === 0x200c || code === 0x200d) return JOINING.test(before);
  if ((code >= 0xfe00 && code <= 0xfe0f) || (code >= 0x180b && code <= 0x180d) || (code >= 0xe0100 && code <= 0xe01ef))
    return BEFORE_SELECTOR.test(before) || (KEYCAP.test(before) && after.startsWith('\u20E3'));
  return code >= 0xe0020 && code <= 0xe007f && FLAG.test(before);
}

/** `␛` for escape; `<U+202E>` where there is no picture. */
function picture(character: string, at: number, text: string): string {
  if (character === '\n' || character === '\t') return character;
  const code = character.codePointAt(0)!;
  if (code < 0x20) return String.fromCodePoint(CONTROL_PICTURES + code);
  if (code === DELETE) return '\u2421';
  const end = at + character.length;
  if (isPart(code, text.slice(Math.max(0, at - AROUND), at), text.slice(end, end + AROUND))) return character;
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}

export const withoutCommands = (text: string): string => text.replaceAll(COMMANDS, picture);

/** The same for a row or a line: ends of lines and tabs are shown too. */
export const oneLine = (text: string): string =>
  withoutCommands(text).replaceAll('\n', '\u240A').replaceAll('\t', '\u2409');

/** Letters that are written from right to left. */
const LEFTWARD = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC\u{10800}-\u{10CFF}\u{10D00}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;

/**
 * For a page or a picture: nothing is hidden, and letters that run to the left move nothing of what stands beside the text (a number or a
 * state that belongs to another name). Never for what is edited, sent or saved.
 */
export function shownText(text: string): string {
  const plain = withoutCommands(text);
  return LEFTWARD.test(plain) ? `\u2066${plain}\u2069` : plain;
}

/** The same for JSON, which stays what it was for a parser. */
export const jsonWithoutCommands = (json: string): string =>
  json.replaceAll(COMMANDS, (character, at: number) => {
    if (character === '\n' || picture(character, at, json) === character) return character;
    return [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
      .join('');
  });
