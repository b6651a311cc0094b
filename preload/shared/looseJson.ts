/** JSON as programs write it that do not keep to its rules. */

const BARE = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/gu;

/** JSON as Python writes it: NaN and infinities may stand bare; they become the texts `NaN`, `Infinity` and `-Infinity`. @throws SyntaxError */
export function parseLooseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!/NaN|Infinity/u.test(text)) throw error;
    return JSON.parse(text.replaceAll(BARE, (found) => (found.startsWith('"') ? found : `"${found}"`)));
  }
}
