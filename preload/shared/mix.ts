/** How a mixture of texts is written: `stories: 0.7, path/to/code: 0.3`. */

/** What stands between the commas; a share that is no number is NaN. The last colon parts them: `hf:owner/name: 0.5`. */
export function mixParts(text: string): readonly { readonly corpus: string; readonly weight: number }[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const colon = part.lastIndexOf(':');
      const [corpus, share] = colon < 0 ? [part, ''] : [part.slice(0, colon).trim(), part.slice(colon + 1).trim()];
      return { corpus, weight: share === '' ? Number.NaN : Number(share) };
    });
}
