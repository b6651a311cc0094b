/** The native dialogs. Pages get the text of a picked file, never a path that they could read by themselves. */
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { app, dialog } from 'electron';
import type { BrowserWindow, FileFilter } from 'electron';
import type { FileChoice, PickedFile } from '../../preload/contract/bridge.ts';

/** Larger than any sweep file or list of numbers that is to be imported. */
const MOST_BYTES = 16 << 20;

/** What a page asked for, made safe: pages are not trusted to send what their types say. */
export function cleanChoice(value: unknown): FileChoice {
  const { title, name, filters } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  const text = (each: unknown): string | undefined =>
    typeof each === 'string' && each !== '' ? each.slice(0, 200) : undefined;
  const wanted = (Array.isArray(filters) ? filters : []).slice(0, 20).flatMap((each: unknown) => {
    const { name: label, extensions } = (each ?? {}) as Record<string, unknown>;
    const endings = (Array.isArray(extensions) ? extensions : []).filter(
      (ending): ending is string => typeof ending === 'string' && /^(?:\*|[A-Za-z0-9]{1,16})$/u.test(ending),
    );
    return typeof label === 'string' && endings.length > 0 ? [{ name: label.slice(0, 100), extensions: endings }] : [];
  });
  const plain = text(name)?.replaceAll('\\', '/');
  return { title: text(title), name: plain === undefined ? undefined : basename(plain), filters: wanted };
}

const filtersOf = ({ filters = [] }: FileChoice): FileFilter[] =>
  filters.map(({ name, extensions }) => ({ name, extensions: [...extensions] }));

export async function pickFile(window: BrowserWindow, value: unknown): Promise<PickedFile | null> {
  const choice = cleanChoice(value);
  const { canceled, filePaths } = await dialog.showOpenDialog(window, {
    title: choice.title,
    filters: filtersOf(choice),
    properties: ['openFile'],
  });
  if (canceled || filePaths.length === 0) return null;
  const { size } = await stat(filePaths[0]);
  const name = basename(filePaths[0]);
  if (size > MOST_BYTES) throw new Error(`${name} has ${size} bytes; at most ${MOST_BYTES} can be imported.`);
  return { name, text: await readFile(filePaths[0], 'utf8') };
}

export async function saveFile(window: BrowserWindow, value: unknown): Promise<string | null> {
  const choice = cleanChoice(value);
  const { canceled, filePath } = await dialog.showSaveDialog(window, {
    title: choice.title,
    defaultPath: join(app.getPath('documents'), choice.name ?? 'sweeplab.csv'),
    filters: filtersOf(choice),
  });
  return canceled || filePath === '' ? null : filePath;
}
