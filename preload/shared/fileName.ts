/** Names of files that every system takes, from any text. */

/** Names that Windows keeps for devices, whatever their ending. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)$/iu;
const MOST = 120;

/**
 * `val/loss vs lr.svg` → `val-loss-vs-lr.svg`: letters, digits and `_.-`, at most 120 characters; the ending stays. Letters of other scripts are
 * letters; those without a picture (Hangul fillers) are none. Never empty, never hidden (no dot at the beginning), never a name that Windows keeps for itself.
 */
export function fileName(text: string): string {
  const [, stem, ending] = /^(.*?)(\.[A-Za-z0-9]{1,16})?$/su.exec(text.normalize('NFC'))!;
  const clean = stem
    .replaceAll(/[^\p{L}\p{N}_.-]+|\p{Default_Ignorable_Code_Point}+/gu, '-')
    .replaceAll(/-{2,}/gu, '-')
    .replaceAll(/^[-.]+|[-.]+$/gu, '');
  const whole = [...clean].slice(0, MOST - (ending ?? '').length).join('');
  const safe = whole === '' || DEVICE.test(whole.split('.')[0]) ? `sweeplab${whole === '' ? '' : `-${whole}`}` : whole;
  return `${safe}${ending ?? ''}`;
}
