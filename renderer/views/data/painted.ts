/** Tokens as they are painted: their bytes as text where they are text, what is not text made visible. */
import { formatInteger, formatValue, plural } from '../../../preload/shared/format.ts';
import type { Token } from '../../stores/contract.ts';

export interface PaintedToken {
  readonly id: number;
  /** What is shown: spaces and line ends are visible, bytes that are no text appear as ⟨e2 80⟩. */
  readonly text: string;
  /** A line ends after it. */
  readonly breaks: boolean;
  readonly bytes: readonly number[];
  /** True when the bytes are whole characters. */
  readonly whole: boolean;
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');

/** Special tokens have no bytes. */
export function paintToken({ id, bytes }: Token): PaintedToken {
  const list = [...bytes];
  if (list.length === 0) return { id, text: '⟨end⟩', breaks: false, bytes: list, whole: false };
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(list));
    return {
      id,
      // oxlint-disable-next-line no-control-regex
      text: text
        .replaceAll('\n', '↵')
        .replaceAll('\t', '⇥')
        .replaceAll(/\p{Cc}/gu, (c) => `⟨${hex(c.charCodeAt(0))}⟩`),
      breaks: text.endsWith('\n'),
      bytes: list,
      whole: true,
    };
  } catch {
    return { id, text: `⟨${list.map(hex).join(' ')}⟩`, breaks: false, bytes: list, whole: false };
  }
}

/** How many tokens and bytes a text has, the number of tokens first. Before the first answer nothing is known of the tokens. */
export function textFacts(tokens: readonly Pick<PaintedToken, 'id' | 'bytes'>[] | undefined, bytes: number): string[] {
  if (tokens === undefined) return ['counting tokens…', plural(bytes, 'byte')];
  const written = tokens.filter(({ bytes: own }) => own.length > 0);
  const length = written.reduce((sum, { bytes: own }) => sum + own.length, 0);
  return [
    plural(tokens.length, 'token'),
    plural(bytes, 'byte'),
    ...(length > 0 ? [`${formatValue(length / written.length)} bytes/token`] : []),
    `${formatInteger(new Set(tokens.map(({ id }) => id)).size)} different`,
  ];
}
