/** Saving files through the native dialog. A page names and fills a file; where it lies, only the dialog says. */
import { realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { app, dialog, shell } from 'electron';
import type { BrowserWindow, FileFilter } from 'electron';
import type { FileChoice, SaveAnswer } from '../../preload/contract/bridge.ts';
import { fileName } from '../../preload/shared/fileName.ts';
import { replaceFile } from '../files/atomic.ts';
import { writeProblem } from '../files/words.ts';

/** Larger than any picture or table that a page can draw; what is larger is exported by the lab. */
const MOST_BYTES = 256 << 20;

/** What a page asked for, made safe: pages are not trusted to send what their types say. */
function cleanChoice(value: unknown): FileChoice {
  const { name, filters } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const wanted = (Array.isArray(filters) ? filters : []).slice(0, 20).flatMap((each: unknown) => {
    const { name: label, extensions } = (each ?? {}) as Record<string, unknown>;
    const endings = (Array.isArray(extensions) ? extensions : []).filter(
      (ending): ending is string => typeof ending === 'string' && /^(?:\*|[A-Za-z0-9]{1,16})$/u.test(ending),
    );
    return typeof label === 'string' && endings.length > 0 ? [{ name: label.slice(0, 100), extensions: endings }] : [];
  });
  const plain = typeof name === 'string' ? basename(name.replaceAll('\\', '/')) : '';
  return { name: fileName(plain), filters: wanted };
}

/** The chosen path; null when nothing was chosen. */
export async function chooseFile(window: BrowserWindow, value: unknown): Promise<string | null> {
  const { name, filters = [] } = cleanChoice(value);
  const { canceled, filePath } = await dialog.showSaveDialog(window, {
    defaultPath: join(app.getPath('documents'), name),
    filters: filters.map(({ name: label, extensions }): FileFilter => ({ name: label, extensions: [...extensions] })),
  });
  return canceled || filePath === '' ? null : filePath;
}

export async function saveFile(window: BrowserWindow, value: unknown, content: unknown): Promise<SaveAnswer> {
  if (!(content instanceof Uint8Array)) return { problem: 'There is nothing to save.' };
  if (content.length > MOST_BYTES)
    return { problem: `It has ${content.length} bytes; at most ${MOST_BYTES} can be saved from here.` };
  const path = await chooseFile(window, value);
  if (path === null) return null;
  try {
    // A link keeps pointing at its file.
    const place = await realpath(path).catch(() => path);
    const found = await stat(place).catch(() => undefined);
    // Whoever may write everywhere would lose the device for a file.
    if (found?.isFile() === false && !found.isDirectory())
      return { problem: `${path} is no file but a pipe or a device: choose another name.` };
    await replaceFile(place, content);
    return { path };
  } catch (error) {
    return { problem: writeProblem(error as NodeJS.ErrnoException, path) };
  }
}

export async function showFile(path: string): Promise<boolean> {
  const there = await realpath(path).catch(() => undefined);
  if (there !== undefined) shell.showItemInFolder(path);
  return there !== undefined;
}
