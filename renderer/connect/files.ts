/** Files that leave the page: written where the desktop's dialog says, or handed to the browser as a download. */
import type { FileChoice } from '../../preload/contract/bridge.ts';
import { bridge } from './bridgePort.ts';

export interface NewFile {
  /** `loss.svg`; its ending says what kind it is. */
  readonly name: string;
  /** `image/svg+xml` */
  readonly type: string;
  readonly content: string | Blob;
}

/** `path`: where the desktop wrote it. `handed`: the browser takes it from here and shows it in its own way. */
export type Saved = { readonly path: string } | { readonly handed: true };

/** Names of kinds in the dialog. */
const KINDS: Readonly<Record<string, string>> = {
  csv: 'Table (CSV)',
  png: 'Picture (PNG)',
  svg: 'Picture (SVG)',
  yaml: 'Sweep (YAML)',
  json: 'JSON',
  md: 'Text (Markdown)',
  zip: 'Folder (ZIP)',
};

/** A sweep that the system opens with the app (.ci/package/builder.ts). */
const DOUBLE_CLICK = { name: 'Sweep that opens with a double click', extensions: ['sweeplab'] };

export function choiceOf(name: string): FileChoice {
  const ending = /\.([A-Za-z0-9]{1,16})$/u.exec(name)?.[1];
  if (ending === undefined) return { name };
  const filters = [{ name: KINDS[ending] ?? ending.toUpperCase(), extensions: [ending] }];
  return { name, filters: ending === 'yaml' ? [...filters, DOUBLE_CLICK] : filters };
}

/** Null when the dialog was closed without a choice. @throws Error in words when the file could not be written */
export async function saveFile({ name, type, content }: NewFile): Promise<Saved | null> {
  const own = bridge();
  if (own === undefined) {
    const url = URL.createObjectURL(typeof content === 'string' ? new Blob([content], { type }) : content);
    download(url, name);
    // The download has its own reference once it has begun.
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    return { handed: true };
  }
  const bytes =
    typeof content === 'string' ? new TextEncoder().encode(content) : new Uint8Array(await content.arrayBuffer());
  const answer = await own.saveFile(choiceOf(name), bytes);
  if (answer !== null && 'problem' in answer) throw new Error(answer.problem);
  return answer;
}

/** Where the lab may write a file of this name: a path of the desktop, `undefined` for a browser (it downloads), null for no choice. */
export async function chooseFile(name: string): Promise<string | null | undefined> {
  return await bridge()?.chooseFile(choiceOf(name));
}

/** Fetches an address of the lab into a file. Browsers only. */
export function download(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
}

/** In the system's file manager. Desktop only. */
export const showFile = async (path: string): Promise<boolean> => (await bridge()?.showFile(path)) ?? false;
