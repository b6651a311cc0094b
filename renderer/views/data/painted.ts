/** Tokens as they are painted: their bytes as text where they are text, what is not text made visible. */
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
