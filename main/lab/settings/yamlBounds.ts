/**
 * What a YAML text may hold, found by its tokens alone: parsing ten thousand keys takes a second, and parsing a hundred thousand brackets
 * inside one another ends the process.
 */
import { counted } from '../../../preload/shared/format.ts';
import { Lexer } from 'yaml';
import { grouped, LIMITS } from '../../../preload/contract/limits.ts';

/** Blanks before a line's first character: deeper than any text that people write. */
const MOST_INDENT = 8 * LIMITS.depth;
/** Of the lexer itself: they stand for nothing in the text. */
const MARKS = new Set(['\u0002', '\u0018', '\u001F']);
const NESTING = new Set(['-', '?', ':']);
/** `*name`, `&name`, `!tag`, `%directive`: each is looked up among all others. */
const isReference = (token: string): boolean => token.length > 1 && /^[*&!%]/u.test(token);
/** Line ends, comments and the like for each value: no more in any text that people write. */
const MOST_TOKENS = 4 * LIMITS.yamlValues;
const isBlank = (token: string): boolean => /^[ \t]*$/u.test(token);

class Count {
  #flow = 0;
  /** Indicators that open a level each, without anything between them. */
  #chain = 0;
  #values = 0;
  #references = 0;
  #tokens = 0;
  #lineBegins = true;

  /** Why the text holds too much, once it does. */
  take(token: string): string | undefined {
    if (MARKS.has(token)) return undefined;
    if (++this.#tokens > MOST_TOKENS) return tooMany;
    if (token === '\n' || token === '\r\n') {
      this.#lineBegins = true;
      return undefined;
    }
    if (isBlank(token)) return this.#lineBegins && token.length > MOST_INDENT ? tooDeep : undefined;
    this.#lineBegins = false;
    if (NESTING.has(token)) return ++this.#chain > LIMITS.depth ? tooDeep : this.#value();
    if (token === ',') return this.#value();
    this.#chain = 0;
    if (token === '[' || token === '{') return ++this.#flow > LIMITS.depth ? tooDeep : this.#value();
    if ((token === ']' || token === '}') && --this.#flow < -LIMITS.depth) return 'more lists and maps end than begin';
    if (isReference(token) && ++this.#references > LIMITS.yamlReferences)
      return `too many aliases, anchors and tags; allowed: at most ${LIMITS.yamlReferences} together`;
    return undefined;
  }

  #value(): string | undefined {
    return ++this.#values > LIMITS.yamlValues ? tooMany : undefined;
  }
}

const tooMany = `too many keys, values and list entries; allowed: at most ${grouped(LIMITS.yamlValues)} together`;
const tooDeep = `lists and maps are nested too deep; allowed: at most ${LIMITS.depth} inside one another`;

/** Why the text is not read at all, with the place; undefined for one that is. */
export function yamlExcess(
  text: string,
  mostCharacters: number,
): { readonly message: string; readonly offset: number } | undefined {
  if (text.length > mostCharacters) {
    const message = `the text has ${counted(text.length, 'character')}; allowed: at most ${grouped(mostCharacters)}`;
    return { message, offset: 0 };
  }
  const count = new Count();
  let offset = 0;
  for (const token of new Lexer().lex(text)) {
    const message = count.take(token);
    if (message !== undefined) return { message, offset };
    if (!MARKS.has(token)) offset += token.length;
  }
  return undefined;
}
