/** JSON as programs write it: also with NaN and Infinity, which Python's json module writes and JSON does not have. */

const BARE = /-?\b(?:NaN|Infinity)\b/g;
const STRING = /"(?:[^"\\]|\\.)*"/gs;

/** Puts null for bare NaN, Infinity and −Infinity, outside of strings. */
function withoutBareNumbers(text: string): string {
  let out = '';
  let from = 0;
  for (const { index, 0: string } of text.matchAll(STRING)) {
    out += text.slice(from, index).replace(BARE, 'null') + string;
    from = index + string.length;
  }
  return out + text.slice(from).replace(BARE, 'null');
}

/** Parses one value. @throws SyntaxError */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!/NaN|Infinity/.test(text)) throw error;
    return JSON.parse(withoutBareNumbers(text));
  }
}

/** What is wrong with a piece of JSON, shortly: the parser's messages quote all of it. */
export function jsonReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .replace(/,? ?(\.\.\.)?"[\s\S]*$/, '')
    .replace(/\s+/g, ' ')
    .slice(0, 120);
}
