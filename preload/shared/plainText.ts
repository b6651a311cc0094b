/**
 * Names, tags, notes and generated texts come from anywhere. What a terminal would take as a command (colours, the clipboard, the title),
 * and what turns the direction of writing around, is shown instead of obeyed.
 */

/** Control characters but line ends and tabs, and those that change the direction of text or break lines. */
const COMMANDS = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
const CONTROL_PICTURES = 0x2400;
const DELETE = 0x7f;

/** `␛` for escape; `<U+202E>` where there is no picture. */
function picture(character: string): string {
  if (character === '\n' || character === '\t') return character;
  const code = character.codePointAt(0)!;
  if (code < 0x20) return String.fromCodePoint(CONTROL_PICTURES + code);
  if (code === DELETE) return '\u2421';
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}

export const withoutCommands = (text: string): string => text.replaceAll(COMMANDS, picture);

/** The same for JSON, which stays what it was for a parser. */
export const jsonWithoutCommands = (json: string): string =>
  json.replaceAll(COMMANDS, (character) =>
    character === '\n' ? character : `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );
